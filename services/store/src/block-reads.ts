import { createHash } from 'node:crypto';

import type { BlobId, BlockSet, Grid } from '@cdk8s-dragonfly/protocol';

import type { OpenFiles } from './blob-handles';
import type { BlobOwner } from './blob-owner';
import { DamagedBlock } from './damaged-block';
import { readAt } from './data-file';
import { lent } from './lent-block';
import type { LentBlock } from './lent-block';

/** The blob whose blocks are read. */
export interface ReadBlob {
  /** Its number among those of this process, by which blocks in memory are known. */
  readonly id: number;
  readonly grid: Grid;
  /** Length in bytes; undefined while the end is not known. */
  readonly size: number | undefined;
  readonly blob: BlobId;
  /** A block is not what was written. */
  drop(index: number): void;
}

/** Reads of blocks that are held: from memory while they are there, else from disk, where what others may have written is checked first. */
export class BlockReads {
  private underWay = 0;

  /** @param unchecked held blocks that may have been written by others, such as an earlier process: checked at their first read. */
  constructor(
    private readonly blob: ReadBlob,
    private readonly files: OpenFiles,
    private readonly owner: BlobOwner,
    readonly unchecked: BlockSet,
  ) {}

  /** Whether a read is under way. */
  get areUnderWay(): boolean {
    return this.underWay > 0;
  }

  /** @throws DamagedBlock when it is not what was written; the block was dropped then. */
  async read(index: number): Promise<Buffer> {
    const recent = this.owner.recent.get(this.blob.id, index);
    if (recent === undefined) return this.fromDisk(index);
    this.owner.reading();
    return recent;
  }

  /** @throws as {@link read}. */
  async fromDisk(index: number): Promise<Buffer> {
    return this.into(index, (length) => Buffer.allocUnsafe(length));
  }

  /** @throws as {@link read}. */
  async lend(index: number): Promise<LentBlock> {
    const recent = this.owner.recent.lend(this.blob.id, index);
    if (recent !== undefined) {
      this.owner.reading();
      return recent;
    }
    const { buffers } = this.owner;
    const bytes = await this.into(index, (length) => buffers.take(length));
    return lent(bytes, () => buffers.giveBack(bytes));
  }

  private async into(index: number, memory: (length: number) => Buffer): Promise<Buffer> {
    const { grid, size } = this.blob;
    this.underWay += 1;
    this.owner.reading();
    try {
      // Asked before the read: what is read while the block is written anew may still be what was damaged.
      const unchecked = this.unchecked.has(index);
      const bytes = memory(grid.blockLength(index, size));
      const isRead = await readAt(this.files.data, bytes, grid.span(index).offset);
      if (isRead && (!unchecked || this.check(index, bytes))) return bytes;
    } finally {
      this.underWay -= 1;
      this.owner.reading();
    }
    this.blob.drop(index);
    throw new DamagedBlock(this.blob.blob, index);
  }

  private check(index: number, bytes: Buffer): boolean {
    const proof = this.files.proofs.get(index);
    if (proof === undefined || !createHash('sha256').update(bytes).digest().equals(proof.hash)) return false;
    this.unchecked.delete(index);
    return true;
  }
}
