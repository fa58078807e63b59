import { constants } from 'node:fs';
import { copyFile, link, open } from 'node:fs/promises';

import { codeOf } from './error-code';

/**
 * Gives a file a further name; on another file system, or one without links, a copy gets it.
 *
 * @param path must not exist.
 * @throws Error with the system's `code`.
 */
export async function giveFurtherName(file: string, path: string): Promise<void> {
  try {
    await link(file, path);
  } catch (error) {
    if (!['EXDEV', 'EPERM', 'ENOTSUP', 'EMLINK'].includes(codeOf(error) ?? '')) throw error;
    await copyFile(file, path, constants.COPYFILE_EXCL);
    await syncFile(path);
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
