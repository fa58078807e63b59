import { setTimeout as delay } from 'node:timers/promises';

/** Waits shorter than this are saved up, in ms: timers are no finer. */
const SHORTEST_WAIT = 4;

/** Lets so many bytes a second pass, all who ask together, first come, first served. */
export class Throttle {
  /** When the bytes that were let pass have had their time. */
  private free = -Infinity;

  /** @param rate bytes a second, above 0 */
  constructor(private readonly rate: number) {
    if (!(rate > 0)) throw new RangeError(`a rate of ${rate} bytes a second lets nothing pass; give one above 0`);
  }

  /** Resolves when `bytes` more may have passed. @throws the reason of `signal` when it aborts. */
  async pass(bytes: number, signal: AbortSignal): Promise<void> {
    const now = performance.now();
    this.free = Math.max(this.free, now) + (bytes / this.rate) * 1000;
    const wait = this.free - now;
    if (wait < SHORTEST_WAIT) return;
    try {
      await delay(wait, undefined, { signal });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  }
}
