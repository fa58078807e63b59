import type { OriginAnswer, OriginClient } from './origin-client';
import type { Throttle } from './throttle';

/** Something that asks origins. */
export type Origin = Pick<OriginClient, 'open'>;

/** What is done with each part of a body that has come, before the next is read. */
export type OnBytes = (length: number, signal: AbortSignal) => Promise<void> | undefined;

/** An origin whose bodies are watched, or held back, as they are read. Bytes that came only to be passed over count. */
export function watchedOrigin(origin: Origin, onBytes: OnBytes): Origin {
  return {
    open: async (request, signal) => {
      const answer = await origin.open(request, signal);
      return { ...answer, discard: () => answer.discard(), body: watched(answer, signal, onBytes) };
    },
  };
}

/** An origin that gives no more than the throttle lets pass. */
export function limitedOrigin(origin: Origin, throttle: Throttle): Origin {
  return watchedOrigin(origin, (length, signal) => throttle.pass(length, signal));
}

async function* watched(answer: OriginAnswer, signal: AbortSignal, onBytes: OnBytes): AsyncGenerator<Buffer> {
  // Asked to go on from the middle, this origin began anew.
  let passedOver = answer.status === 200 ? answer.from : 0;
  for await (const chunk of answer.body) {
    const waiting = onBytes(chunk.length + passedOver, signal);
    if (waiting !== undefined) await waiting;
    passedOver = 0;
    yield chunk;
  }
}
