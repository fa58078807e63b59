/** How often the clock looks whether this process runs, in milliseconds, and how much of the time between two looks counts at most. */
const STEP = 50;
const COUNTS = 2 * STEP;

/** How often those are called who look at something themselves, in milliseconds. */
const TICK = 100;

/**
 * A monotonic clock, in milliseconds, that goes slower while this process is short of CPU: so a starved node does not take its own pauses for
 * the silence of others.
 */
export class SteadyClock {
  private counted = 0;
  private looked: number;
  private ticked: number;
  private readonly ticking = new Set<() => void>();
  private readonly timer: NodeJS.Timeout;

  /** @param real the clock that it follows. Default: `performance.now()`. */
  constructor(private readonly real: () => number = () => performance.now()) {
    this.looked = real();
    this.ticked = this.looked;
    this.timer = setInterval(() => this.look(), STEP);
    this.timer.unref();
  }

  get now(): number {
    return this.counted + Math.min(COUNTS, this.real() - this.looked);
  }

  /**
   * Calls `take` every 100 milliseconds, and keeps the process alive until that ends. All are called at once: a timer for each would wake the process
   * as often as there are.
   *
   * @returns ends it.
   */
  every(take: () => void): () => void {
    // One that is given twice is called twice.
    const call = (): void => take();
    this.ticking.add(call);
    this.timer.ref();
    return () => {
      this.ticking.delete(call);
      if (this.ticking.size === 0) this.timer.unref();
    };
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const real = this.real();
    this.counted += Math.min(COUNTS, real - this.looked);
    this.looked = real;
    // By the time that has passed, and not by the looks: a process that is short of CPU looks seldom.
    if (real - this.ticked < TICK - STEP / 2) return;
    this.ticked = real;
    for (const call of this.ticking) call();
  }
}
