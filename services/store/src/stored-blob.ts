import { rename } from 'node:fs/promises';

import { BlockSet, Grid } from '@cdk8s-dragonfly/protocol';
import type { BlobId, Edition } from '@cdk8s-dragonfly/protocol';

import { bytesOnDisk } from './blob-files';
import type { OpenFiles } from './blob-handles';
import type { BlobOwner } from './blob-owner';
import type { BlockProofs } from './block-proofs';
import { BlockReads } from './block-reads';
import type { BlockProof } from './block-table';
import { writeAt } from './data-file';
import { giveFurtherName } from './further-name';
import type { LentBlock } from './lent-block';
import { isUnbroken, resealed, seal } from './seal';
import type { Seal } from './seal';
import { syncFolderOf } from './sync-folder';
import { asUnstorable } from './unstorable';

/** A blob in the store: whole, or while it arrives. Readers, writers and servers of one process share one object. */
export class StoredBlob {
  private static made = 0;
  readonly grid: Grid;
  /** The blocks that are on disk and may be read. */
  readonly held = new BlockSet();
  private readonly reads: BlockReads;
  private readonly writing = new Map<number, Promise<void>>();
  private changed = false;
  /** Whether a block was damaged, or a write failed: what is on disk then is checked anew at the next opening. */
  private isSuspect = false;
  private removed = false;
  private readonly proofs: BlockProofs;
  private underFinalName: boolean;
  private finishing: Promise<void> | undefined;
  private readonly watchers = new Set<(index: number) => void>();
  /** Its number among those that this process has opened. */
  readonly id = (StoredBlob.made += 1);
  private length: number | undefined;
  private version: Edition | undefined;
  private changes = 0;

  constructor(
    readonly blob: BlobId,
    private readonly files: OpenFiles,
    private readonly owner: BlobOwner,
    /** What this process left of it, to which nobody has written since. */
    private readonly sealed?: Seal,
  ) {
    const { head, proofs, final } = files;
    this.proofs = proofs;
    this.underFinalName = final;
    this.grid = new Grid(head.pieceSize);
    this.length = head.size;
    this.version = head.edition;
    for (const index of proofs.blocks()) this.held.add(index);
    this.reads = new BlockReads(this, files, owner, sealed?.unchecked ?? BlockSet.of(this.held));
  }

  /** Length in bytes; undefined while the end is not known. */
  get size(): number | undefined {
    return this.length;
  }

  /**
   * Another number whenever it has become another: blocks came or went, or its length or edition was told. For those who look now and then, whom a
   * count of blocks would not tell of one that came while one went.
   */
  get revision(): number {
    return this.changes;
  }

  /** Whether every block is here. Says nothing of the digest of the whole: see {@link finished}. */
  get whole(): boolean {
    return this.length !== undefined && this.held.count === this.grid.blockCount(this.length);
  }

  /** Whether the blob is whole and {@link finish} has confirmed its digest. */
  get finished(): boolean {
    return this.underFinalName && this.whole;
  }

  /** Whether a read is under way. */
  get isBeingRead(): boolean {
    return this.reads.areUnderWay;
  }

  /** Whether something was written since it was opened. */
  get isChanged(): boolean {
    return this.changed;
  }

  /**
   * Says how long the blob is. Has no effect when it is known.
   *
   * @throws Unstorable when it does not fit on this disk.
   */
  async setSize(size: number): Promise<void> {
    if (this.length !== undefined) return;
    this.length = size;
    this.changes += 1;
    await this.changing(async () => {
      await this.owner.room.reserveWhole(this.grid, size);
      await this.writeHead();
    });
  }

  /** Which version of what stands at its URL this is; undefined for a blob that is named by its digest, and while nobody knows. */
  get edition(): Edition | undefined {
    return this.version;
  }

  /**
   * Says which version this is. On disk, what its origin said of it is left out when the head has no room for it.
   *
   * @throws Unstorable when the disk cannot take it.
   */
  async setEdition(edition: Edition): Promise<void> {
    this.version = edition;
    this.changes += 1;
    await this.changing(() => this.writeHead());
  }

  private async writeHead(): Promise<void> {
    const { blob, grid, length: size, version: edition } = this;
    await this.files.table.writeHead({ blob, pieceSize: grid.pieceSize, size, edition });
  }

  /**
   * Keeps room for all that is missing.
   *
   * @throws Unstorable when there is none; nothing was written then.
   */
  async reserve(): Promise<void> {
    const { length } = this;
    if (length === undefined || this.whole) return;
    await this.changing(() => this.owner.room.reserveWhole(this.grid, length));
  }

  /** The proof of a block that is held. */
  proofOf(index: number): BlockProof | undefined {
    return this.held.has(index) ? this.proofs.get(index) : undefined;
  }

