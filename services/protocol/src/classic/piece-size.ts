import { isPieceSize } from '../grid';

/** Bytes that framing adds to a piece: a header of 4 and a tail of 1 (Dragonfly 0.x protocol, 3.1). */
export const FRAME_OVERHEAD = 5;

const MIB = 1024 * 1024;
const SMALLEST = 4 * MIB;
const LARGEST = 15 * MIB;

/**
 * The size of a full framed piece for a file of `length` raw bytes, or of unknown length (Dragonfly 0.x protocol, 3.1).
 *
 * @throws RangeError when `length` is not a whole number of bytes
 */
export function pieceSizeOf(length: number | undefined): number {
  if (length === undefined) return SMALLEST;
  checkLength(length);
  if (length <= 200 * MIB) return SMALLEST;
  return Math.min(LARGEST, (Math.floor(length / (100 * MIB)) - 2) * MIB + SMALLEST);
}

/**
 * How many pieces a file of `length` raw bytes has; an empty file has one.
 *
 * @throws RangeError when `length` is not a whole number of bytes or `pieceSize` no piece size
 */
export function pieceCount(length: number, pieceSize: number): number {
  checkLength(length);
  checkPieceSize(pieceSize);
  return length === 0 ? 1 : Math.ceil(length / (pieceSize - FRAME_OVERHEAD));
}

/**
 * The length of the framed file, as `fileLength` of a 600 answer tells it.
 *
 * @throws RangeError as {@link pieceCount}
 */
export function framedLength(length: number, pieceSize: number): number {
  return length + FRAME_OVERHEAD * pieceCount(length, pieceSize);
}

/**
 * The raw length behind a framed one: the reverse of {@link framedLength}; undefined when no file has this framed length.
 *
 * @throws RangeError when `framed` is not a whole number of bytes or `pieceSize` no piece size
 */
export function rawLengthOf(framed: number, pieceSize: number): number | undefined {
  checkLength(framed);
  checkPieceSize(pieceSize);
  const raw = framed - FRAME_OVERHEAD * Math.ceil(framed / pieceSize);
  return framed > 0 && raw >= 0 && framedLength(raw, pieceSize) === framed ? raw : undefined;
}

/** @throws RangeError when `pieceSize` is not a whole number of MiB from 1 to 15 */
export function checkPieceSize(pieceSize: number): void {
  if (!isPieceSize(pieceSize)) {
    throw new RangeError(
      `The piece size ${pieceSize} does not fit the frame header: give a whole number of MiB from 1 to 15, in bytes.`,
    );
  }
}

function checkLength(length: number): void {
  if (!Number.isSafeInteger(length) || length < 0) {
    throw new RangeError(`The length ${length} is not a whole number of bytes: give 0 or more.`);
  }
}
