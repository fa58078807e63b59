import { type FileHandle, open, rename, rm, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Refusal } from '../refusal';
import { writeRefusal } from './errno';
import { copyLabel } from './security-label';
import { type Ownership, sameContent, takeSnapshot } from './snapshot';

/** The ending of the temporary file, beside the file that it becomes. */
export const TEMPORARY_SUFFIX = '.dragonfly-new';

/** Makes a rename or removal in this folder survive a power cut. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function fill(handle: FileHandle, bytes: Buffer, ownership: Ownership | undefined): Promise<void> {
  await handle.writeFile(bytes);
  if (ownership !== undefined) {
    const mine = await handle.stat();
    if (mine.uid !== ownership.uid || mine.gid !== ownership.gid) await handle.chown(ownership.uid, ownership.gid);
  }
  await handle.chmod(ownership?.mode ?? 0o644);
  await handle.sync();
}

/** What a replacement may ask for besides the new bytes. */
export interface Replacement {
  /** Mode and owner. Default: those of the file that is replaced, 0644 of this process for a new one. */
  readonly ownership?: Ownership;
  /** The file whose SELinux label it gets, if it is there. Default: the one that is replaced. */
  readonly labelOf?: string;
  /** What must still be there right before the rename; `missing`: no file. Default: anything. */
  readonly expected?: Buffer | 'missing';
  /** A last look at the complete temporary file; throws to refuse it. */
  readonly inspect?: (temporary: string) => Promise<void>;
}

async function expectUnchanged(path: string, expected: Buffer | 'missing' | undefined): Promise<void> {
  if (expected === undefined) return;
  const now = await takeSnapshot(path);
  if (!sameContent(now.bytes, expected === 'missing' ? undefined : expected)) {
    throw new Refusal(`${path} was changed by someone else in the meantime and has been left as it is: run again`);
  }
}

/**
 * Puts bytes in the place of a file, or of none, in one step: whoever reads sees the old or the new file, never a part,
 * also after a crash.
 *
 * @param path resolved: a link would be replaced by a file
 * @throws Refusal when it cannot be written, or was changed meanwhile
 */
export async function replaceFile(path: string, bytes: Buffer, replacement: Replacement = {}): Promise<void> {
  const temporary = path + TEMPORARY_SUFFIX;
  const ownership = replacement.ownership ?? (await takeSnapshot(path)).ownership;
  try {
    await rm(temporary, { force: true });
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await fill(handle, bytes, ownership);
    } finally {
      await handle.close();
    }
    if (!sameContent((await takeSnapshot(temporary)).bytes, bytes)) {
      throw new Refusal(`${temporary} does not read back as it was written: the disk is not to be trusted`);
    }
    await copyLabel(replacement.labelOf ?? path, temporary);
    await replacement.inspect?.(temporary);
    await expectUnchanged(path, replacement.expected);
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw writeRefusal(path, error);
  }
}

/**
 * Removes a file that must still hold these bytes.
 *
 * @throws Refusal when it cannot be removed, or was changed meanwhile
 */
export async function removeFile(path: string, expected: Buffer): Promise<void> {
  await expectUnchanged(path, expected);
  try {
    await unlink(path);
    await syncFolder(dirname(path));
  } catch (error) {
    throw writeRefusal(path, error);
  }
}
