import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

import { codeOf } from './error-code';

/**
 * Makes a folder and those above it that are missing. Node's own way never ends where the system says that a folder is missing in one that is
 * there, as below /proc.
 *
 * @param mode of the folders that are made.
 * @throws the system's error; EEXIST when there is something else than a folder.
 */
export async function makeFolder(path: string, mode = 0o700): Promise<void> {
  const missing: string[] = [];
  for (let at = resolve(path); !(await isMade(at, mode)); at = dirname(at)) missing.unshift(at);
  for (const folder of missing) {
    if (!(await isMade(folder, mode))) {
      throw Object.assign(new Error(`ENOENT: ${folder} cannot be made: its file system takes no new folders`), {
        code: 'ENOENT',
      });
    }
  }
}

/** Makes one folder, if it is not there; answers false when the one above it is missing. */
async function isMade(path: string, mode: number): Promise<boolean> {
  try {
    await mkdir(path, { mode });
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    if (codeOf(error) === 'EEXIST' && (await stat(path)).isDirectory()) return true;
    throw error;
  }
}
