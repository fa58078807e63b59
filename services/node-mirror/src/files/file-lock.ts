import { mkdir, readFile, readlink, rename, rm, rmdir, symlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Refusal } from '../refusal';
import { hasCode, writeRefusal } from './errno';

/** The ending of the lock, beside the file: a symbolic link that says who holds it. */
export const LOCK_SUFFIX = '.dragonfly-lock';

const POLL_MS = 50;

/** Who holds a lock: enough to tell a living holder from a dead one, also after a reboot. */
async function identity(pid: number | 'self'): Promise<string | undefined> {
  try {
    const [boot, namespace, stat] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readlink('/proc/self/ns/pid'),
      readFile(`/proc/${pid}/stat`, 'utf8'),
    ]);
    const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return [boot.trim(), namespace, pid === 'self' ? process.pid : pid, started].join(' ');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}

/** Who holds the lock; `undefined` when nobody does. */
async function holder(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Takes the lock; false when somebody has it. A link is made in one step with what it says. */
async function take(path: string, mine: string): Promise<boolean> {
  try {
    await symlink(mine, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Whether the holder is certainly gone: another boot, or a process of our namespace that has ended. */
async function isDead(holder: string, mine: string): Promise<boolean> {
  const [boot, namespace, pid] = holder.split(' ');
  const [myBoot, myNamespace] = mine.split(' ');
  if (boot !== myBoot) return true;
  if (namespace !== myNamespace) return false;
  return !/^\d+$/.test(pid ?? '') || (await identity(Number(pid))) !== holder;
}

/** Takes the lock of a dead holder away; a new holder who came first keeps it. */
async function breakLock(path: string, dead: string): Promise<void> {
  const aside = `${path}-old`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  const moved = await holder(aside);
  if (moved !== undefined && moved !== dead) await take(path, moved);
  await rm(aside, { force: true });
}

async function acquire(path: string, mine: string, waitMs: number): Promise<void> {
  const deadline = performance.now() + waitMs;
  while (!(await take(path, mine))) {
    const other = await holder(path);
    if (other === undefined) continue;
    if (await isDead(other, mine)) {
      await breakLock(path, other);
      continue;
    }
    if (performance.now() > deadline) {
      throw new Refusal(
        `${path} is held by process ${other.split(' ')[2] ?? '?'}, which did not finish within ${waitMs / 1000} s: another node-mirror works on this node; run again later, or remove the file if there is none`,
      );
    }
    await pause(POLL_MS);
  }
}

/** Makes a folder (0755). @returns whether it was missing */
export async function createFolder(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o755 });
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Removes a folder that holds nothing; leaves any other. */
export async function removeEmptyFolder(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'EBUSY', 'ENOENT', 'ENOTDIR')) throw error;
  }
}

/** What the holder of a lock knows of, and decides on, the folder. */
export interface LockedFolder {
  /** Whether the folder was made for this lock. It goes again with the lock if it is empty then. */
  readonly created: boolean;
  /** Lets the folder go with the lock, if it is empty. */
  removeIfEmpty(): void;
}

/**
 * Runs work while `FILE.dragonfly-lock` is held, so that two node-mirrors on a node follow each other. The lock of a process
 * that has ended is taken over. The folder of the file is made (0755) when it is missing.
 *
 * @param waitMs how long another holder may take
 * @throws Refusal when the lock is held longer, or cannot be made
 */
export async function withFileLock<T>(
  file: string,
  waitMs: number,
  work: (folder: LockedFolder) => Promise<T>,
): Promise<T> {
  const path = file + LOCK_SUFFIX;
  const folder = dirname(file);
  const mine = await identity('self');
  if (mine === undefined) throw new Refusal('/proc is not mounted here: node-mirror needs it to find the runtime');
  const created = await createFolder(folder).catch((error: unknown) => {
    throw writeRefusal(folder, error);
  });
  let remove = created;
  try {
    await acquire(path, mine, waitMs).catch((error: unknown) => {
      throw writeRefusal(path, error);
    });
    try {
      return await work({ created, removeIfEmpty: () => (remove = true) });
    } finally {
      await rm(path, { force: true });
    }
  } finally {
    if (remove) await removeEmptyFolder(folder);
  }
}
