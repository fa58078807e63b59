/** Bytes of framing around a piece of the original protocol: 4 before, 1 behind (Dragonfly 0.x protocol, 3.1). */
const FRAMING = 5;

const MIB = 1024 * 1024;

/** The largest unit that our daemons move, verify and announce, in bytes. */
export const BLOCK_SIZE = MIB;

/** The unit within the first piece: small, so that the first byte comes early. */
export const FIRST_PIECE_BLOCK_SIZE = 256 * 1024;

/**
 * The unit in the next few pieces. A block is passed on when it is whole: most layers are small, and of few large blocks each would
 * be at most nodes late. Of a large blob they are a small part, which costs little.
 */
const NEXT_PIECES_BLOCK_SIZE = 512 * 1024;
const NEXT_PIECES = 8;

/** Where a block lies. Its end may lie beyond the blob's: see {@link Grid.blockLength}. */
export interface BlockSpan {
  /** Raw offset of the first byte. */
  readonly offset: number;
  /** Length in bytes of a block that is not cut short by the end of the blob. */
  readonly length: number;
}

/**
 * The one grid of a blob: pieces of `pieceSize - 5` raw bytes for original clients, and nested in them the blocks of our own
 * daemons. Offsets depend on the piece size alone, so a blob may travel before its length is known.
 */
export class Grid {
  /** Raw bytes of a full piece. */
  readonly pieceLength: number;
  private readonly blocksInFirstPiece: number;
  private readonly blocksInNextPiece: number;
  private readonly blocksInPiece: number;
  /** The first piece of large blocks, and its first block. */
  private readonly large = 1 + NEXT_PIECES;
  private readonly firstLarge: number;

  /**
   * @param pieceSize framed size of a full piece in bytes: 1 to 15 MiB, whole MiB.
   * @throws RangeError for another size.
   */
  constructor(readonly pieceSize: number) {
    if (!isPieceSize(pieceSize)) {
      throw new RangeError(`piece size ${pieceSize} is not a whole number of MiB from 1 to 15`);
    }
    this.pieceLength = pieceSize - FRAMING;
    this.blocksInFirstPiece = pieceSize / FIRST_PIECE_BLOCK_SIZE;
    this.blocksInNextPiece = pieceSize / NEXT_PIECES_BLOCK_SIZE;
    this.blocksInPiece = pieceSize / BLOCK_SIZE;
    this.firstLarge = this.blocksInFirstPiece + NEXT_PIECES * this.blocksInNextPiece;
  }

  /** How many blocks a blob of `size` bytes has. An empty blob has none. */
  blockCount(size: number): number {
    return size === 0 ? 0 : this.blockAt(size - 1) + 1;
  }

  /** The number of the block that holds the byte at raw offset `offset`. */
  blockAt(offset: number): number {
    const piece = Math.floor(offset / this.pieceLength);
    const within = offset - piece * this.pieceLength;
    return this.firstBlockOfPiece(piece) + Math.floor(within / this.blockSizeIn(piece));
  }

  /** Where block `index` lies, whatever the length of the blob. */
  span(index: number): BlockSpan {
    const piece = this.pieceOfBlock(index);
    const size = this.blockSizeIn(piece);
    const within = (index - this.firstBlockOfPiece(piece)) * size;
    return { offset: piece * this.pieceLength + within, length: Math.min(size, this.pieceLength - within) };
  }

  /** Length in bytes of block `index` in a blob of `size` bytes; a blob of unknown size has full blocks only. */
  blockLength(index: number, size: number | undefined): number {
    const { offset, length } = this.span(index);
    return size === undefined ? length : Math.max(0, Math.min(length, size - offset));
  }

  /** The piece that block `index` belongs to. */
  pieceOfBlock(index: number): number {
    if (index < this.blocksInFirstPiece) return 0;
    return index < this.firstLarge
      ? 1 + Math.floor((index - this.blocksInFirstPiece) / this.blocksInNextPiece)
      : this.large + Math.floor((index - this.firstLarge) / this.blocksInPiece);
  }

  /** The blocks of piece `piece`: from `first` up to and without `end`, in a blob of `size` bytes. */
  blocksOfPiece(piece: number, size: number): { readonly first: number; readonly end: number } {
    const first = this.firstBlockOfPiece(piece);
    return { first, end: Math.min(this.firstBlockOfPiece(piece + 1), Math.max(first, this.blockCount(size))) };
  }

  private firstBlockOfPiece(piece: number): number {
    if (piece === 0) return 0;
    return piece < this.large
      ? this.blocksInFirstPiece + (piece - 1) * this.blocksInNextPiece
      : this.firstLarge + (piece - this.large) * this.blocksInPiece;
  }

  /** Length of the blocks of a piece, its last one left out. */
  private blockSizeIn(piece: number): number {
    if (piece === 0) return FIRST_PIECE_BLOCK_SIZE;
    return piece < this.large ? NEXT_PIECES_BLOCK_SIZE : BLOCK_SIZE;
  }
}

/** Whether a full framed piece may have this many bytes (Dragonfly 0.x protocol, 3.1). */
export function isPieceSize(pieceSize: number): boolean {
  return Number.isInteger(pieceSize) && pieceSize % MIB === 0 && pieceSize >= MIB && pieceSize <= 15 * MIB;
}
