import { MAX_LATER } from '@cdk8s-dragonfly/protocol';

/** What a registration costs until it is known, and at most, in ms: a pause of the process in its middle is no cost. */
const FIRST_COST = 1;
const MOST_COST = 5;

/** The work around what is measured of one: HTTP before, and what is written to sessions after. */
const AROUND = 2;

/** How much of what one costs is learned from the last. */
const LEARNS = 0.05;

/** Registrations that come at once are taken in as they come, as long as the last of them need not wait for longer than this, in ms. */
const WAITS = 1000;

/**
 * When a registration is taken in: now, or later. A herd of thousands that begins in one second would wait for many; each would ask meanwhile
 * whether the supernode lives, which costs as much again. So each is told when it is its turn, one after the other as fast as they can be taken
 * in, and has that turn when it comes again. Pure, but for what it remembers.
 */
export class Admission {
  private freeAt = 0;
  private cost = FIRST_COST;

  /**
   * In how many ms a registration is to come again; 0: it is taken in now.
   *
   * @param now in ms, of a clock that does not jump.
   * @param queued for how many ms it has waited here already: so long is the way to us at present.
   */
  wait(now: number, queued: number): number {
    const begin = Math.max(now, this.freeAt);
    // What one has waited here says nothing of the others: its body may have come slowly.
    this.freeAt = Math.min(begin + this.cost, now + MAX_LATER);
    const wait = Math.max(begin - now, queued);
    return wait <= WAITS ? 0 : Math.min(Math.ceil(wait), MAX_LATER);
  }

  /** One was taken in. @param ms for how long it was worked on. */
  took(ms: number): void {
    this.cost += LEARNS * (Math.min(AROUND * ms, MOST_COST) - this.cost);
  }
}
