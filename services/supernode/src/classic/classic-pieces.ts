import { BlockSet, PieceMd5, pieceCount } from '@cdk8s-dragonfly/protocol';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

import { isIntact } from '../tasks/repair-blob';

/** Where a piece lies in the blob. */
interface PieceBlocks {
  readonly first: number;
  /** Behind the last block. */
  readonly end: number;
}

/**
 * A blob as the pieces of the original protocol: which of them are here whole, and their `pieceMd5`.
 * The blob stays raw on disk; frames are made when they are asked for.
 */
export class ClassicPieces {
  private readonly md5s: (string | undefined)[] = [];
  private readonly computing = new Map<number, Promise<string>>();
  /** All pieces, once every block is here. */
  private all: BlockSet | undefined;

  constructor(readonly stored: StoredBlob) {}

  /** The framed size of a full piece in bytes. */
  get pieceSize(): number {
    return this.stored.grid.pieceSize;
  }

  /** How many pieces there are; undefined while the blob's length is unknown. */
  get count(): number | undefined {
    const { size } = this.stored;
    return size === undefined ? undefined : pieceCount(size, this.pieceSize);
  }

  /** The pieces of which every byte is here. */
  held(): BlockSet {
    const { count, stored } = this;
    if (stored.whole && count !== undefined) {
      if (this.all?.count !== count) this.all = BlockSet.of(Array.from({ length: count }, (_, piece) => piece));
      return this.all;
    }
    const pieces = new BlockSet();
    const end = count ?? stored.grid.pieceOfBlock(Math.max(0, stored.held.last)) + 1;
    for (let piece = 0; piece < end; piece += 1) if (this.has(piece)) pieces.add(piece);
    return pieces;
  }

  /** Whether every byte of the piece is here. */
  has(piece: number): boolean {
    return this.isIn(this.stored.held, piece);
  }

  /** Whether these blocks of the blob make up all of the piece. */
  isIn(held: BlockSet, piece: number): boolean {
    const blocks = this.blocksOf(piece);
    if (blocks === undefined) return false;
    for (let block = blocks.first; block < blocks.end; block += 1) if (!held.has(block)) return false;
    // While the length is unknown, the last block may be shorter than it should be: it is full if another follows.
    return this.stored.size !== undefined || held.last >= blocks.end;
  }

  /**
   * The `pieceMd5` of a piece that is here, computed at the first question (Dragonfly 0.x protocol, 3.2).
   *
   * @throws DamagedBlock when the piece cannot be read any more; the next question tries again.
   */
  async md5Of(piece: number): Promise<string> {
    const known = this.md5s[piece];
    if (known !== undefined) return known;
    let md5 = this.computing.get(piece);
    if (md5 === undefined) {
      md5 = this.compute(piece);
      this.computing.set(piece, md5);
      void this.keep(piece, md5);
    }
    return md5;
  }

  /** The `pieceMd5` of a piece, if it was computed before. */
  knownMd5(piece: number): string | undefined {
    return this.md5s[piece];
  }

  /** The bytes of a piece with its frame. */
  framedLengthOf(piece: number): number {
    const { grid } = this.stored;
    return this.rawLengthOf(piece) + grid.pieceSize - grid.pieceLength;
  }

  private rawLengthOf(piece: number): number {
    const { grid, size } = this.stored;
    return Math.min(grid.pieceLength, (size ?? Infinity) - piece * grid.pieceLength);
  }

  /** Reads a piece again and compares it with the hashes it was written with: a damaged block is no longer held. */
  async check(piece: number): Promise<void> {
    const blocks = this.blocksOf(piece);
    if (blocks === undefined) return;
    const { stored } = this;
    for (let block = blocks.first; block < blocks.end; block += 1) {
      if (await isIntact(stored, block)) continue;
      this.md5s[piece] = undefined;
      this.computing.delete(piece);
    }
  }

  /** Unless the piece has turned out to be damaged meanwhile. Never rejects: whoever asked is told. */
  private async keep(piece: number, running: Promise<string>): Promise<void> {
    const md5 = await running.catch(() => undefined);
    if (this.computing.get(piece) !== running) return;
    this.computing.delete(piece);
    if (md5 !== undefined) this.md5s[piece] = md5;
  }

  private async compute(piece: number): Promise<string> {
    const { grid } = this.stored;
    const start = piece * grid.pieceLength;
    const rawLength = this.rawLengthOf(piece);
    const md5 = new PieceMd5(rawLength, grid.pieceSize);
    for await (const bytes of this.read(start, start + rawLength)) md5.update(bytes);
    return md5.digest();
  }

  /**
   * The raw bytes `from` (inclusive) to `end` (exclusive), read a block at a time.
   *
   * @throws DamagedBlock when a block cannot be read any more.
   */
  async *read(from: number, end: number): AsyncGenerator<Buffer> {
    const { grid } = this.stored;
    for (let position = from; position < end;) {
      const block = grid.blockAt(position);
      const { offset } = grid.span(block);
      const bytes = (await this.stored.read(block)).subarray(position - offset, end - offset);
      if (bytes.length === 0) throw new RangeError(`${this.stored.blob} has no byte ${position}`);
      yield bytes;
      position += bytes.length;
    }
  }

  private blocksOf(piece: number): PieceBlocks | undefined {
    const { count } = this;
    if (count !== undefined && piece >= count) return undefined;
    return this.stored.grid.blocksOfPiece(piece, this.stored.size ?? Number.MAX_SAFE_INTEGER);
  }
}
