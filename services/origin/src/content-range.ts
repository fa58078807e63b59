/** `Content-Range` of a 206 answer (RFC 9110, 14.4). */
export interface SentRange {
  /** The first byte. */
  readonly from: number;
  /** The byte after the last. */
  readonly end: number;
  /** The length of the whole resource; undefined when the server does not know it. */
  readonly size: number | undefined;
}

/** A number of bytes as header fields write it; undefined when it is none, or too large to count with. */
export function byteCount(text: string | undefined): number | undefined {
  const value = text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : undefined;
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Reads the `Content-Range` of a 206 answer; undefined when it is absent, malformed, or contradicts itself. */
export function parseSentRange(text: string | undefined): SentRange | undefined {
  const match = /^bytes +(\d+)-(\d+)\/(\d+|\*)$/i.exec(text ?? '');
  const from = byteCount(match?.[1]);
  const last = byteCount(match?.[2]);
  const size = byteCount(match?.[3]);
  if (from === undefined || last === undefined || last < from || (size === undefined && match?.[3] !== '*')) {
    return undefined;
  }
  return size !== undefined && last >= size ? undefined : { from, end: last + 1, size };
}

/** The length of the whole resource that a 416 answer's `Content-Range` tells; undefined when it does not. */
export function parseUnsatisfiedRange(text: string | undefined): number | undefined {
  return byteCount(/^bytes +\*\/(\d+)$/i.exec(text ?? '')?.[1]);
}
