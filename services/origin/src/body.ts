import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { BodyTap } from './body-tap';
import type { ReadMemory, TappedBody } from './body-tap';
import { failureOf } from './failure';
import { OriginError } from './origin-error';

/** What a body has to keep to. */
export interface BodyTerms {
  /** `host:port` for messages. */
  readonly origin: string;
  /** How many bytes the answer announced; undefined when it did not. */
  readonly length: number | undefined;
  /** How long it may send nothing, in milliseconds; the reader's own time does not count. */
  readonly stallTimeout: number;
  readonly signal: AbortSignal;
  /** For the bytes of a long body. Default: new memory. */
  readonly memory?: ReadMemory | undefined;
}

const NEW_MEMORY: ReadMemory = { take: (length) => Buffer.allocUnsafeSlow(length) };

/** A body of which so many bytes are to come is read past Node's client, for the price of its connection. */
const LONG = 4 * 1024 * 1024;

/** The most that is read of a body that nobody wants, to keep its connection. */
const DISCARDED_BYTES = 16 * 1024;
/** The longest that such a body is waited for, in milliseconds. */
const DISCARDING_TIME = 250;

/**
 * The chunks of a body, once, and none beyond the announced length. Leaving the iteration early closes the connection.
 *
 * @throws OriginError `stalled`, `truncated` or `protocol`; the reason of the signal when it aborts.
 */
export async function* bodyChunks(stream: IncomingMessage, terms: BodyTerms): AsyncGenerator<Buffer, void, undefined> {
  const { origin, length, stallTimeout, signal } = terms;
  const stalled = (): void => {
    const text = `Origin ${origin} sent nothing for ${stallTimeout} ms in the middle of the body.`;
    stream.destroy(new OriginError('stalled', text, { retryable: true }));
  };
  let received = 0;
  let timer: NodeJS.Timeout | undefined;
  try {
    const chunks = tappedChunks(stream, terms) ?? stream.iterator({ destroyOnReturn: true });
    for (;;) {
      timer = setTimeout(stalled, stallTimeout);
      const next = (await chunks.next()) as IteratorResult<Buffer, undefined>;
      clearTimeout(timer);
      if (next.done === true) {
        break;
      }
      received += next.value.length;
      // Node counts by Content-Length alone: of chunks nobody else compares how many were announced by Content-Range.
      if (length !== undefined && received > length) {
        throw new OriginError('protocol', `Origin ${origin} sent more than the ${length} announced bytes.`);
      }
      yield next.value;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw failureOf(error, origin, 'body');
  } finally {
    clearTimeout(timer);
    cutOff(stream);
  }
  if (length !== undefined && received < length) {
    const text = `Origin ${origin} sent ${received} of ${length} announced bytes.`;
    throw new OriginError('truncated', text, { retryable: true });
  }
}

/** The chunks of a long body, read past Node's client; undefined when it is short, or its bytes are not all there is on the wire. */
function tappedChunks(
  stream: IncomingMessage,
  { length = 0, memory = NEW_MEMORY }: BodyTerms,
): AsyncIterator<Buffer, undefined> | undefined {
  const tap = BodyTap.of(stream.socket);
  // Nothing was read of it yet: what came with its head waits in the stream.
  const isLong = length - stream.readableLength >= LONG;
  if (tap === undefined || !isLong || stream.headers['transfer-encoding'] !== undefined) return undefined;
  return partsOf(stream, tap.take(memory), length);
}

async function* partsOf(
  stream: IncomingMessage,
  body: TappedBody,
  length: number,
): AsyncGenerator<Buffer, undefined, undefined> {
  stream.on('error', (error) => body.end(error)).once('close', () => body.end());
  let rest = length;
  let part = (stream.read() as Buffer | null) ?? (await body.next());
  while (part !== undefined) {
    const wanted = part.subarray(0, rest);
    rest -= wanted.length;
    yield wanted;
    if (rest === 0) return undefined;
    part = await body.next();
  }
  return undefined;
}

/** Closes the connection of a body. Whoever iterates the body learns of it there; nobody else needs to. */
export function cutOff(stream: Readable): void {
  stream.on('error', () => undefined).destroy();
}

/** Gets rid of a body. A short one is read, so that its connection can be used again; a long one is cut off. */
export async function discard(stream: Readable): Promise<void> {
  await new Promise<void>((resolve) => {
    let received = 0;
    const timer = setTimeout(() => stream.destroy(), DISCARDING_TIME);
    stream
      .on('error', () => stream.destroy())
      .once('close', () => {
        clearTimeout(timer);
        resolve();
      })
      .on('data', (chunk: Buffer) => {
        received += chunk.length;
        if (received > DISCARDED_BYTES) {
          stream.destroy();
        }
      });
  });
}
