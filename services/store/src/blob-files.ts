import { constants } from 'node:fs';
import type { Stats } from 'node:fs';
import { lstat, open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

import { hexOf } from '@cdk8s-dragonfly/protocol';
import type { BlobId } from '@cdk8s-dragonfly/protocol';

import { codeOf } from './error-code';

/** The files of a blob. */
export interface BlobPaths {
  readonly folder: string;
  /** The data while it arrives. */
  readonly part: string;
  /** The data, whole and checked. */
  readonly data: string;
  readonly table: string;
}

/** The files of a blob below `root`. The blob's name was checked: it is joined to a path. */
export function blobPaths(root: string, blob: BlobId): BlobPaths {
  const hex = hexOf(blob);
  const folder = join(root, blob.slice(0, blob.indexOf(':')), hex.slice(0, 2));
  const path = join(folder, hex);
  return { folder, part: `${path}.part`, data: `${path}.data`, table: `${path}.blocks` };
}

/** Removes what there is of a blob. */
export async function unlinkBlob({ part, data, table }: BlobPaths): Promise<void> {
  await Promise.all([part, data, table].map((path) => rm(path, { force: true })));
}

/** Opens a file that must be there; on a file system that is read-only, for reading alone. Follows no symbolic link. */
export async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
  } catch (error) {
    if (codeOf(error) !== 'EROFS') throw error;
    return open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  }
}

/** What is there, links not followed; undefined when nothing is. */
export async function factsOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** What a file takes up on disk, holes not counted. */
export function bytesOnDisk({ blocks }: { readonly blocks: number }): number {
  // stat(2): units of 512 bytes, whatever the file system's own block is.
  return blocks * 512;
}
