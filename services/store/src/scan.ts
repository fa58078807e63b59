import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { BlobId } from '@cdk8s-dragonfly/protocol';

import { blobPaths, bytesOnDisk, factsOf, unlinkBlob } from './blob-files';
import { BlockTable } from './block-table';
import { codeOf } from './error-code';
import { isBadPlace, isDiskFault } from './unstorable';

/** A blob that an earlier process left. */
export interface LeftBlob {
  readonly blob: BlobId;
  /** What its files take up on disk, in bytes. */
  readonly bytes: number;
  /** When it was last used, in milliseconds since 1970. */
  readonly usedAt: number;
  /** Whether its data has the final name: it is whole, and its digest was confirmed. */
  readonly final: boolean;
}

/** Files whose size is asked of the file system at a time. */
const BATCH = 64;

const FILE_NAME = /^([0-9a-f]{64})\.(part|data|blocks)$/;

/**
 * The blobs below `root`, those used longest ago first. A data file without its table, or the reverse, is removed: a process was
 * stopped between the two. So is what a build with another grid of blocks left: nobody is to be told that it is here. What is no file of
 * the store is left alone.
 *
 * @param leftOut is told of each blob and folder that is on a bad place of the disk: that costs itself, not what is known of all others.
 */
export async function scanBlobs(root: string, leftOut: (path: string, error: Error) => void): Promise<LeftBlob[]> {
  const found: LeftBlob[] = [];
  for (const kind of ['sha256', 'task'] as const) {
    for (const folder of await entriesOf(join(root, kind), leftOut)) {
      if (!/^[0-9a-f]{2}$/.test(folder)) continue;
      const hexes = new Set<string>();
      for (const name of await entriesOf(join(root, kind, folder), leftOut)) {
        const [, hex] = FILE_NAME.exec(name) ?? [];
        if (hex?.startsWith(folder) === true) hexes.add(hex);
      }
      const all = [...hexes];
      for (let from = 0; from < all.length; from += BATCH) {
        const blobs = all.slice(from, from + BATCH).map((hex) => `${kind}:${hex}` as BlobId);
        const left = blobs.map((blob) => unlessBad(blobPaths(root, blob).table, leftBlob(root, blob), leftOut));
        for (const blob of await Promise.all(left)) if (blob !== undefined) found.push(blob);
      }
    }
  }
  return found.sort((one, other) => one.usedAt - other.usedAt);
}

async function leftBlob(root: string, blob: BlobId): Promise<LeftBlob | undefined> {
  const paths = blobPaths(root, blob);
  const [part, data, table] = await Promise.all([paths.part, paths.data, paths.table].map(factsOf));
  const isPair = table?.isFile() === true && (part ?? data)?.isFile() === true;
  if (isPair && (await isUsable(paths.table, blob))) {
    const files = [part, data, table].flatMap((facts) => facts ?? []);
    const bytes = files.reduce((sum, facts) => sum + bytesOnDisk(facts), 0);
    return { blob, bytes, usedAt: table.mtimeMs, final: data !== undefined };
  }
  try {
    await unlinkBlob(paths);
  } catch (error) {
    // On a disk that takes no change it stays, and is not counted: nothing is written there either.
    if (!isDiskFault(error)) throw error;
  }
  return undefined;
}

/** Whether a table can be read on with. */
async function isUsable(table: string, blob: BlobId): Promise<boolean> {
  try {
    return await BlockTable.isUsable(table, blob);
  } catch (error) {
    if (!isBadPlace(error)) throw error;
    return false;
  }
}

async function entriesOf(folder: string, leftOut: (path: string, error: Error) => void): Promise<string[]> {
  try {
    const entries = (await unlessBad(folder, readdir(folder, { withFileTypes: true }), leftOut)) ?? [];
    return entries.filter((entry) => entry.isDirectory() || entry.isFile()).map(({ name }) => name);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}

/** What was read; undefined when it is on a bad place of the disk. */
async function unlessBad<What>(
  path: string,
  read: Promise<What>,
  leftOut: (path: string, error: Error) => void,
): Promise<What | undefined> {
  try {
    return await read;
  } catch (error) {
    if (!isBadPlace(error)) throw error;
    leftOut(path, error);
    return undefined;
  }
}
