import { chmod, mkdir, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode } from './errno';

/** Makes a folder; false when it is there. */
async function create(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
  // Not by mkdir's mode, of which the umask would take something away: users' engines read these folders too.
  await chmod(folder, 0o755);
  return true;
}

/** Makes a folder (0755), and those above it that are missing. @returns how many were made, the folder itself included */
export async function createFolders(folder: string): Promise<number> {
  try {
    return (await create(folder)) ? 1 : 0;
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
  const above = await createFolders(dirname(folder));
  return (await create(folder)) ? above + 1 : above;
}

/** Removes a folder and those above it, `levels` in all, up to the first that holds something or is not there. */
export async function removeEmptyFolders(folder: string, levels: number): Promise<void> {
  if (levels <= 0) return;
  try {
    await rmdir(folder);
  } catch (error) {
    if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'EBUSY', 'ENOENT', 'ENOTDIR')) throw error;
    return;
  }
  await removeEmptyFolders(dirname(folder), levels - 1);
}
