import { BlockSet } from '@cdk8s-dragonfly/protocol';

/** A share is one of 64 at most: so many steps make it the whole blob. */
const STEPS = 6;

/** How long a block has to be there before the first of them, in steps. */
const FIRST = 2;

/**
 * Which blocks the supernode has had for how long: what nobody has brought into the swarm for long is in more and more shares, since the link or the
 * machine of who should take it may be slow, or gone. It looks once a step, and keeps what there was then. It is of one blob: when that begins anew, what
 * was there before says nothing.
 */
export class Overdue {
  /** What there was at each look, the newest first. */
  private readonly looks: BlockSet[] = [];
  private lookedAt = -Infinity;
  private step = 0;

  /**
   * To be called often; time in which it is not called does not count.
   *
   * @param has what the supernode has. @param step how long a step takes, in milliseconds.
   * @returns what it has had for at least {@link FIRST} steps, for one step more, and so on.
   */
  look(now: number, has: BlockSet, step: number): readonly BlockSet[] {
    this.step = step;
    if (now - this.lookedAt >= step) {
      this.lookedAt = now;
      this.looks.unshift(copyOf(has));
      this.looks.length = Math.min(this.looks.length, FIRST + STEPS);
    }
    return this.looks.slice(FIRST);
  }

  /** When more may be overdue than at the last call, if steps stay as long as they were then. */
  get nextLook(): number {
    return this.lookedAt + this.step;
  }
}

function copyOf(has: BlockSet): BlockSet {
  const copy = new BlockSet();
  copy.addAll(has);
  return copy;
}
