/** Which bytes of a blob an answer holds: `from` inclusive, `end` exclusive. */
export interface ByteRange {
  readonly from: number;
  readonly end: number;
}

/**
 * Reads a Range header of one range (RFC 9110, 14.2). Several ranges, other units and bad syntax are ignored, as the RFC allows.
 *
 * @returns undefined to answer with the whole, `unsatisfiable` to answer 416
 */
export function parseByteRange(header: string | undefined, size: number): ByteRange | undefined | 'unsatisfiable' {
  const match = /^bytes=(\d*)-(\d*)$/i.exec(header?.trim() ?? '');
  const [first = '', last = ''] = match?.slice(1) ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { from: size - length, end: size };
  }
  const from = Number(first);
  const end = last === '' ? size : Math.min(Number(last) + 1, size);
  if (last !== '' && Number(last) < from) return undefined;
  return from >= size ? 'unsatisfiable' : { from, end };
}
