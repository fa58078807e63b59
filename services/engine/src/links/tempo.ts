/** A supernode is waited for so many times as long as it took lately, */
const FACTOR = 2;

/** but never longer than so many times its usual silence. */
const MOST = 5;

/** How much of the longest answer lately is left with each that is faster. */
const FADING = 0.8;

/**
 * How fast a supernode answers lately, and so how long its silence may last before it counts as lost: one that is short of CPU answers
 * late, and all its daemons at the origin at once would be worse than their waiting for it.
 */
export class Tempo {
  private longest = 0;
  private silent: number | undefined;

  /**
   * @param silence how long it may always be silent, in milliseconds.
   * @param now a monotonic clock, in milliseconds.
   */
  constructor(
    private readonly silence: number,
    private readonly now: () => number,
  ) {}

  /** How long it may be silent, in milliseconds. */
  get patience(): number {
    return Math.min(Math.max(this.silence, FACTOR * this.longest), MOST * this.silence);
  }

  /** Since when nothing has come from it, of that clock; undefined: it answered the last time, or was never asked. */
  get silentSince(): number | undefined {
    return this.silent;
  }

  /** It answered. @param ms how long that took, also when nobody waited for it any more. */
  answered(ms: number): void {
    this.longest = Math.max(ms, FADING * this.longest);
    this.silent = undefined;
  }

  /** Nothing came in `ms`. */
  wasSilent(ms: number): void {
    this.silent ??= this.now() - ms;
  }

  /** Nobody listens there: that is no silence. */
  isGone(): void {
    this.silent = undefined;
  }
}
