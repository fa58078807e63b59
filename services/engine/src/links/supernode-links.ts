import type { OriginalPlace } from '../classic/original-supernode';
import { LinkFailure, linkFailure } from './failure';
import { SupernodeLink } from './supernode-link';
import type { Joined, SupernodeAddress, SupernodeLinkOptions, Wanted } from './supernode-link';
import type { SessionListener } from './supernode-session';

/** A blob's swarm, and the supernode that runs it. */
export interface JoinedAt {
  readonly link: SupernodeLink;
  readonly joined: Joined;
}

/** A place in the swarm of an original supernode. */
export interface OriginalAt {
  readonly place: OriginalPlace;
}

/** The supernodes that a node uses: those it was told of, and the replicas that those named as owners of blobs. */
export class SupernodeLinks {
  private readonly links = new Map<string, SupernodeLink>();

  /** @param configured in the order in which they are tried. */
  constructor(
    private readonly configured: readonly SupernodeAddress[],
    private readonly options: Omit<SupernodeLinkOptions, 'address'>,
  ) {}

  /** Whether there is any to ask. */
  get any(): boolean {
    return this.configured.length > 0;
  }

  /**
   * Joins a blob's swarm at the first supernode that answers, or at the replica that it names as the owner. When the owner does not answer,
   * the next supernode is asked, and at last the first that answers takes the blob itself.
   *
   * @param passOver names of supernodes that are not asked.
   * @throws LinkFailure when none takes it.
   */
  async join(
    wanted: Wanted,
    listener: SessionListener,
    passOver: ReadonlySet<string> = new Set(),
  ): Promise<JoinedAt | OriginalAt> {
    let failure = new LinkFailure('gone', 'no supernode is configured');
    for (const redirected of [false, true]) {
      for (const address of this.configured) {
        if (passOver.has(this.at(address).name)) continue;
        try {
          return await this.joinAt(this.at(address), { ...wanted, redirected }, listener);
        } catch (error) {
          failure = linkFailure(error, 'the supernode');
          this.options.log.warn(
            { supernode: this.at(address).name, why: failure.message },
            'a swarm could not be joined',
          );
        }
      }
      // With one supernode there is no owner elsewhere that a second round could go around.
      if (this.links.size <= 1) break;
    }
    throw failure;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.links.values()].map((link) => link.stop()));
  }

  private async joinAt(link: SupernodeLink, wanted: Wanted, listener: SessionListener): Promise<JoinedAt | OriginalAt> {
    const first = await link.join(wanted, listener);
    if (first.kind === 'joined') return { link, joined: first };
    if (first.kind === 'original') return first;
    const owner = this.at(first.owner);
    const second = await owner.join({ ...wanted, redirected: true }, listener);
    if (second.kind === 'joined') return { link: owner, joined: second };
    if (second.kind === 'original') return second;
    throw new LinkFailure('lying', `supernode ${owner.name} sends on what another sent to it`);
  }

  private at(address: SupernodeAddress): SupernodeLink {
    const name = `${address.host}:${address.port}`;
    let link = this.links.get(name);
    if (link === undefined) {
      link = new SupernodeLink({ ...this.options, address });
      this.links.set(name, link);
    }
    return link;
  }
}
