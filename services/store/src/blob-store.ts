import { statfs } from 'node:fs/promises';

import { Grid, isBlobId, isDigest } from '@cdk8s-dragonfly/protocol';
import type { BlobId } from '@cdk8s-dragonfly/protocol';

import { blobPaths, unlinkBlob } from './blob-files';
import { makeFiles, openFiles } from './blob-handles';
import type { OpenFiles } from './blob-handles';
import { BlobEntry, BlobIndex } from './blob-index';
import type { BlobOwner } from './blob-owner';
import { BlobRoom } from './blob-room';
import type { TableHead } from './block-table';
import { Evictions } from './evictions';
import { FreeSpace } from './free-space';
import { BlockBuffers } from './block-buffers';
import { RecentBlocks } from './recent-blocks';
import { scanBlobs } from './scan';
import { isUnbroken } from './seal';
import type { Seal } from './seal';
import { Space } from './space';
import { StoreFolder } from './store-folder';
import { timer } from './store-options';
import type { StoreOptions, StoreUsage } from './store-options';
import { StoredBlob } from './stored-blob';
import { Turns } from './turns';
import { asUnstorable, isBadPlace, isDiskFault } from './unstorable';

/** How often the free space is looked after when nothing is written, in milliseconds. */
const CHECK_EVERY = 1000;

/** The time of a use is written to disk at most so often, in milliseconds. */
const SAVE_USE_EVERY = 60_000;

/**
 * Blobs on disk, content-addressed: below `<home>/blobs/<kind>/<2 hex>/` a data file (`<hex>.part`, at the end `<hex>.data`) and its
 * block table (`<hex>.blocks`). What an earlier process left is found again, whole or in part. A quota bounds what they take; what was
 * not used for the longest time goes first, what has users never.
 */
export class BlobStore {
  private readonly index = new BlobIndex();
  private readonly space: Space;
  private readonly folder: StoreFolder;
  private readonly now: () => number;
  /** The last operation on each blob: opening, making, closing and removing follow one another. */
  private readonly turns = new Turns<BlobId>();
  private readonly evictions: Evictions;
  /** Memory for the blocks that are written to it and read from it. */
  readonly buffers = new BlockBuffers();
  private readonly recent = new RecentBlocks(this.buffers);
  private checking: Promise<void> | undefined;
  private stopChecking: () => void = () => undefined;

  private constructor(
    home: string,
    private readonly options: StoreOptions,
  ) {
    this.folder = new StoreFolder(home, options.log);
    this.now = options.now ?? ((): number => performance.now());
    const { quota = Infinity, minFree = 0, statfs: ask = statfs, log } = options;
    const { index, turns, now } = this;
    this.evictions = new Evictions({ index, turns, discard: (entry) => this.discard(entry), now, log });
    this.space = new Space({ quota, minFree }, new FreeSpace(() => ask(home), now), this.evictions);
  }

  /**
   * Opens the store of a folder for this process alone. A disk that cannot be written to does not stop it: what is there can be read,
   * everything else is unstorable until the disk has recovered.
   *
   * @param home the folder below which the store lives; made when missing.
   * @throws StoreInUse when another process works there; Error when the store's place is a symbolic link or a file.
   */
  static async open(home: string, options: StoreOptions = {}): Promise<BlobStore> {
    const store = new BlobStore(home, options);
    await store.folder.take();
    try {
      await store.takeStock();
      await store.check();
    } catch (error) {
      await store.folder.release();
      throw error;
    }
    store.stopChecking = (options.every ?? timer)(CHECK_EVERY, () => {
      store.checking ??= store.check().finally(() => {
        store.checking = undefined;
      });
    });
    return store;
  }

  get usage(): StoreUsage {
    return { blobs: this.index.size, bytes: this.space.bytes, evicted: this.evictions.count };
  }

  /** The blobs that are named by their digest and here whole, the one used last at the end. */
  finished(): BlobId[] {
    return this.index.finished().flatMap(({ blob }) => (isDigest(blob) ? [blob] : []));
  }

