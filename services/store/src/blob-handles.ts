import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

import type { BlobId } from '@cdk8s-dragonfly/protocol';

import { factsOf, openFile, unlinkBlob } from './blob-files';
import type { BlobPaths } from './blob-files';
import { BlockProofs } from './block-proofs';
import { BlockTable } from './block-table';
import type { TableHead } from './block-table';
import { makeFolder } from './make-folder';

/** The open files of a blob, and what its table says. */
export interface OpenFiles {
  readonly data: FileHandle;
  readonly table: BlockTable;
  readonly paths: BlobPaths;
  readonly head: TableHead;
  readonly proofs: BlockProofs;
  /** Whether the data has its final name. */
  readonly final: boolean;
}

/** Opens what is there; undefined when it is damaged and must be fetched anew. */
export async function openFiles(paths: BlobPaths, blob: BlobId): Promise<OpenFiles | undefined> {
  if ((await factsOf(paths.table)) === undefined) return undefined;
  const read = await BlockTable.read(paths.table, blob);
  if (read === undefined) return undefined;
  try {
    const final = (await factsOf(paths.data)) !== undefined;
    if (final || (await factsOf(paths.part)) !== undefined) {
      return { ...read, data: await openFile(final ? paths.data : paths.part), paths, final };
    }
  } catch (error) {
    await read.table.close();
    throw error;
  }
  await read.table.close();
  return undefined;
}

/** Makes the files of a blob of which nothing may be there; leaves none when that fails. */
export async function makeFiles(paths: BlobPaths, head: TableHead): Promise<OpenFiles> {
  let data: FileHandle | undefined;
  try {
    await makeFolder(paths.folder);
    data = await open(
      paths.part,
      constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      0o600,
    );
    const table = await BlockTable.create(paths.table, head);
    return { data, table, paths, head, proofs: new BlockProofs(), final: false };
  } catch (error) {
    await data?.close();
    await unlinkBlob(paths);
    throw error;
  }
}
