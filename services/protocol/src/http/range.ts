/** What to answer to a request with a `Range` header. */
export type RangeOutcome =
  /** No range, or one that is to be ignored: 200 with everything. */
  | { readonly kind: 'whole' }
  /** 206 with the bytes `from` (inclusive) to `end` (exclusive); never empty. */
  | { readonly kind: 'part'; readonly from: number; readonly end: number; readonly contentRange: string }
  /** 416 without content. */
  | { readonly kind: 'unsatisfiable'; readonly contentRange: string };

const WHOLE: RangeOutcome = { kind: 'whole' };
const BYTES = /^bytes=(.*)$/is;
const FROM_TO = /^(\d+)-(\d*)$/;
const SUFFIX = /^-(\d+)$/;

/**
 * Reads `Range: bytes=…` for a representation of `size` bytes (RFC 9110, 14.1.2 and 14.2). Total. An end beyond the last byte is
 * clipped. Ignored, as the RFC allows: malformed headers, other units, several ranges at once, and any range of a representation
 * whose size is not known yet. A suffix of an empty representation is ignored too, since no `Content-Range` could name it.
 *
 * @param header the value of the header; undefined when there is none
 * @param size in bytes; undefined when unknown
 */
export function parseRange(header: string | undefined, size: number | undefined): RangeOutcome {
  if (header === undefined || size === undefined) return WHOLE;
  const specs = (BYTES.exec(header.trim())?.[1] ?? '')
    .split(',')
    .map((spec) => spec.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((spec) => spec !== '');
  const [spec] = specs;
  if (spec === undefined || specs.length > 1) return WHOLE;

  const suffix = SUFFIX.exec(spec)?.[1];
  if (suffix !== undefined) {
    const length = Number(suffix);
    if (length === 0) return unsatisfiable(size);
    return size === 0 ? WHOLE : part(Math.max(0, size - length), size, size);
  }

  const [, first, last] = FROM_TO.exec(spec) ?? [];
  if (first === undefined || last === undefined) return WHOLE;
  const from = Number(first);
  const lastByte = last === '' ? Infinity : Number(last);
  if (lastByte < from) return WHOLE;
  return from >= size ? unsatisfiable(size) : part(from, Math.min(size, lastByte + 1), size);
}

function part(from: number, end: number, size: number): RangeOutcome {
  return { kind: 'part', from, end, contentRange: `bytes ${from}-${end - 1}/${size}` };
}

function unsatisfiable(size: number): RangeOutcome {
  return { kind: 'unsatisfiable', contentRange: `bytes */${size}` };
}
