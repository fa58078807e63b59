import { constants } from 'node:fs';
import { lstat, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { hexOf, isBlobId } from '@cdk8s-dragonfly/protocol';
import type { BlobId } from '@cdk8s-dragonfly/protocol';

import { BlockTable } from './block-table';
import type { TableHead } from './block-table';
import { StoredBlob } from './stored-blob';
import type { BlobPaths } from './stored-blob';

/**
 * Blobs on disk, content-addressed: below `<root>/blobs/<kind>/<2 hex>/` a data file (`<hex>.part`, at the end `<hex>.data`) and its
 * block table (`<hex>.blocks`). What an earlier process left is found again, whole or in part.
 */
export class BlobStore {
  /** The blobs that somebody has open. */
  private readonly open = new Map<BlobId, StoredBlob>();
  private readonly users = new WeakMap<StoredBlob, number>();
  /** The last operation on each blob: opening, making, closing and removing follow one another. */
  private readonly turns = new Map<BlobId, Promise<unknown>>();

  private constructor(private readonly root: string) {}

  /**
   * @param home the folder below which the store lives; made when missing.
   * @throws Error when the store's place there is a symbolic link or a file.
   */
  static async open(home: string): Promise<BlobStore> {
    const root = join(home, 'blobs');
    await mkdir(root, { recursive: true, mode: 0o700 });
    if (!(await lstat(root)).isDirectory()) throw new Error(`${root} is not a folder; symbolic links are not followed`);
    return new BlobStore(root);
  }

  /** The blob as far as it is here; undefined when nothing of it is. The caller must `release()` it. */
  async find(blob: BlobId): Promise<StoredBlob | undefined> {
    return this.serially(blob, async () => {
      const stored = this.open.get(blob) ?? (await this.load(blob));
      return stored === undefined ? undefined : this.countUser(stored);
    });
  }

  /**
   * The blob as far as it is here, or a new empty one with this grid and length. What is here in another shape is dropped.
   * The caller must `release()` it.
   *
   * @throws Error when it is in use in another shape.
   */
  async create(blob: BlobId, pieceSize: number, size: number | undefined): Promise<StoredBlob> {
    const head: TableHead = { blob, pieceSize, size };
    const stored = await this.serially(blob, async () => {
      const inUse = this.open.get(blob);
      if (inUse !== undefined) {
        if (fits(inUse, head)) return this.countUser(inUse);
        throw new Error(`${blob} is in use with ${inUse.size ?? 'unknown'} bytes, not ${size ?? 'unknown'}`);
      }
      const found = await this.load(blob);
      if (found !== undefined && fits(found, head)) return this.countUser(found);
      await found?.close();
      return this.countUser(await this.make(head));
    });
    if (size !== undefined) await stored.setSize(size);
    return stored;
  }

  /** Removes the blob from disk. Who has it open keeps what it has. */
  async remove(blob: BlobId): Promise<void> {
    await this.serially(blob, async () => {
      this.open.delete(blob);
      await this.unlink(this.pathsOf(blob));
    });
  }

  private countUser(stored: StoredBlob): StoredBlob {
    this.users.set(stored, (this.users.get(stored) ?? 0) + 1);
    this.open.set(stored.blob, stored);
    return stored;
  }

  private async serially<T>(blob: BlobId, work: () => Promise<T>): Promise<T> {
    const before = this.turns.get(blob) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.turns.set(blob, mine);
    try {
      return await mine;
    } finally {
      if (this.turns.get(blob) === mine) this.turns.delete(blob);
    }
  }

  private async load(blob: BlobId): Promise<StoredBlob | undefined> {
    const paths = this.pathsOf(blob);
    if (!(await exists(paths.table))) return undefined;
    const read = await BlockTable.read(paths.table, blob);
    const final = await exists(paths.data);
    if (read === undefined || (!final && !(await exists(paths.part)))) {
      await read?.table.close();
      return undefined;
    }
    const data = await open(final ? paths.data : paths.part, constants.O_RDWR | constants.O_NOFOLLOW);
    return this.object(read.head, { data, table: read.table, paths }, read.proofs, final);
  }

  private async make(head: TableHead): Promise<StoredBlob> {
    const paths = this.pathsOf(head.blob);
    await this.unlink(paths);
    await mkdir(paths.folder, { recursive: true, mode: 0o700 });
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const data = await open(paths.part, flags, 0o600);
    try {
      const table = await BlockTable.create(paths.table, head);
      return this.object(head, { data, table, paths }, new Map(), false);
    } catch (error) {
      await data.close();
      throw error;
    }
  }

  private object(
    head: TableHead,
    files: ConstructorParameters<typeof StoredBlob>[1],
    proofs: ConstructorParameters<typeof StoredBlob>[3],
    final: boolean,
  ): StoredBlob {
    const stored = new StoredBlob(head.blob, files, head, proofs, final, () =>
      this.serially(head.blob, async () => {
        const users = (this.users.get(stored) ?? 0) - 1;
        this.users.set(stored, users);
        if (users > 0) return;
        if (this.open.get(head.blob) === stored) this.open.delete(head.blob);
        await stored.close();
      }),
    );
    return stored;
  }

  private async unlink(paths: Paths): Promise<void> {
    await Promise.all([paths.part, paths.data, paths.table].map((path) => rm(path, { force: true })));
  }

  private pathsOf(blob: BlobId): Paths {
    if (!isBlobId(blob)) throw new Error(`${JSON.stringify(blob)} is not the name of a blob`);
    const hex = hexOf(blob);
    const folder = join(this.root, blob.slice(0, blob.indexOf(':')), hex.slice(0, 2));
    const path = join(folder, hex);
    return { folder, part: `${path}.part`, data: `${path}.data`, table: `${path}.blocks` };
  }
}

interface Paths extends BlobPaths {
  readonly table: string;
  readonly folder: string;
}

function fits(stored: StoredBlob, head: TableHead): boolean {
  return (
    stored.grid.pieceSize === head.pieceSize &&
    (head.size === undefined || stored.size === undefined || stored.size === head.size)
  );
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
