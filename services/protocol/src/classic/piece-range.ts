import { frameHeader, frameTail, FRAME_HEADER_LENGTH } from './frame';
import { checkPieceSize, framedLength, FRAME_OVERHEAD } from './piece-size';
import { isPieceSize } from '../grid';

/** A piece as the `range` of the control API names it. */
export interface PieceRange {
  readonly pieceNum: number;
  /** The framed size of a full piece in bytes: the span of the range. */
  readonly pieceSize: number;
}

/**
 * Reads `<start>-<end>` of the control API, always the range of a full framed piece: the number is start / span (Dragonfly 0.x
 * protocol, 2.4). Undefined when it is malformed, its span no piece size or its start not at a piece. Total.
 */
export function parsePieceRange(text: string): PieceRange | undefined {
  const [, first, last] = /^(\d{1,15})-(\d{1,15})$/.exec(text) ?? [];
  const start = Number(first);
  const pieceSize = Number(last) - start + 1;
  if (!isPieceSize(pieceSize) || start % pieceSize !== 0) return undefined;
  return { pieceNum: start / pieceSize, pieceSize };
}

/** The reverse of {@link parsePieceRange}. */
export function formatPieceRange({ pieceNum, pieceSize }: PieceRange): string {
  return `${pieceNum * pieceSize}-${(pieceNum + 1) * pieceSize - 1}`;
}

/** A run of bytes of the framed file: framing to send as it is, or raw content to read. */
export type FramedPart =
  | { readonly kind: 'framing'; readonly bytes: Buffer }
  /** The raw bytes `from` (inclusive) to `end` (exclusive). */
  | { readonly kind: 'content'; readonly from: number; readonly end: number };

/** How a file looks to original clients. */
export interface FramedFile {
  /** The framed size of a full piece in bytes. */
  readonly pieceSize: number;
  /** The raw length in bytes; undefined while it is unknown: then only full pieces may be asked for. */
  readonly length: number | undefined;
}

/**
 * What the framed bytes `from` (inclusive) to `end` (exclusive) consist of, clipped at the end of the file: so raw content can be
 * served to clients that know framed files only (Dragonfly 0.x protocol, 3.1 and 3.3). Bytes that lie behind the end give nothing.
 *
 * @throws RangeError when the piece size is none, or the range no range of whole numbers
 */
export function framedParts({ pieceSize, length }: FramedFile, from: number, end: number): FramedPart[] {
  checkPieceSize(pieceSize);
  if (!Number.isSafeInteger(from) || from < 0 || !Number.isSafeInteger(end) || end < from) {
    throw new RangeError(`The framed range ${from} to ${end} is none: give whole numbers with 0 <= from <= end.`);
  }
  const limit = length === undefined ? end : Math.min(end, framedLength(length, pieceSize));
  const parts: FramedPart[] = [];
  for (let position = from; position < limit;) {
    const pieceNum = Math.floor(position / pieceSize);
    parts.push(...partsOfPiece(pieceNum, { pieceSize, length }, position, limit));
    position = (pieceNum + 1) * pieceSize;
  }
  return parts;
}

function partsOfPiece(pieceNum: number, { pieceSize, length }: FramedFile, from: number, end: number): FramedPart[] {
  const capacity = pieceSize - FRAME_OVERHEAD;
  const rawStart = pieceNum * capacity;
  const rawLength = length === undefined ? capacity : Math.min(capacity, length - rawStart);
  const start = pieceNum * pieceSize;
  const content = start + FRAME_HEADER_LENGTH;
  const tail = content + rawLength;
  const clip = (low: number, high: number): readonly [number, number] => [Math.max(from, low), Math.min(end, high)];

  const parts: FramedPart[] = [];
  const [headFrom, headEnd] = clip(start, content);
  if (headFrom < headEnd) {
    const bytes = frameHeader(rawLength, pieceSize).subarray(headFrom - start, headEnd - start);
    parts.push({ kind: 'framing', bytes });
  }
  const [rawFrom, rawEnd] = clip(content, tail);
  if (rawFrom < rawEnd) {
    parts.push({ kind: 'content', from: rawStart + rawFrom - content, end: rawStart + rawEnd - content });
  }
  if (tail < end) parts.push({ kind: 'framing', bytes: frameTail() });
  return parts;
}
