/** Bytes of framing around a piece of the original protocol: 4 before, 1 behind (Dragonfly 0.x protocol, 3.1). */
const FRAMING = 5;

const MIB = 1024 * 1024;

/** The unit that our daemons move, verify and announce, in bytes. */
export const BLOCK_SIZE = MIB;

/** The unit within the first piece: small, so that the first byte comes early. */
export const FIRST_PIECE_BLOCK_SIZE = 256 * 1024;

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
  private readonly blocksInPiece: number;

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
    this.blocksInPiece = pieceSize / BLOCK_SIZE;
  }

  /** How many blocks a blob of `size` bytes has. An empty blob has none. */
  blockCount(size: number): number {
    return size === 0 ? 0 : this.blockAt(size - 1) + 1;
  }

  /** The number of the block that holds the byte at raw offset `offset`. */
  blockAt(offset: number): number {
    const piece = Math.floor(offset / this.pieceLength);
    const within = offset - piece * this.pieceLength;
    return piece === 0
      ? Math.floor(within / FIRST_PIECE_BLOCK_SIZE)
      : this.firstBlockOfPiece(piece) + Math.floor(within / BLOCK_SIZE);
  }

  /** Where block `index` lies, whatever the length of the blob. */
  span(index: number): BlockSpan {
    if (index < this.blocksInFirstPiece) {
      const offset = index * FIRST_PIECE_BLOCK_SIZE;
      return { offset, length: Math.min(FIRST_PIECE_BLOCK_SIZE, this.pieceLength - offset) };
    }
    const beyond = index - this.blocksInFirstPiece;
    const piece = 1 + Math.floor(beyond / this.blocksInPiece);
    const within = (beyond % this.blocksInPiece) * BLOCK_SIZE;
    return {
      offset: piece * this.pieceLength + within,
      length: Math.min(BLOCK_SIZE, this.pieceLength - within),
    };
  }

  /** Length in bytes of block `index` in a blob of `size` bytes; a blob of unknown size has full blocks only. */
  blockLength(index: number, size: number | undefined): number {
    const { offset, length } = this.span(index);
    return size === undefined ? length : Math.max(0, Math.min(length, size - offset));
  }

  /** The piece that block `index` belongs to. */
  pieceOfBlock(index: number): number {
    return index < this.blocksInFirstPiece ? 0 : 1 + Math.floor((index - this.blocksInFirstPiece) / this.blocksInPiece);
  }

  /** The blocks of piece `piece`: from `first` up to and without `end`, in a blob of `size` bytes. */
  blocksOfPiece(piece: number, size: number): { readonly first: number; readonly end: number } {
    const first = this.firstBlockOfPiece(piece);
    return { first, end: Math.min(this.firstBlockOfPiece(piece + 1), Math.max(first, this.blockCount(size))) };
  }

  private firstBlockOfPiece(piece: number): number {
    return piece === 0 ? 0 : this.blocksInFirstPiece + (piece - 1) * this.blocksInPiece;
  }
}

/** Whether a full framed piece may have this many bytes (Dragonfly 0.x protocol, 3.1). */
export function isPieceSize(pieceSize: number): boolean {
  return Number.isInteger(pieceSize) && pieceSize % MIB === 0 && pieceSize >= MIB && pieceSize <= 15 * MIB;
}
