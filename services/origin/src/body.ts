import type { Readable } from 'node:stream';
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
}

/** The most that is read of a body that nobody wants, to keep its connection. */
const DISCARDED_BYTES = 16 * 1024;
/** The longest that such a body is waited for, in milliseconds. */
const DISCARDING_TIME = 250;

/**
 * The chunks of a body, once. Leaving the iteration early closes the connection.
 *
 * @throws OriginError `stalled`, `truncated` or `protocol`; the reason of the signal when it aborts.
 */
export async function* bodyChunks(stream: Readable, terms: BodyTerms): AsyncGenerator<Buffer, void, undefined> {
  const { origin, length, stallTimeout, signal } = terms;
  const stalled = (): void => {
    const text = `Origin ${origin} sent nothing for ${stallTimeout} ms in the middle of the body.`;
    stream.destroy(new OriginError('stalled', text, { retryable: true }));
  };
  let received = 0;
  let timer: NodeJS.Timeout | undefined;
  try {
    const chunks = stream.iterator({ destroyOnReturn: true });
    for (;;) {
      timer = setTimeout(stalled, stallTimeout);
      const next = (await chunks.next()) as IteratorResult<Buffer, undefined>;
      clearTimeout(timer);
      if (next.done === true) {
        break;
      }
      received += next.value.length;
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
