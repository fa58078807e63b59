import { formatAddress } from '@cdk8s-dragonfly/command';
import type { BlobId } from '@cdk8s-dragonfly/protocol';

import type { OriginalPlace } from '../classic/original-supernode';
import { LinkFailure, linkFailure } from './failure';
import { OutageLog } from './outage-log';
import { PulseSockets } from './pulse';
import { SupernodeLink } from './supernode-link';
import type { Joined, Owner, SupernodeAddress, Wanted } from './registration';
import type { SupernodeLinkOptions } from './supernode-link';
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
  private readonly pulses = new PulseSockets();
  private readonly outages: OutageLog;
  /** How many sessions were opened. */
  private sessions = 0;

  /** @param configured in the order in which they are tried. */
  constructor(
    private readonly configured: readonly SupernodeAddress[],
    private readonly options: Omit<
      SupernodeLinkOptions,
      'address' | 'isConfigured' | 'nextSession' | 'opened' | 'openTo' | 'pulses'
    >,
  ) {
    this.outages = new OutageLog(options.log);
  }

  /** Whether there is any to ask. */
  get any(): boolean {
    return this.configured.length > 0;
  }

  /**
   * Since when the supernodes are silent, of the steady clock: somebody is there, busy or hung. Undefined: one answers, or nobody is there.
   */
  get silentSince(): number | undefined {
    const since = [...this.links.values()].map((link) => link.silentSince).filter((time) => time !== undefined);
    return since.length === 0 ? undefined : Math.min(...since);
  }

  /**
   * Joins a blob's swarm at the first supernode that answers, or at the replica that it names as the owner. When the owner does not answer,
   * it names the next: so all daemons come to the same one. At last the first that answers takes the blob itself.
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
    const silent = new Set<string>();
    for (const redirected of [false, true]) {
      for (const address of this.configured) {
        const link = this.at(address);
        if (passOver.has(link.name)) continue;
        try {
          if (silent.has(link.name)) throw new LinkFailure('gone', `supernode ${link.name} did not answer`);
          const joined = await this.joinAt(link, { ...wanted, redirected }, listener, silent);
          this.outages.took(link.name);
          return joined;
        } catch (error) {
          failure = linkFailure(error, 'the supernode');
          this.outages.failed(link.name, failure.message);
        }
      }
      // With one supernode there is no owner elsewhere that a second round could go around.
      if (this.configured.length <= 1 && this.links.size <= 1) break;
      silent.clear();
    }
    throw failure;
  }

  /** Tells all supernodes what is here whole, now and whenever they forget it. */
  announce(): void {
    for (const address of this.configured) this.at(address).keepInTouch();
  }

  /** Another blob is here whole. */
  holds(blob: BlobId): void {
    const told = new Set(this.configured.map((address) => this.at(address)));
    for (const { used } of this.links.values()) if (used.isInTouch) told.add(used);
    for (const link of told) link.holds(blob);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.links.values()].map((link) => link.stop()));
    this.pulses.stop();
  }

  /** @param silent those that do not answer; what is found of them is added. */
  private async joinAt(
    link: SupernodeLink,
    wanted: Wanted,
    listener: SessionListener,
    silent: Set<string>,
  ): Promise<JoinedAt | OriginalAt> {
    const late = new Set<string>();
    for (;;) {
      const first = await link.join({ ...wanted, without: [...silent] }, listener).catch((error: unknown) => {
        silent.add(link.name);
        throw error;
      });
      if (first.kind === 'joined') return { link, joined: first };
      if (first.kind === 'original') return first;
      const owner = this.ownerAt(first.owner);
      if (silent.has(owner.name)) {
        throw new LinkFailure('gone', `supernode ${link.name} sends to ${owner.name}, which does not answer`);
      }
      try {
        const second = await owner.join({ ...wanted, redirected: true }, listener);
        if (second.kind === 'joined') return { link: owner, joined: second };
        if (second.kind === 'original') return second;
      } catch (error) {
        // One that is only late gets a second chance: a second owner would fetch the blob anew.
        if (late.has(owner.name) || isDead(error)) for (const name of namesOf(first.owner, owner)) silent.add(name);
        late.add(owner.name);
        const why = linkFailure(error, 'the supernode').message;
        this.options.log.warn({ supernode: owner.name, why }, 'the owner of a blob does not take it');
        continue;
      }
      throw new LinkFailure('lying', `supernode ${owner.name} sends on what another sent to it`);
    }
  }

  /**
   * The link to a replica that another named. It is known here under a name, and there by its address: a second session of one daemon would end
   * the first, and be ended by it.
   */
  private ownerAt(owner: Owner): SupernodeLink {
    const { name, process } = owner;
    const known = process === undefined ? undefined : [...this.links.values()].find((link) => link.process === process);
    if (known !== undefined) return known.used;
    const link = this.under(this.configured.find(({ host, port }) => `${host}:${port}` === name) ?? owner);
    // Where another has taken over, it leads to another process.
    if (process !== undefined) link.standAlone();
    return link.used;
  }

  private at(address: SupernodeAddress): SupernodeLink {
    return this.under(address).used;
  }

  /** The link under an address, whether or not another has taken over. */
  private under({ host, port }: SupernodeAddress): SupernodeLink {
    const name = formatAddress(host, port);
    const known = this.links.get(name);
    if (known !== undefined) return known;
    const link: SupernodeLink = new SupernodeLink({
      ...this.options,
      address: { host, port },
      isConfigured: this.configured.some((each) => formatAddress(each.host, each.port) === name),
      nextSession: () => (this.sessions += 1),
      opened: () => this.opened(link),
      openTo: (process) => this.openTo(process)[0],
      pulses: this.pulses,
    });
    this.links.set(name, link);
    return link;
  }

  /** A session is open. Where another was open to the same process, which ends the older, the one that was configured stays, or the one that was there first. */
  private opened(link: SupernodeLink): void {
    const process = link.keepsOpenTo;
    if (process === undefined) return;
    const same = this.openTo(process);
    const kept = same.find(({ isConfigured }) => isConfigured) ?? same[0];
    if (kept === undefined) return;
    kept.standAlone();
    for (const other of same) if (other !== kept) other.yieldTo(kept, process);
    this.seekThoseLeftAlone();
  }

  /** The links whose session is open to a process of a supernode. */
  private openTo(process: string): SupernodeLink[] {
    return [...this.links.values()].filter(({ keepsOpenTo }) => keepsOpenTo === process);
  }

  /** What is under a configured address now hears nothing of what is here when the link that had taken over leads elsewhere. */
  private seekThoseLeftAlone(): void {
    for (const link of this.links.values()) {
      if (!link.isConfigured || !link.isLeftAlone) continue;
      link.standAlone();
      link.keepInTouch();
    }
  }
}

/** All names under which supernodes may know it. */
function namesOf({ host, name, port }: Owner, link: SupernodeLink): string[] {
  return [link.name, formatAddress(host, port), ...(name === undefined ? [] : [name])];
}

/** Whether nobody listens there, or who does is stopped. */
function isDead(error: unknown): boolean {
  if (error instanceof LinkFailure && error.kind === 'hung') return true;
  const { cause } = error as Error;
  return cause instanceof Error && (cause as NodeJS.ErrnoException).code === 'ECONNREFUSED';
}
