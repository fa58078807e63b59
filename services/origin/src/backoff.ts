import { setTimeout as sleep } from 'node:timers/promises';

/** How long to wait before trying again, with chance and clock from outside. Times are in milliseconds. */
export interface Backoff {
  /** The longest first wait. Default 200. */
  readonly first: number;
  /** The longest of all waits. Default 5000. */
  readonly longest: number;
  /** A number from 0 (inclusive) to 1 (exclusive). */
  random(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** Waits that double from 0.2 s to 5 s, by the process's clock and chance. */
export const DEFAULT_BACKOFF: Backoff = {
  first: 200,
  longest: 5000,
  random: () => Math.random(),
  wait: async (ms, signal) => {
    try {
      await sleep(ms, undefined, { signal });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  },
};

/** The wait before the try after `failures` fruitless ones in a row (1 or more): doubling, between half and all of it by chance. */
export function delayAfter(failures: number, backoff: Backoff): number {
  const most = Math.min(backoff.longest, backoff.first * 2 ** (failures - 1));
  return Math.round(most * (0.5 + backoff.random() / 2));
}
