import { fetchFrom } from './fetch-from';
import type { OriginClient, OriginRequest } from './origin-client';

/** Reads a small document as a whole. @throws OriginError; Error when it is longer than `most` bytes; the signal's reason. */
export async function readWhole(
  origin: Pick<OriginClient, 'open'>,
  request: OriginRequest,
  most: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const answer = await fetchFrom(origin, request, { signal });
  const tooLong = (): Error => new Error(`it is longer than ${most} bytes`);
  if (answer.size !== undefined && answer.size > most) {
    answer.discard();
    throw tooLong();
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer.body) {
    length += chunk.length;
    if (length > most) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
