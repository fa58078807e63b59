import { createHash, randomBytes } from 'node:crypto';
import { readFile, readlink, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { Door, answers } from './door';
import { codeOf } from './error-code';

/** Another process works in this folder. */
export class StoreInUse extends Error {
  override readonly name = 'StoreInUse';

  /** @param holder such as `process 7`. */
  constructor(folder: string, holder: string) {
    super(
      `${folder} is in use by ${holder}: two processes cannot share one store; stop that process or choose another folder`,
    );
  }
}

const LOCK = 'store.lock';

/** Tries to take a lock whose holder changes all the time, and the pause between them in milliseconds. */
const TRIES = 50;
const PAUSE = 20;

/** Who holds a lock: a boot, a PID namespace, a process with its time of start, and the socket that it listens on. */
interface Holder {
  readonly boot: string;
  readonly namespace: string;
  readonly pid: string;
  readonly started: string;
  readonly door: string;
}

/** This process, which may have no socket yet. */
type Self = Omit<Holder, 'door'>;

/**
 * The right to work in a folder: a symbolic link that names its holder, made in one step. The lock of a process that has ended is
 * taken over: known by PID and time of start, and from another PID namespace (containers have one each) by a socket in the folder, to
 * which nobody listens any more.
 */
export class StoreLock {
  private constructor(
    private readonly folder: string,
    private readonly text: string,
    private readonly door: Door,
  ) {}

  /** @throws StoreInUse when another process, or this one, holds it; an error of the disk. */
  static async take(folder: string): Promise<StoreLock> {
    const path = join(folder, LOCK);
    const self = await whoIs('self');
    // Before anything is made: a full disk, which takes nothing, must not hide that somebody works there.
    await refuseHeld(folder, await lockTextAt(path), self);
    const door = await Door.open(folder);
    try {
      const me: Holder = { ...self, door: door.name };
      const text = [me.boot, me.namespace, me.pid, me.started, me.door].join(' ');
      for (let tries = 0; tries < TRIES; tries += 1) {
        if (await makeLink(text, path)) return new StoreLock(folder, text, door);
        const other = await lockTextAt(path);
        if (other === undefined) continue;
        await refuseHeld(folder, other, me);
        if (await takeOver(folder, other, text, me)) return new StoreLock(folder, text, door);
      }
      throw new StoreInUse(folder, 'a process that is just starting');
    } catch (error) {
      await door.close();
      throw error;
    }
  }

  /** Gives the folder back. */
  async release(): Promise<void> {
    const path = join(this.folder, LOCK);
    if ((await lockTextAt(path)) === this.text) await rm(path, { force: true });
    await this.door.close();
  }
}

/** @throws StoreInUse when `text` is the lock of somebody who lives. */
async function refuseHeld(folder: string, text: string | undefined, me: Self): Promise<void> {
  const holder = parse(text ?? '');
  if (holder !== undefined && (await isAlive(folder, holder, me))) throw new StoreInUse(folder, named(holder, me));
}

/** @throws ENOENT when there is no such process. */
async function whoIs(pid: string): Promise<Self> {
  const [boot, namespace, stat] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    readlink('/proc/self/ns/pid'),
    readFile(`/proc/${pid}/stat`, 'utf8'),
  ]);
  const [number = ''] = stat.split(' ', 1);
  const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A process that has ended and that nobody has asked for yet writes nothing any more.
  const started = /[ZX]/.test(state) ? 'ended' : (fields[18] ?? '');
  return { boot: boot.slice(0, 8), namespace: namespace.replace(/\D/g, ''), pid: number, started };
}

function parse(text: string): Holder | undefined {
  const match = /^([0-9a-f]{8}) (\d+) (\d+) (\d+) (store-[0-9a-f]{8}\.sock)$/.exec(text);
  if (match === null) return undefined;
  const [, boot = '', namespace = '', pid = '', started = '', door = ''] = match;
  return { boot, namespace, pid, started, door };
}

/** In a container its one process has the PID 1, as that of each other has. */
function named({ namespace, pid }: Holder, me: Self): string {
  return namespace === me.namespace ? `process ${pid}` : `a process of another container (there with PID ${pid})`;
}

async function isAlive(folder: string, holder: Holder, me: Self): Promise<boolean> {
  if (holder.boot !== me.boot) return false;
  if (holder.namespace !== me.namespace) return answers(folder, holder.door);
  try {
    return (await whoIs(holder.pid)).started === holder.started;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return false;
    throw error;
  }
}

/**
 * Puts a lock of ours where that of a dead holder is. The right to do so is a link of its own, named after the dead one: of many who find
 * it, one at a time may look again and replace it.
 *
 * @returns whether we have the lock; false: it must be looked at again.
 */
async function takeOver(folder: string, dead: string, mine: string, me: Self): Promise<boolean> {
  const path = join(folder, LOCK);
  const right = `${path}-after-${createHash('sha256').update(dead).digest('hex').slice(0, 16)}`;
  if (!(await makeLink(mine, right))) {
    const other = await lockTextAt(right);
    const holder = parse(other ?? '');
    if (other !== undefined && (holder === undefined || !(await isAlive(folder, holder, me)))) {
      await rm(right, { force: true });
    } else await delay(PAUSE);
    return false;
  }
  try {
    if ((await lockTextAt(path)) !== dead) return false;
    const next = `${path}-${randomBytes(4).toString('hex')}`;
    await symlink(mine, next);
    await rename(next, path);
    const door = parse(dead)?.door;
    if (door !== undefined) await rm(join(folder, door), { force: true });
    return true;
  } finally {
    await rm(right, { force: true });
  }
}

/** Makes a link; false when there is something already. */
async function makeLink(text: string, path: string): Promise<boolean> {
  try {
    await symlink(text, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function lockTextAt(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
