/** A step up is kept when more bytes went out by this factor, a step down when no fewer did than by this one. */
const WORTH_MORE = 1.1;
const NO_LESS = 0.97;

/** How far a step goes; the first ones, up to one that was not worth it, go farther: a herd waits for a way that is wide and empty. */
const STEP = 1.5;
const FIRST_STEP = 2;

/** A measurement takes at least so long, in milliseconds, and as many blocks as are sent at a time. */
const SHORTEST = 50;

/** So many measurements pass before the next step is tried, after one that was not worth it. */
const REST = 2;
const LONGEST_REST = 8;

/**
 * How many blocks are sent at a time: as few as fill the way. Each more takes bytes from the others, and all of them arrive later, which in a
 * swarm keeps everybody waiting; too few leave a way unused that is long, or wider than those of the receivers. What is right is found by
 * trying: while others wait, a step up or down is kept when the bytes that went out say so. Pure, but for what it remembers.
 */
export class Concurrency {
  private current: number;
  private since: number | undefined;
  private bytes = 0;
  private blocks = 0;
  /** Bytes a millisecond before the step that is being tried. */
  private before = 0;
  private from: number | undefined;
  private rest = 0;
  private pause = REST;
  private upNext = true;
  /** Whether no step was in vain yet. */
  private isBeginning = true;

  /** @param least it begins with that. @param most it never goes above. */
  constructor(
    private readonly least: number,
    private readonly most: number,
  ) {
    this.current = Math.min(least, most);
  }

  get limit(): number {
    return this.current;
  }

  /**
   * A block has gone out.
   *
   * @param waited whether others wait for their turn: else the limit limits nothing, and nothing is learned.
   * @param now in milliseconds, of a clock that does not jump.
   */
  sent(bytes: number, waited: boolean, now: number): void {
    if (!waited) {
      this.since = undefined;
      return;
    }
    if (this.since === undefined) {
      this.begin(now);
      return;
    }
    this.bytes += bytes;
    this.blocks += 1;
    const ms = now - this.since;
    // Those that were sent before a step down go on for a while.
    if (this.blocks < Math.max(this.current, this.from ?? 0) || ms < SHORTEST) return;
    this.learn(this.bytes / ms);
    this.begin(now);
  }

  private begin(now: number): void {
    this.since = now;
    this.bytes = 0;
    this.blocks = 0;
  }

  private learn(rate: number): void {
    if (this.from === undefined) {
      this.rest -= 1;
      if (this.rest <= 0) this.step(rate);
      return;
    }
    const wentUp = this.current > this.from;
    if (rate >= this.before * (wentUp ? WORTH_MORE : NO_LESS)) {
      this.pause = REST;
      this.from = undefined;
      this.upNext = wentUp;
      this.step(rate);
      return;
    }
    this.isBeginning = false;
    this.current = this.from;
    this.from = undefined;
    this.upNext = !wentUp;
    this.rest = this.pause;
    this.pause = Math.min(LONGEST_REST, 2 * this.pause);
  }

  private step(rate: number): void {
    const up = Math.min(this.most, Math.ceil(this.current * (this.isBeginning ? FIRST_STEP : STEP)));
    const down = Math.max(Math.min(this.least, this.most), Math.floor(this.current / STEP));
    const next = this.upNext ? up : down;
    if (next === this.current) {
      this.upNext = !this.upNext;
      this.rest = this.pause;
      return;
    }
    this.before = rate;
    this.from = this.current;
    this.current = next;
  }
}
