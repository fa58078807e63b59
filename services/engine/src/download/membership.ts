import { setTimeout as delay } from 'node:timers/promises';

import type { OriginalPlace } from '../classic/original-supernode';
import { linkFailure } from '../links/failure';
import type { LinkFailure } from '../links/failure';
import type { Joined } from '../links/registration';
import type { SupernodeLink } from '../links/supernode-link';
import type { SessionListener } from '../links/supernode-session';
import type { Intake } from './intake';
import type { DownloadTools } from './tools';

/** How often a lost supernode is looked for, in milliseconds. */
const SEEK_EVERY = 1000;

/** What is done in a swarm, once a supernode has taken us in. */
export interface Member extends SessionListener {
  /** A supernode has taken us in. */
  joined(joined: Joined): void;
  /** An original supernode has: there blocks come as pieces, and not from here. */
  joinedOriginal(place: OriginalPlace): void;
}

/** A download's place at a supernode: taken, lost, and looked for again until the download has ended. */
export class Membership {
  private link: SupernodeLink | undefined;
  private readonly left = signalling();
  private hasLeft = false;
  private seeking = false;
  private rejoining = false;
  private losses = 0;
  private hasResumed = false;
  /** Whether none took us in at the last try, and whether one was there and silent; since when that is so. */
  private refused: { readonly isSilent: boolean; readonly since: number } | undefined;

  constructor(
    private readonly intake: Intake,
    private readonly tools: Pick<DownloadTools, 'clock' | 'log' | 'supernodes' | 'timeouts'>,
    private readonly member: Member,
  ) {}

  /** How often the supernode was lost: what one said before that is no longer true of the one that is there now. */
  get lostTimes(): number {
    return this.losses;
  }

  /** Whether we said, when we registered last, that we may have blocks. */
  get resumes(): boolean {
    return this.hasResumed;
  }

  /** Whether none took us in at the last try. */
  get isRefused(): boolean {
    return this.refused !== undefined;
  }

  /** Whether the try is under way that decides if the swarm is lost. */
  get isRejoining(): boolean {
    return this.rejoining;
  }

  /** Whether one is there and silent, and has not been so for long. */
  get isSilentOfLate(): boolean {
    const { refused } = this;
    if (refused?.isSilent !== true) return false;
    const { clock, supernodes, timeouts } = this.tools;
    return clock.now - (supernodes.silentSince ?? refused.since) < timeouts.busy;
  }

  /** Whether nothing more is wanted of it. Another may have taken its place when a block turned out to be damaged. */
  get isOver(): boolean {
    return this.hasLeft || this.intake.finished();
  }

  /** Joins the swarm at a supernode; tells whether one took us in. @param passOver names of supernodes that are not asked. */
  async join(passOver?: ReadonlySet<string>): Promise<boolean> {
    const { blob } = this.intake.request;
    const { link: before, losses } = this;
    try {
      const resumes = this.losses > 0 || (this.intake.stored()?.held.count ?? 0) > 0;
      this.hasResumed = resumes;
      const at = await this.tools.supernodes.join({ ...this.intake.request, resumes }, this.member, passOver);
      this.refused = undefined;
      if ('place' in at) {
        if (!this.isOver) this.member.joinedOriginal(at.place);
        return true;
      }
      const { link, joined } = at;
      if (this.isOver) {
        link.leave(blob, this.member);
        return true;
      }
      if (this.losses !== losses && this.link !== before && this.link !== link) {
        // Another has taken us in meanwhile.
        link.leave(blob, this.member, this.link);
        return true;
      }
      // One that is in the swarm and registers again may be taken in by another: the first has nothing more to say.
      if (this.link !== link) this.link?.leave(blob, this.member, link);
      this.link = link;
      // Lost while it took us in: what it said in between was not heard, and would be waited for.
      if (this.losses !== losses) return false;
      this.member.joined(joined);
      return true;
    } catch (error) {
      const isSilent = linkFailure(error, 'the supernode').kind === 'silent';
      this.refused = { isSilent, since: this.refused?.since ?? this.tools.clock.now };
      this.tools.log.debug({ blob, err: error }, 'no swarm');
      return false;
    }
  }

  /** Joins as soon as a supernode takes us in, which it did not when it was asked first. */
  keepSeeking(): void {
    this.seek({ decides: false, after: SEEK_EVERY });
  }

  /** The supernode is gone: another is looked for, or the same when it is back. */
  lost(reason: LinkFailure): void {
    this.losses += 1;
    const isSilent = reason.kind === 'silent';
    if (isSilent) this.refused ??= { isSilent, since: this.tools.clock.now };
    // A silent one has had its time: what is needed next is not to wait for another try.
    this.seek({ decides: !isSilent, after: 0 });
  }

  /** Tells the supernode that a neighbour is of no use. */
  reportGone(cid: string): void {
    void this.link?.report({ blob: this.intake.request.blob, peers: [cid] });
  }

  /** Nothing more is wanted. */
  leave(): void {
    this.hasLeft = true;
    this.left.resolve();
    this.link?.leave(this.intake.request.blob, this.member);
  }

  /** @param how whether the first try decides if the swarm is lost, and after how many milliseconds it comes. */
  private seek(how: { readonly decides: boolean; readonly after: number }): void {
    if (this.seeking) return;
    this.seeking = true;
    this.rejoining = how.decides;
    this.seekSupernode(how.after)
      .catch((error: unknown) => this.intake.fail(error))
      .finally(() => {
        this.seeking = false;
      });
  }

  /** Joins again at whichever supernode answers: another replica at once, the same one when it is back. */
  private async seekSupernode(after: number): Promise<void> {
    for (let wait = after; ; wait = SEEK_EVERY) {
      this.link?.leave(this.intake.request.blob, this.member);
      // Ends early, with nothing to tell, when the download has ended.
      if (wait > 0) await Promise.race([delay(wait, undefined, { ref: false }), this.left.promise]);
      if (this.isOver) return;
      const joined = await this.join();
      this.rejoining = false;
      if (joined) return;
    }
  }
}

function signalling(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
