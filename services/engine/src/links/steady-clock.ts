/** How often the clock looks whether this process runs, in milliseconds, and how much of the time between two looks counts at most. */
const STEP = 50;
const COUNTS = 2 * STEP;

/**
 * A monotonic clock, in milliseconds, that goes slower while this process is short of CPU: so a starved node does not take its own pauses for
 * the silence of others.
 */
export class SteadyClock {
  private counted = 0;
  private looked: number;
  private readonly timer: NodeJS.Timeout;

  /** @param real the clock that it follows. Default: `performance.now()`. */
  constructor(private readonly real: () => number = () => performance.now()) {
    this.looked = real();
    this.timer = setInterval(() => this.look(), STEP);
    this.timer.unref();
  }

  get now(): number {
    return this.counted + Math.min(COUNTS, this.real() - this.looked);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const real = this.real();
    this.counted += Math.min(COUNTS, real - this.looked);
    this.looked = real;
  }
}
