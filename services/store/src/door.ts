import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { Server } from 'node:net';

import { codeOf } from './error-code';

/** How long the door of a process in another container may take to open, in milliseconds. */
const KNOCK = 1000;

/** A socket that shows processes of other containers that its owner lives: it needs no shared PID namespace. */
export class Door {
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

/** Whether somebody listens there. A process that hangs does: the kernel takes the connection for it. */
export async function answers(folder: string, door: string): Promise<boolean> {
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
