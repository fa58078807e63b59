import type { Backoff } from './backoff';
import { DEFAULT_BACKOFF, delayAfter } from './backoff';
import type { OriginAnswer, OriginClient, OriginRequest } from './origin-client';
import { OriginError } from './origin-error';
import type { Validators } from './validators';
import { checkSame, strongEtag } from './validators';

/** How {@link fetchFrom} goes on after failures. */
export interface FetchOptions {
  /** The first byte wanted. Default 0. */
  readonly from?: number | undefined;
  /** The byte after the last one wanted. Default: the end of the resource. */
  readonly end?: number | undefined;
  readonly signal: AbortSignal;
  /** Fruitless tries in a row after which to give up, 1 or more; a byte received begins the count again. Default 4. */
  readonly attempts?: number | undefined;
  /** Default {@link DEFAULT_BACKOFF}. */
  readonly backoff?: Backoff | undefined;
  /** The longest `Retry-After` that is waited for, in milliseconds; a longer one gives up. Default 30000. */
  readonly longestRetryAfter?: number | undefined;
  /**
   * The URL names the content's digest, which the reader checks: copies with different entity tags count as the same, only the
   * length must agree. Default false.
   */
  readonly byDigest?: boolean | undefined;
  /** The strong entity tag of what is here up to `from`: of another version the first answer is the whole (RFC 9110, 13.1.5). Default: none is known. */
  readonly ifRange?: string | undefined;
}

/** A resource that arrives, over as many answers as it takes. */
export interface OriginFetch {
  /** Of the first answer. The length of the whole resource in bytes; undefined when the origin does not tell it. */
  readonly size: number | undefined;
  readonly from: number;
  readonly acceptsRanges: boolean;
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
  readonly contentType?: string | undefined;
  readonly finalHost: string;
  /**
   * The bytes from `from` to the wanted end, each once and in order; to be iterated once.
   *
   * @throws OriginError: `changed` when the resource is no longer the one that was begun, else what the last try failed with;
   * the signal's reason when it aborts.
   */
  readonly body: AsyncIterable<Buffer>;
  /** Closes the connection of a body that will not be iterated. */
  discard(): void;
}

/** Counts fruitless tries and waits between them. */
class Patience {
  #failures = 0;

  constructor(private readonly options: FetchOptions) {}

  progress(): void {
    this.#failures = 0;
  }

  /** Waits before the next try, or throws the error when there is none. */
  async after(error: unknown): Promise<void> {
    const { signal, attempts = 4, backoff = DEFAULT_BACKOFF, longestRetryAfter = 30_000 } = this.options;
    signal.throwIfAborted();
    this.#failures += 1;
    if (!(error instanceof OriginError) || !error.retryable || this.#failures >= attempts) {
      throw error;
    }
    const asked = error.retryAfterMs ?? 0;
    if (asked > longestRetryAfter) {
      throw error;
    }
    await backoff.wait(Math.max(asked, delayAfter(this.#failures, backoff)), signal);
  }
}

/**
 * Fetches a resource and goes on where a transfer broke: by Range where the origin has it, else by reading again from the beginning and
 * leaving out what was had. Failures that may pass are tried again after a growing wait.
 * Resolves with the head of the first answer.
 *
 * @throws OriginError of the last try; the signal's reason when it aborts.
 */
export async function fetchFrom(
  client: Pick<OriginClient, 'open'>,
  request: Omit<OriginRequest, 'from' | 'end' | 'ifRange'>,
  options: FetchOptions,
): Promise<OriginFetch> {
  const { from = 0, end, signal } = options;
  const patience = new Patience(options);
  for (;;) {
    try {
      const first = await client.open(
        { ...request, from, end, ifRange: from > 0 ? options.ifRange : undefined },
        signal,
      );
      return { ...first, body: rest(client, request, options, first, patience) };
    } catch (error) {
      await patience.after(error);
    }
  }
}

async function* rest(
  client: Pick<OriginClient, 'open'>,
  request: Omit<OriginRequest, 'from' | 'end' | 'ifRange'>,
  options: FetchOptions,
  first: OriginAnswer,
  patience: Patience,
): AsyncGenerator<Buffer, void, undefined> {
  const { end = Infinity, signal, byDigest = false } = options;
  const begun: Validators = { size: first.size, etag: first.etag, lastModified: first.lastModified };
  const ifRange = byDigest ? undefined : strongEtag(first.etag);
  let { size } = first;
  let answer: OriginAnswer | undefined = first;
  let at = first.from;
  /** Whether the last body was a part, and came whole. */
  let isBehindPart = false;
  for (;;) {
    try {
      if (answer === undefined) {
        answer = await client.open(
          { ...request, unless: undefined, from: at, end: options.end, ifRange: at > 0 ? ifRange : undefined },
          signal,
        );
        if (answer !== first) {
          checkAndRelease(begun, answer, byDigest);
        }
        size ??= answer.size;
      }
      isBehindPart = false;
      for await (const chunk of answer.body) {
        // A copy that is read again from its beginning may not say how long it is, and never end.
        if (size !== undefined && at + chunk.length > size) {
          const text = `The resource at origin ${answer.finalHost} changed during the download: it had ${size} bytes and now has more.`;
          throw new OriginError('changed', text);
        }
        patience.progress();
        at += chunk.length;
        yield chunk;
      }
      // Of unknown length, only the whole ends where its body does; behind a part there may be another.
      if (at === Math.min(size ?? Infinity, end) || (size === undefined && answer.status === 200)) {
        return;
      }
      if (size !== undefined) checkEnd(answer, at, size);
      isBehindPart = true;
    } catch (error) {
      if (at === end) return;
      if (error instanceof OriginError && error.status === 416 && at > first.from) {
        // Where a body broke off, an origin that tells no length may refuse any range.
        if (error.size === at || (isBehindPart && (error.size ?? size) === undefined)) return;
      }
      await patience.after(error);
    }
    answer = undefined;
  }
}

/** A 206 may be a shorter range than asked for (RFC 9110, 14.2): the next is asked for then. Any other wrong end is an error. */
function checkEnd({ status, finalHost }: OriginAnswer, at: number, size: number): void {
  if (status === 200) {
    const text = `Origin ${finalHost} ended the body after ${at} of ${size} bytes.`;
    throw new OriginError('truncated', text, { retryable: true });
  }
}

function checkAndRelease(begun: Validators, answer: OriginAnswer, byDigest: boolean): void {
  try {
    checkSame(begun, answer, byDigest);
  } catch (error) {
    answer.discard();
    throw error;
  }
}