  /** The blob as far as it is here; undefined when nothing of it is. The caller must `release()` it. */
  async find(blob: BlobId): Promise<StoredBlob | undefined> {
    return this.serially(blob, async () => {
      const entry = this.index.get(blob);
      const stored = entry === undefined ? undefined : await this.load(entry);
      if (entry === undefined || stored === undefined) return undefined;
      return this.countUser(entry, stored);
    });
  }

  /**
   * The blob as far as it is here, or a new empty one with this grid and length. What is here in another shape is dropped.
   * The caller must `release()` it.
   *
   * @throws Error when it is in use in another shape; Unstorable when it cannot fit, before anything of it is written.
   */
  async create(blob: BlobId, pieceSize: number, size: number | undefined): Promise<StoredBlob> {
    const head: TableHead = { blob, pieceSize, size };
    return this.serially(blob, async () => {
      const entry = this.index.get(blob);
      const stored = entry === undefined ? undefined : await this.load(entry);
      if (entry !== undefined && stored !== undefined && fits(stored, head)) {
        this.countUser(entry, stored);
        try {
          if (size !== undefined) await stored.setSize(size);
          await stored.reserve();
        } catch (error) {
          await this.letGo(entry, stored);
          throw error;
        }
        return stored;
      }
      if (stored !== undefined && entry !== undefined && entry.users > 0) {
        throw new Error(`${blob} is in use with ${stored.size ?? 'unknown'} bytes, not ${size ?? 'unknown'}`);
      }
      await stored?.close();
      if (entry !== undefined) await this.discard(entry);
      return this.make(head);
    });
  }

  /**
   * Removes the blob from disk. Who has it open keeps what it has.
   *
   * @throws Unstorable when the disk does not let it go.
   */
  async remove(blob: BlobId): Promise<void> {
    await this.serially(blob, async () => {
      const entry = this.index.get(blob);
      if (entry !== undefined) await this.discard(entry);
    });
  }

  /** Lets other processes have the folder. */
  async stop(): Promise<void> {
    this.stopChecking();
    await this.checking;
    await this.turns.settled();
    await this.folder.release();
  }

  /** Finds what an earlier process left, as far as it can be read. */
  private async takeStock(): Promise<void> {
    const bad: { path: string; err: Error }[] = [];
    const left = await scanBlobs(this.folder.blobs, (path, err) => bad.push({ path, err }));
    for (const { blob, bytes, usedAt, final } of left) {
      const entry = new BlobEntry(blob, usedAt);
      entry.finished = final;
      this.space.settle(entry.account, bytes);
      this.index.add(entry);
    }
    if (bad.length > 0) {
      this.options.log?.warn(
        { ...bad[0], places: bad.length },
        'a part of the store is on bad places of the disk, and left out: check the file system (fsck)',
      );
    }
  }

  /** Never rejects: a disk that fails is tried again at the next check. */
  private async check(): Promise<void> {
    try {
      if (this.folder.fault !== undefined) await this.folder.take();
      if (this.folder.isFull) {
        await this.evictions.evict(1);
        await this.folder.take();
      }
      if (this.folder.fault === undefined) await this.space.check();
    } catch (error) {
      this.options.log?.warn({ err: error }, 'the room on disk could not be looked after');
    }
  }

  private countUser(entry: BlobEntry, stored: StoredBlob): StoredBlob {
    entry.users += 1;
    entry.stored = stored;
    this.index.touch(entry);
    return stored;
  }

  private async serially<Result>(blob: BlobId, work: () => Promise<Result>): Promise<Result> {
    if (!isBlobId(blob)) throw new Error(`${JSON.stringify(blob)} is not the name of a blob`);
    return this.turns.run(blob, work);
  }

  /** What is here of a blob, open; what cannot be used is removed. */
  private async load(entry: BlobEntry): Promise<StoredBlob | undefined> {
    if (entry.stored !== undefined) return entry.stored;
    const found = await this.open(entry);
    if (found === undefined) {
      await this.discard(entry);
      return undefined;
    }
    const { seal } = entry;
    try {
      const isSealed = seal !== undefined && (await isUnbroken(seal, found));
      return this.object(entry, found, { seal: isSealed ? seal : undefined });
    } catch (error) {
      await found.data.close();
      await found.table.close();
      throw error;
    }
  }

