import { OriginError } from './origin-error';

/** Which part of a body is wanted. */
export interface Part {
  /** How many bytes to leave out at the beginning. */
  readonly skip: number;
  /** How many bytes to give after that; undefined: all. */
  readonly take: number | undefined;
  /** `host:port` for messages. */
  readonly origin: string;
}

/**
 * A part of a body. The rest of it is not read.
 *
 * @throws OriginError `protocol` when the body ends within what is left out.
 */
export async function* slice(chunks: AsyncIterable<Buffer>, part: Part): AsyncGenerator<Buffer, void, undefined> {
  const { skip, take = Number.POSITIVE_INFINITY } = part;
  let at = 0;
  for await (const chunk of chunks) {
    const begin = Math.max(0, skip - at);
    const end = Math.min(chunk.length, skip + take - at);
    at += chunk.length;
    if (begin < end) {
      yield begin === 0 && end === chunk.length ? chunk : chunk.subarray(begin, end);
    }
    if (at >= skip + take) {
      return;
    }
  }
  if (at < skip) {
    throw new OriginError('protocol', `Origin ${part.origin} has only ${at} bytes, but byte ${skip} was asked for.`);
  }
}
