import { setTimeout as delay } from 'node:timers/promises';

/** How long the generator sleeps between looks at the schedule, in ms. */
const STEP = 1;

/** A load whose requests are due at fixed times, whatever became of those before. */
export interface OpenLoop {
  /** Requests a second. */
  readonly rate: number;
  /** In seconds. */
  readonly seconds: number;
  /** Begins request `number`, which was due at `due` (as `performance.now()` counts). */
  readonly begin: (number: number, due: number) => void;
}

/** Begins all requests of the schedule, none before it is due; resolves when the last has begun. Late ones are begun at once. */
export async function openLoop({ rate, seconds, begin }: OpenLoop): Promise<void> {
  const start = performance.now();
  const count = Math.round(rate * seconds);
  for (let number = 0; number < count;) {
    const end = Math.min(count, Math.ceil(((performance.now() - start) / 1000) * rate));
    for (; number < end; number += 1) begin(number, start + (number / rate) * 1000);
    await delay(STEP);
  }
}
