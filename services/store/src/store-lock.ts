import { createHash, randomBytes } from 'node:crypto';
import { open, readFile, readlink, rename, rm, symlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { codeOf } from './error-code';

/** Another process works in this folder. */
export class StoreInUse extends Error {
  override readonly name = 'StoreInUse';

  constructor(folder: string, pid: string) {
    super(
      `${folder} is in use by process ${pid}: two processes cannot share one store; stop that process or choose another folder`,
    );
  }
}

const LOCK = 'store.lock';

/** How long the door of a process in another container may take to open, in milliseconds. */
const KNOCK = 1000;

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
    const door = await Door.open(folder);
    try {
      const me: Holder = { ...(await whoIs('self')), door: door.name };
      const text = [me.boot, me.namespace, me.pid, me.started, me.door].join(' ');
      for (let tries = 0; tries < TRIES; tries += 1) {
        if (await makeLink(text, path)) return new StoreLock(folder, text, door);
        const other = await lockTextAt(path);
        if (other === undefined) continue;
        const holder = parse(other);
        if (holder !== undefined && (await isAlive(folder, holder, me))) throw new StoreInUse(folder, holder.pid);
        if (await takeOver(folder, other, text, me)) return new StoreLock(folder, text, door);
      }
      throw new StoreInUse(folder, 'unknown');
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

/** A socket that shows processes of other containers that its owner lives: it needs no shared PID namespace. */
class Door {
  private constructor(
    readonly name: string,
    private readonly folder: FileHandle,
    /** Undefined on a file system without sockets: then a lock of another PID namespace counts as left behind. */
    private readonly server: Server | undefined,
  ) {}

  static async open(folder: string): Promise<Door> {
    const handle = await open(folder, 'r');
    const name = `store-${randomBytes(4).toString('hex')}.sock`;
    const server = createServer((socket) => socket.destroy());
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        // By way of the open folder: the path of a socket may have 107 bytes, that of a folder more.
        server.listen(`/proc/self/fd/${handle.fd}/${name}`, resolve);
      });
    } catch (error) {
      if (codeOf(error) === 'ENOTSUP' || codeOf(error) === 'EPERM') return new Door(name, handle, undefined);
      await handle.close();
      throw error;
    }
    server.unref();
    return new Door(name, handle, server);
  }

  async close(): Promise<void> {
    // Takes the socket out of the folder as well.
    const { server } = this;
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
    await this.folder.close();
  }
}

/** @throws ENOENT when there is no such process. */
async function whoIs(pid: string): Promise<Omit<Holder, 'door'>> {
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

async function isAlive(folder: string, holder: Holder, me: Holder): Promise<boolean> {
  if (holder.boot !== me.boot) return false;
  if (holder.namespace !== me.namespace) return answers(folder, holder.door);
  try {
    return (await whoIs(holder.pid)).started === holder.started;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return false;
    throw error;
  }
}

/** Whether somebody listens there. A process that hangs does: the kernel takes the connection for it. */
async function answers(folder: string, door: string): Promise<boolean> {
  const handle = await open(folder, 'r');
  try {
    return await new Promise<boolean>((resolve) => {
      const socket = connect(`/proc/self/fd/${handle.fd}/${door}`);
      const done = (alive: boolean): void => {
        clearTimeout(timer);
        socket.destroy();
        resolve(alive);
      };
      // A queue that is full belongs to a process that lives.
      const timer = setTimeout(() => done(true), KNOCK);
      socket.once('connect', () => done(true));
      socket.once('error', (error) => done(codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ECONNREFUSED'));
    });
  } finally {
    await handle.close();
  }
}

/**
 * Puts a lock of ours where that of a dead holder is. The right to do so is a link of its own, named after the dead one: of many who find
 * it, one at a time may look again and replace it.
 *
 * @returns whether we have the lock; false: it must be looked at again.
 */
async function takeOver(folder: string, dead: string, mine: string, me: Holder): Promise<boolean> {
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
