import { setTimeout as pause } from 'node:timers/promises';

export interface Patience {
  readonly limitMs: number;
  /** Says why waiting on makes no sense, once that is so. */
  readonly hopeless?: () => string | undefined;
}

/**
 * Asks again and again until there is an answer.
 *
 * @param what completes the sentence "waited in vain for …"
 * @param probe returns undefined, or throws, while it is too early
 * @throws Error with the last error of the probe as its cause, when the limit is over or there is no hope
 */
export async function eventually<T>(
  what: string,
  patience: Patience,
  probe: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const deadline = Date.now() + patience.limitMs;
  let cause: unknown;
  for (;;) {
    try {
      const answer = await probe();
      if (answer !== undefined) return answer;
    } catch (error) {
      cause = error;
    }
    const reason = patience.hopeless?.() ?? (Date.now() > deadline ? `${patience.limitMs} ms have passed` : undefined);
    if (reason !== undefined) throw new Error(`Waited in vain for ${what}: ${reason}.`, { cause });
    await pause(25);
  }
}
