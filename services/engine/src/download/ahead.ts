import type { BlockSet } from '@cdk8s-dragonfly/protocol';

/** The block that is arriving at the supernode, and the one after it: what it gives next is asked for before the last has come. */
const AHEAD = 2;

/** A supernode that refused so many in a row has never heard of this. */
const MOST_REFUSALS = 8;

/**
 * The blocks that the supernode does not have and that the origin gives it next, in order. Asked for ahead they are passed on as they arrive, and
 * a node that has nobody else to ask is not later than without a supernode.
 */
export class Ahead {
  private refusals = 0;
  private isPaused = false;

  /** The supernode gave one. */
  gave(): void {
    this.refusals = 0;
  }

  /** It would not give one: it is not asked ahead again until it has said something. */
  refused(): void {
    this.refusals += 1;
    this.isPaused = true;
  }

  /** The supernode has said something of the blob. */
  heard(): void {
    this.isPaused = false;
  }

  /**
   * @param has what the supernode has.
   * @param held what is here.
   * @param end how many blocks the blob has.
   */
  blocks(has: BlockSet, held: BlockSet, end: number): readonly number[] {
    if (this.isPaused || this.refusals >= MOST_REFUSALS) return [];
    let first = has.firstMissing();
    // What has come from it is news to us before it says so.
    while (held.has(first)) first = has.firstMissing(held.firstMissing(first));
    return Array.from({ length: AHEAD }, (_, place) => first + place).filter((block) => block < end);
  }
}