  /**
   * Writes a block whose bytes the caller has checked against `proof`. They belong to the store from then on, if this call wrote them. A block that is here already, or being written by
   * somebody else, is not written again.
   *
   * @returns whether this call wrote it.
   * @throws Unstorable when the disk cannot take it; nothing of the block is held then.
   */
  async write(index: number, chunks: readonly Buffer[], proof: BlockProof): Promise<boolean> {
    if (this.held.has(index)) return false;
    const other = this.writing.get(index);
    if (other !== undefined) {
      await other;
      return false;
    }
    const mine = this.changing(() => this.writeBlock(index, chunks, proof));
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
   * The bytes of a held block; they belong to others too, and must not be changed.
   *
   * @throws DamagedBlock when they are not what was written; the block is then no longer held.
   */
  async read(index: number): Promise<Buffer> {
    return this.reads.read(index);
  }

  /**
   * As {@link read}, whatever is still in memory.
   *
   * @throws DamagedBlock as {@link read}.
   */
  async readFromDisk(index: number): Promise<Buffer> {
    return this.reads.fromDisk(index);
  }

  /**
   * The bytes of a held block for a while: cheaper than {@link read}, as their memory is used again.
   *
   * @throws DamagedBlock as {@link read}.
   */
  async lend(index: number): Promise<LentBlock> {
    return this.reads.lend(index);
  }

  /** A block has turned out to be damaged: it is no longer held, and may be written anew. */
  drop(index: number): void {
    this.isSuspect = true;
    this.owner.recent.forget(this.id, index);
    if (this.held.delete(index)) this.changes += 1;
  }

  /** Calls `watcher` with the number of each block from now on, as soon as it is held; returns what ends that. */
  watch(watcher: (index: number) => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /**
   * Gives the whole blob, whose digest the caller has confirmed, its final name. Safe on disk when this resolves.
   *
   * @throws Unstorable when the disk fails at the last moment.
   */
  async finish(): Promise<void> {
    if (this.underFinalName) return;
    this.finishing ??= this.makeFinal().finally(() => (this.finishing = undefined));
    await this.finishing;
  }

  private async makeFinal(): Promise<void> {
    if (!this.whole) throw new Error(`${this.blob} is not whole and cannot be finished`);
    if (this.removed) throw new Error(`${this.blob} was removed from the store and cannot be finished`);
    await this.changing(async () => {
      await this.files.data.datasync();
      await this.files.table.sync();
      await rename(this.files.paths.part, this.files.paths.data);
      await syncFolderOf(this.files.paths.data);
      this.owner.room.settle(await this.diskUsage());
    });
    this.underFinalName = true;
    this.owner.finished();
    // What arrives is passed on at once; what is asked for later is so rarely the same that memory is not the place for it.
    this.owner.recent.forget(this.id);
  }

  /**
   * Gives the data of a finished blob a further name; on another file system, or one without links, a copy gets it.
   *
   * @param path must not exist.
   * @throws Error with the system's `code`.
   */
  async nameData(path: string): Promise<void> {
    await giveFurtherName(this.files.paths.data, path);
  }

  /**
   * What is here was written by an earlier process, and the supernode may know other content by this name since: its blocks are used, but
   * keep no attestation, so that no neighbour gets them.
   */
  disown(): void {
    this.proofs.dropSignatures();
  }

  /** How many bytes are held. */
  get heldBytes(): number {
    let bytes = 0;
    for (const index of this.held) bytes += this.grid.blockLength(index, this.length);
    return bytes;
  }

  /**
   * A user says that it would let the blob go: when room is needed and all users have said so, the blob is removed as soon as nobody
   * has read it for a moment, and `taken` is called; it must not be used or released by that user from then on.
   */
  yieldTo(taken: () => void): void {
    this.owner.yieldTo(taken);
  }

  /**
   * To be called once by everyone who got it from the store.
   *
   * @param taken what this user gave to {@link yieldTo}, if it did.
   */
  async release(taken?: () => void): Promise<void> {
    await this.owner.release(taken);
  }

  /** What its files take on disk, in bytes. */
  async diskUsage(): Promise<number> {
    const [data, table] = await Promise.all([this.files.data.stat(), this.files.table.facts()]);
    return bytesOnDisk(data) + bytesOnDisk(table);
  }

  /**
   * Keeps the time of its last use on disk, when `used`, and seals its files, which nobody uses any more. Only the store calls it.
   *
   * @returns undefined when they cannot be sealed, or are suspect.
   */
  async leave(used: boolean): Promise<Seal | undefined> {
    const { files, sealed } = this;
    const isAsBefore = sealed !== undefined && !this.changed && (await isUnbroken(sealed, files));
    if (used) await files.table.touch();
    if (this.isSuspect) return undefined;
    if (isAsBefore) return resealed(sealed, files);
    // What others wrote to it meanwhile, nobody has checked.
    return sealed === undefined || this.changed ? seal(files, this.reads.unchecked) : undefined;
  }

  /** Its files have no names any more. Only the store calls it. */
  markRemoved(): void {
    this.removed = true;
  }

  /** Closes the files. Only the store calls it, when the last user is gone. */
  async close(): Promise<void> {
    this.owner.recent.forget(this.id);
    await this.files.data.close();
    await this.files.table.close();
  }

  /** Changes the files; what the disk refuses becomes Unstorable. */
  private async changing(change: () => Promise<void>): Promise<void> {
    const fault = this.owner.fault();
    if (fault !== undefined) throw fault;
    this.changed = true;
    try {
      await change();
    } catch (error) {
      this.isSuspect = true;
      throw asUnstorable(this.blob, error);
    }
  }

  private async writeBlock(index: number, chunks: readonly Buffer[], proof: BlockProof): Promise<void> {
    const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    const ended = await this.owner.room.beginBlock(length, this.grid, this.length);
    try {
      await writeAt(this.files.data, chunks, this.grid.span(index).offset);
      await this.files.table.append(index, proof);
    } finally {
      ended();
    }
    this.reads.unchecked.delete(index);
    this.proofs.set(index, proof);
    this.held.add(index);
    this.changes += 1;
    const [block, ...others] = chunks;
    if (block !== undefined && others.length === 0) this.owner.recent.add(this.id, index, block);
    else this.owner.recent.forget(this.id, index);
  }
}
