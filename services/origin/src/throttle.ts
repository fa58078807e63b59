import { setTimeout as delay } from 'node:timers/promises';

/** Waits shorter than this are saved up, in ms: timers are no finer. */
const SHORTEST_WAIT = 4;

/** What a throttle knows of time, in milliseconds. */
export interface ThrottleClock {
  now(): number;
  /** @throws when the signal aborts. */
  wait(ms: number, signal: AbortSignal): Promise<unknown>;
}

const REAL: ThrottleClock = {
  now: () => performance.now(),
  wait: (ms, signal) => delay(ms, undefined, { signal }),
};

/**
 * Lets so many bytes a second pass, all who ask together, first come, first served: a token bucket. In any time no more pass than the rate
 * allows and the bucket holds.
 */
export class Throttle {
  /** When the bytes that were let pass have had their time. */
  private free = -Infinity;

  /**
   * @param rate bytes a second, above 0
   * @param burst bytes that may pass at once after a pause. Default 0
   * @throws RangeError for a rate that lets nothing pass.
   */
  constructor(
    private readonly rate: number,
    private readonly burst = 0,
    private readonly clock: ThrottleClock = REAL,
  ) {
    if (!(rate > 0)) throw new RangeError(`a rate of ${rate} bytes a second lets nothing pass; give one above 0`);
  }

  /**
   * Resolves when `bytes` more may have passed.
   *
   * @throws the reason of `signal` when it aborts; the bytes count as not passed then.
   */
  async pass(bytes: number, signal: AbortSignal): Promise<void> {
    const now = this.clock.now();
    const time = (bytes / this.rate) * 1000;
    const saved = (this.burst / this.rate) * 1000;
    this.free = Math.max(this.free, now - saved) + time;
    const wait = this.free - now;
    if (wait < SHORTEST_WAIT) return;
    try {
      await this.clock.wait(wait, signal);
    } catch (error) {
      this.giveBack(bytes);
      signal.throwIfAborted();
      throw error;
    }
  }

  /** `bytes` that were let pass did not pass: they are there for others. */
  giveBack(bytes: number): void {
    this.free -= (bytes / this.rate) * 1000;
  }
}
