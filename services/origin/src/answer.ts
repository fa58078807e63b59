import type { SentRange } from './content-range';
import { byteCount, parseSentRange, parseUnsatisfiedRange } from './content-range';
import type { Incoming } from './exchange';
import type { HeaderLine } from './header-lines';
import { valueOf } from './header-lines';
import { OriginError } from './origin-error';
import { adviceOnStatus } from './proxies';
import { retryAfterMs } from './retry-after';

/** What the head of a successful answer says. */
export interface AnswerHead {
  readonly status: 200 | 206;
  /** The length of the whole resource in bytes; undefined when the origin does not tell it. */
  readonly size: number | undefined;
  /** The resource's byte that the answer's body begins with. */
  readonly start: number;
  /** How many bytes the body announces; undefined when it does not. */
  readonly length: number | undefined;
  /** Whether the origin can go on from the middle: it did, or it says so. */
  readonly acceptsRanges: boolean;
  readonly etag?: string | undefined;
  /** As the origin wrote it. */
  readonly lastModified?: string | undefined;
  readonly contentType?: string | undefined;
}

/** What was asked for. */
export interface AskedRange {
  readonly from: number;
  /** The byte after the last; undefined: the end of the resource. */
  readonly end: number | undefined;
  /** Whether the request had a Range at all. */
  readonly ranged: boolean;
}

/** Statuses that may be different a little later (RFC 9110, 15; RFC 6585, 4; RFC 8470, 5.2). */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** The error that an answer other than 200 and 206 is. */
export function statusError(incoming: Incoming, origin: string, now: number): OriginError {
  const { status, headers } = incoming;
  return new OriginError('status', `Origin ${origin} answered with status ${status}${adviceOnStatus(status)}.`, {
    status,
    challenge: valueOf(headers, 'www-authenticate'),
    retryAfterMs: retryAfterMs(valueOf(headers, 'retry-after'), now),
    size: status === 416 ? parseUnsatisfiedRange(valueOf(headers, 'content-range')) : undefined,
    retryable: PASSING.has(status),
  });
}

function contentLength(headers: readonly HeaderLine[], origin: string): number | undefined {
  const text = valueOf(headers, 'content-length');
  const length = byteCount(text);
  if (text !== undefined && length === undefined) {
    throw new OriginError('protocol', `Origin ${origin} sent a Content-Length that is no number of bytes.`);
  }
  return length;
}

/**
 * Reads the head of a 200 or 206 answer to a request.
 *
 * @throws OriginError `protocol` when the body is encoded, or is not the range that was asked for.
 */
export function readHead(incoming: Incoming, asked: AskedRange, origin: string): AnswerHead {
  const { headers } = incoming;
  const coding = valueOf(headers, 'content-encoding') ?? 'identity';
  if (coding.toLowerCase() !== 'identity') {
    throw new OriginError(
      'protocol',
      `Origin ${origin} encoded the body although identity was asked for (Content-Encoding: ${coding.slice(0, 40)}).`,
    );
  }
  const length = contentLength(headers, origin);
  const common = {
    etag: valueOf(headers, 'etag'),
    lastModified: valueOf(headers, 'last-modified'),
    contentType: valueOf(headers, 'content-type'),
  };
  if (incoming.status === 200) {
    const says = valueOf(headers, 'accept-ranges')?.toLowerCase() === 'bytes';
    return { ...common, status: 200, size: length, start: 0, length, acceptsRanges: says && !asked.ranged };
  }
  const range = parseSentRange(valueOf(headers, 'content-range'));
  if (!asked.ranged || range === undefined || !fits(range, asked, length)) {
    throw new OriginError('protocol', `Origin ${origin} answered with status 206 but not with the range asked for.`);
  }
  return {
    ...common,
    status: 206,
    size: range.size,
    start: asked.from,
    length: range.end - range.from,
    acceptsRanges: true,
  };
}

/** A server may give less than was asked for, but from the first byte (RFC 9110, 14.2). */
function fits(range: SentRange, asked: AskedRange, length: number | undefined): boolean {
  return (
    range.from === asked.from &&
    (asked.end === undefined || range.end <= asked.end) &&
    (length === undefined || length === range.end - range.from)
  );
}
