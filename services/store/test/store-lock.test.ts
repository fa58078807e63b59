import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { BlobStore, StoreInUse } from '@cdk8s-dragonfly/store';

/** Waits for a child to end, as a parent does; the kernel knows it until then. */
async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

describe('the lock of a store', () => {
  let home: string;
  const lock = (): string => join(home, 'store.lock');
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'store-lock-'));
  });
  afterEach(() => rm(home, { recursive: true }));

  /** Puts the lock of another process there. */
  async function lockOf(pid: number, change: (words: string[]) => void = () => undefined): Promise<string> {
    const store = await BlobStore.open(home);
    const words = (await readlink(lock())).split(' ');
    await store.stop();
    words[2] = `${pid}`;
    change(words);
    await symlink(words.join(' '), lock());
    return words[4] ?? '';
  }

  /** The time of start of a process, as the kernel tells it. */
  async function startOf(pid: number): Promise<string> {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  }

  it('keeps a second process out with one sentence, and lets it in when the first has stopped', async () => {
    const store = await BlobStore.open(home);
    await expect(BlobStore.open(home)).rejects.toThrow(new StoreInUse(home, `process ${process.pid}`).message);
    expect(new StoreInUse(home, 'process 7').message).toBe(
      `${home} is in use by process 7: two processes cannot share one store; stop that process or choose another folder`,
    );
    await store.stop();
    await (await BlobStore.open(home)).stop();
    expect(await readdir(home)).toEqual(['blobs']);
  });

  it('is kept by a process that lives, and taken over from one that was killed', async () => {
    const child = spawn('sleep', ['60']);
    try {
      const started = await startOf(child.pid!);
      await lockOf(child.pid!, (words) => (words[3] = started));
      await expect(BlobStore.open(home)).rejects.toThrow(`in use by process ${child.pid}:`);
    } finally {
      await kill(child);
    }
    await (await BlobStore.open(home)).stop();
  });

  it.each([
    ['whose PID another process has by now', (words: string[]) => (words[3] = '1')],
    ['of another boot', (words: string[]) => (words[0] = '00000000')],
    ['that is no lock of ours', (words: string[]) => words.splice(0, 5, 'nonsense')],
  ])('is taken over from a holder %s', async (_what, change) => {
    await lockOf(process.pid, change);
    await (await BlobStore.open(home)).stop();
    expect(await readdir(home)).toEqual(['blobs']);
  });

  it('is kept by a process of another container that lives, and taken over when it is gone', async () => {
    const door = await lockOf(1, (words) => (words[1] = '1'));
    const server = createServer((socket) => socket.destroy());
    server.listen(join(home, door));
    await once(server, 'listening');
    await expect(BlobStore.open(home)).rejects.toThrow('in use by a process of another container (there with PID 1):');
    server.close();
    await once(server, 'close');
    await (await BlobStore.open(home)).stop();
  });

  it('is had by exactly one of many who find it left behind', async () => {
    for (let round = 0; round < 20; round += 1) {
      await lockOf(process.pid, (words) => (words[3] = '1'));
      const opened = await Promise.allSettled(Array.from({ length: 8 }, () => BlobStore.open(home)));
      const stores = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      expect(stores).toHaveLength(1);
      const refused = opened.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));
      expect(refused.map(({ name }) => name)).toEqual(refused.map(() => 'StoreInUse'));
      await stores[0]?.stop();
      expect(await readdir(home)).toEqual(['blobs']);
    }
  });

  it('works below a folder whose path is too long for a socket', async () => {
    const deep = join(home, 'x'.repeat(120));
    await (await BlobStore.open(deep)).stop();
    expect(await readdir(deep)).toEqual(['blobs']);
  });
});
