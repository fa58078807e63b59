import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { rename } from 'node:fs/promises';

import { BlockSet, Grid } from '@cdk8s-dragonfly/protocol';
import type { BlobId } from '@cdk8s-dragonfly/protocol';

import type { BlockProof, BlockTable, TableHead } from './block-table';
import { syncFolderOf } from './sync-folder';

/** A block on disk does not have the hash that it was written with. */
export class DamagedBlock extends Error {
  override readonly name = 'DamagedBlock';

  constructor(blob: BlobId, index: number) {
    super(`block ${index} of ${blob} on disk does not have the hash it was written with; it is fetched anew`);
  }
}

/** The files of a blob: data under its temporary and its final name. */
export interface BlobPaths {
  readonly part: string;
  readonly data: string;
}

/** A blob in the store: whole, or while it arrives. Readers, writers and servers of one process share one object. */
export class StoredBlob {
  readonly grid: Grid;
  /** The blocks that are on disk and may be read. */
  readonly held = new BlockSet();
  /** Held blocks that an earlier process wrote: checked at their first read. */
  private readonly unchecked = new BlockSet();
  private readonly writing = new Map<number, Promise<void>>();
  private readonly watchers = new Set<(index: number) => void>();
  private length: number | undefined;

  constructor(
    readonly blob: BlobId,
    private readonly files: { readonly data: FileHandle; readonly table: BlockTable; readonly paths: BlobPaths },
    head: TableHead,
    private readonly proofs: Map<number, BlockProof>,
    private underFinalName: boolean,
    private readonly letGo: () => Promise<void>,
  ) {
    this.grid = new Grid(head.pieceSize);
    this.length = head.size;
    for (const index of proofs.keys()) {
      this.held.add(index);
      this.unchecked.add(index);
    }
  }

  /** Length in bytes; undefined while the end is not known. */
  get size(): number | undefined {
    return this.length;
  }

  /** Whether every block is here. Says nothing of the digest of the whole: see {@link finished}. */
  get whole(): boolean {
    return this.length !== undefined && this.held.count === this.grid.blockCount(this.length);
  }

  /** Whether the blob is whole and {@link finish} has confirmed its digest. */
  get finished(): boolean {
    return this.underFinalName && this.whole;
  }

  /** Says how long the blob is. Has no effect when it is known. */
  async setSize(size: number): Promise<void> {
    if (this.length !== undefined) return;
    this.length = size;
    await this.files.table.writeHead({ blob: this.blob, pieceSize: this.grid.pieceSize, size });
  }

  /** The proof of a block that is held. */
  proofOf(index: number): BlockProof | undefined {
    return this.held.has(index) ? this.proofs.get(index) : undefined;
  }

  /**
   * Writes a block whose bytes the caller has checked against `proof`. A block that is here already, or being written by
   * somebody else, is not written again.
   *
   * @returns whether this call wrote it.
   */
  async write(index: number, chunks: readonly Buffer[], proof: BlockProof): Promise<boolean> {
    if (this.held.has(index)) return false;
    const other = this.writing.get(index);
    if (other !== undefined) {
      await other;
      return false;
    }
    const mine = this.writeBlock(index, chunks, proof);
    this.writing.set(index, mine);
    try {
      await mine;
    } finally {
      this.writing.delete(index);
    }
    for (const watcher of [...this.watchers]) watcher(index);
    return true;
  }

  /**
   * The bytes of a held block.
   *
   * @throws DamagedBlock when they are not what was written; the block is then no longer held.
   */
  async read(index: number): Promise<Buffer> {
    const { offset } = this.grid.span(index);
    const bytes = Buffer.allocUnsafe(this.grid.blockLength(index, this.length));
    let done = 0;
    while (done < bytes.length) {
      const { bytesRead } = await this.files.data.read(bytes, done, bytes.length - done, offset + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    if (done < bytes.length || (this.unchecked.has(index) && !this.check(index, bytes))) {
      this.held.delete(index);
      throw new DamagedBlock(this.blob, index);
    }
    return bytes;
  }

  /** Calls `watcher` with the number of each block from now on, as soon as it is held; returns what ends that. */
  watch(watcher: (index: number) => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /** Gives the whole blob, whose digest the caller has confirmed, its final name. Safe on disk when this resolves. */
  async finish(): Promise<void> {
    if (this.underFinalName) return;
    if (!this.whole) throw new Error(`${this.blob} is not whole and cannot be finished`);
    await this.files.data.datasync();
    await this.files.table.sync();
    await rename(this.files.paths.part, this.files.paths.data);
    await syncFolderOf(this.files.paths.data);
    this.underFinalName = true;
  }

  /** To be called once by everyone who got it from the store. */
  async release(): Promise<void> {
    await this.letGo();
  }

  /** Closes the files. Only the store calls it, when the last user is gone. */
  async close(): Promise<void> {
    await this.files.data.close();
    await this.files.table.close();
  }

  private check(index: number, bytes: Buffer): boolean {
    const proof = this.proofs.get(index);
    if (proof === undefined || !createHash('sha256').update(bytes).digest().equals(proof.hash)) return false;
    this.unchecked.delete(index);
    return true;
  }

  private async writeBlock(index: number, chunks: readonly Buffer[], proof: BlockProof): Promise<void> {
    let position = this.grid.span(index).offset;
    let rest = [...chunks];
    while (rest.length > 0) {
      const { bytesWritten } = await this.files.data.writev(rest, position);
      position += bytesWritten;
      rest = behind(rest, bytesWritten);
    }
    await this.files.table.append(index, proof);
    this.unchecked.delete(index);
    this.proofs.set(index, proof);
    this.held.add(index);
  }
}

/** What is left of `chunks` behind their first `bytes` bytes. */
function behind(chunks: readonly Buffer[], bytes: number): Buffer[] {
  let skip = bytes;
  const rest: Buffer[] = [];
  for (const chunk of chunks) {
    if (skip >= chunk.length) skip -= chunk.length;
    else {
      rest.push(skip === 0 ? chunk : chunk.subarray(skip));
      skip = 0;
    }
  }
  return rest;
}
