import { readlink, rename, rm, symlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Refusal } from '../refusal';
import { hasCode, writeRefusal } from './errno';
import { createFolders, removeEmptyFolders } from './folders';
import { processIdentity } from './process-identity';

/** The ending of the lock, beside the file: a symbolic link that says who holds it, and how many folders were made for it. */
export const LOCK_SUFFIX = '.dragonfly-lock';
/** What is added to the name of a dead holder's lock while it is taken away. */
export const BROKEN_LOCK_SUFFIX = `${LOCK_SUFFIX}-old`;

const POLL_MS = 50;

/** Who holds a lock. */
interface Holder {
  /** The whole text of the link. */
  readonly text: string;
  /** Its process, see {@link processIdentity}. */
  readonly identity: string;
  readonly pid: string;
  /** How many folders were made for the lock. */
  readonly levels: number;
}

/** Who holds the lock; `undefined` when nobody does. */
async function holder(path: string): Promise<Holder | undefined> {
  try {
    const text = await readlink(path);
    const words = text.split(' ');
    return {
      text,
      identity: words.slice(0, 4).join(' '),
      pid: words[2] ?? '?',
      levels: /^\d{1,2}$/.test(words[4] ?? '') ? Number(words[4]) : 0,
    };
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Takes the lock; false when somebody has it. A link is made in one step with what it says. */
async function take(path: string, text: string): Promise<boolean> {
  try {
    await symlink(text, path);
    return true;
  } catch (error) {
    // ENOENT: who had made the folder has removed it meanwhile.
    if (hasCode(error, 'EEXIST', 'ENOENT')) return false;
    throw error;
  }
}

/** Whether the holder is certainly gone: another boot, or a process of our namespace that has ended. */
async function isDead({ identity }: Holder, mine: string): Promise<boolean> {
  const [boot, namespace, pid] = identity.split(' ');
  const [myBoot, myNamespace] = mine.split(' ');
  if (boot !== myBoot) return true;
  if (namespace !== myNamespace) return false;
  return !/^\d+$/.test(pid ?? '') || (await processIdentity(Number(pid))) !== identity;
}

/** Takes the lock of a dead holder away; a new holder who came first keeps it. */
async function breakLock(path: string, dead: Holder): Promise<void> {
  const aside = path.slice(0, -LOCK_SUFFIX.length) + BROKEN_LOCK_SUFFIX;
  try {
    await rename(path, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  const moved = await holder(aside);
  if (moved !== undefined && moved.text !== dead.text) await take(path, moved.text);
  await rm(aside, { force: true });
}

/** @returns how many folders were made for the lock, by this process or by a dead holder */
async function acquire(path: string, mine: string, waitMs: number): Promise<number> {
  const deadline = performance.now() + waitMs;
  let levels = 0;
  for (;;) {
    levels = Math.max(levels, await createFolders(dirname(path)));
    if (await take(path, `${mine} ${levels}`)) return levels;
    const other = await holder(path);
    if (other !== undefined && (await isDead(other, mine))) {
      levels = Math.max(levels, other.levels);
      await breakLock(path, other);
      continue;
    }
    if (performance.now() > deadline) {
      await removeEmptyFolders(dirname(path), levels);
      throw new Refusal(
        `${path} is held by process ${other?.pid ?? '?'}, which did not finish within ${waitMs / 1000} s: another node-mirror works on this node; run again later, or remove the file if there is none`,
      );
    }
    if (other !== undefined) await pause(POLL_MS);
  }
}

/** What the holder of a lock knows of, and decides on, the folder. */
export interface LockedFolder {
  /** How many folders were made for this lock, that of the file included. They go again with the lock if they are empty then. */
  readonly created: number;
  /** Lets so many folders go with the lock, as far as they are empty. */
  removeIfEmpty(levels: number): void;
}

/**
 * Runs work while `FILE.dragonfly-lock` is held, so that two node-mirrors on a node follow each other. The lock of a process
 * that has ended is taken over. The folder of the file is made (0755) when it is missing, and those above it.
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
  const mine = await processIdentity('self');
  if (mine === undefined) throw new Refusal('/proc is not mounted here: node-mirror needs it to find the runtime');
  const created = await acquire(path, mine, waitMs).catch((error: unknown) => {
    throw writeRefusal(path, error);
  });
  let levels = created;
  try {
    return await work({ created, removeIfEmpty: (made) => (levels = Math.max(levels, made)) });
  } finally {
    await rm(path, { force: true });
    await removeEmptyFolders(dirname(path), levels);
  }
}