  private async open({ blob }: BlobEntry): Promise<OpenFiles | undefined> {
    try {
      return await openFiles(blobPaths(this.folder.blobs, blob), blob);
    } catch (error) {
      if (!isBadPlace(error)) throw error;
      this.options.log?.warn({ blob, err: error }, 'it is on a bad place of the disk, and fetched anew');
      return undefined;
    }
  }

  private async make(head: TableHead): Promise<StoredBlob> {
    const { fault, blobs } = this.folder;
    if (fault !== undefined) throw fault;
    const entry = new BlobEntry(head.blob, Date.now());
    entry.settled = false;
    const room = new BlobRoom(head.blob, this.space, entry.account);
    try {
      const ended = await room.beginFiles(new Grid(head.pieceSize), head.size);
      try {
        const found = await makeFiles(blobPaths(blobs, head.blob), head);
        this.index.add(entry);
        return this.countUser(entry, this.object(entry, found, { room }));
      } finally {
        ended();
      }
    } catch (error) {
      room.settle(0);
      throw asUnstorable(head.blob, error);
    }
  }

  private object(
    entry: BlobEntry,
    found: OpenFiles,
    {
      room = new BlobRoom(entry.blob, this.space, entry.account),
      seal,
    }: { readonly room?: BlobRoom; readonly seal?: Seal | undefined },
  ): StoredBlob {
    const owner: BlobOwner = {
      room,
      recent: this.recent,
      buffers: this.buffers,
      fault: () => this.folder.fault,
      reading: () => {
        entry.lastRead = this.now();
        this.index.touch(entry);
      },
      finished: () => {
        entry.finished = true;
      },
      yieldTo: (taken) => {
        // It has just been of use; whoever wants it now gets a moment to come.
        entry.lastRead = this.now();
        entry.yielding.add(taken);
      },
      release: (taken) =>
        this.serially(entry.blob, async () => {
          if (taken !== undefined) entry.yielding.delete(taken);
          await this.letGo(entry, stored);
        }),
    };
    const stored = new StoredBlob(entry.blob, found, owner, seal);
    return stored;
  }

  private async letGo(entry: BlobEntry, stored: StoredBlob): Promise<void> {
    entry.users -= 1;
    if (entry.users > 0) return;
    entry.stored = undefined;
    try {
      if (entry.gone) this.space.settle(entry.account, 0);
      else await this.keepBooks(entry, stored);
    } finally {
      await stored.close();
    }
  }

  /** What a blob takes, now that nothing more is written, and when it was last used. */
  private async keepBooks(entry: BlobEntry, stored: StoredBlob): Promise<void> {
    entry.seal = undefined;
    try {
      if (stored.isChanged || !entry.settled) this.space.settle(entry.account, await stored.diskUsage());
      entry.settled = true;
    } catch (error) {
      if (!isDiskFault(error)) throw error;
      this.options.log?.debug({ blob: entry.blob, err: error }, 'what it takes on disk was not seen');
    }
    if (this.folder.fault !== undefined) return;
    const now = Date.now();
    // A clock that was set back says nothing of when that was.
    const isUseSaved = entry.savedAt <= now && now - entry.savedAt < SAVE_USE_EVERY;
    if (!isUseSaved) entry.savedAt = now;
    try {
      entry.seal = await stored.leave(!isUseSaved);
    } catch (error) {
      // Nobody needs it: without, it counts as used before, and its blocks are checked anew.
      this.options.log?.debug({ blob: entry.blob, err: error }, 'when it was used was not kept');
    }
  }

  /** Removes a blob's files. Their room comes back when the last user has gone. */
  private async discard(entry: BlobEntry): Promise<void> {
    try {
      await unlinkBlob(blobPaths(this.folder.blobs, entry.blob));
    } catch (error) {
      throw asUnstorable(entry.blob, error);
    }
    this.index.drop(entry);
    entry.gone = true;
    entry.stored?.markRemoved();
    if (entry.users === 0) this.space.settle(entry.account, 0);
  }
}

function fits(stored: StoredBlob, head: TableHead): boolean {
  return (
    stored.grid.pieceSize === head.pieceSize &&
    (head.size === undefined || stored.size === undefined || stored.size === head.size)
  );
}
