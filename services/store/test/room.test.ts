import { promises } from 'node:fs';
import { mkdir, mkdtemp, open as openFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { hexOf } from '@cdk8s-dragonfly/protocol';
import { BlobStore, StoreInUse, Unstorable } from '@cdk8s-dragonfly/store';
import type { StoreOptions } from '@cdk8s-dragonfly/store';

import { HandTimer, MIB, PIECE, PretendedDisk, filesOnDisk, has, put, sample, writeBlock } from './blobs';
import type { Sample } from './blobs';

describe('room on disk', () => {
  let home: string;
  let store: BlobStore;
  const open = async (options: StoreOptions): Promise<BlobStore> => (store = await BlobStore.open(home, options));
  const restart = async (options: StoreOptions): Promise<BlobStore> => {
    await store.stop();
    return open(options);
  };

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'store-room-'));
  });
  afterEach(async () => {
    await store.stop();
    await rm(home, { recursive: true });
  });

  describe('the quota', () => {
    it('makes what was not used for the longest time go first', async () => {
      await open({ quota: 7 * MIB });
      const [one, two, three, four] = [sample(2 * MIB), sample(2 * MIB), sample(2 * MIB), sample(2 * MIB)];
      await put(store, one);
      await put(store, two);
      await put(store, three);
      expect(await has(store, one)).toBe(true);
      await put(store, four);
      expect(await Promise.all([one, two, three, four].map((each) => has(store, each)))).toEqual([
        true,
        false,
        true,
        true,
      ]);
      expect(store.usage).toMatchObject({ blobs: 3, evicted: 1 });
      expect(store.usage.bytes).toBe(await filesOnDisk(join(home, 'blobs')));
    });

    it('remembers over a restart what was used last', async () => {
      await open({});
      const all = [sample(MIB), sample(MIB), sample(MIB)];
      for (const [index, one] of all.entries()) {
        await put(store, one);
        const hex = hexOf(one.blob);
        const usedAt = new Date(Date.UTC(2024, 0, [2, 1, 3][index]));
        await utimes(join(home, 'blobs/sha256', hex.slice(0, 2), `${hex}.blocks`), usedAt, usedAt);
      }
      await restart({ quota: 2.5 * MIB });
      expect(await Promise.all(all.map((each) => has(store, each)))).toEqual([true, false, true]);
      // Being used is written down: now the last one is the oldest.
      await restart({});
      expect(await has(store, all[0]!)).toBe(true);
      await restart({ quota: 1.5 * MIB });
      expect(store.usage.blobs).toBe(1);
    });

    it('never takes what has users; says in one sentence why a blob does not fit, before it writes anything', async () => {
      await open({ quota: 3_350_000 });
      const used = sample(3 * MIB);
      const stored = await store.create(used.blob, PIECE, used.content.length);
      await writeBlock(stored, used, 0);
      const before = await filesOnDisk(join(home, 'blobs'));
      const other = sample(3 * MIB);
      await expect(store.create(other.blob, PIECE, other.content.length)).rejects.toThrow(
        new RegExp(
          `^${other.blob} needs 3153920 bytes more on this disk, and nothing else may go: ` +
            'the quota of 3350000 bytes has 3153920 in use, \\d+ bytes are free and 0 must stay free; ' +
            'give the store a larger disk, a larger --disk-quota or a smaller --min-free$',
        ),
      );
      expect(await filesOnDisk(join(home, 'blobs'))).toBe(before);
      await stored.release();
      await put(store, other);
      expect(await has(store, used)).toBe(false);
    });

    it('keeps what it has when a blob would not fit even then', async () => {
      await open({ quota: 5 * MIB });
      const small = sample(2 * MIB);
      await put(store, small);
      await expect(store.create(sample(1).blob, PIECE, 6 * MIB)).rejects.toThrow(Unstorable);
      expect(await has(store, small)).toBe(true);
      expect(store.usage.evicted).toBe(0);
    });

    it('counts a blob of unknown length block by block', async () => {
      await open({ quota: 3 * MIB });
      const endless = sample(4 * MIB);
      const stored = await store.create(endless.blob, PIECE, undefined);
      let index = 0;
      const writeAll = async (): Promise<void> => {
        for (; index < 16; index += 1) await writeBlock(stored, endless, index);
      };
      await expect(writeAll()).rejects.toThrow(Unstorable);
      expect(index).toBe(11);
      expect(stored.held.count).toBe(11);
      await stored.release();
      expect(store.usage.bytes).toBe(await filesOnDisk(join(home, 'blobs')));
    });

    it('gives back what was reserved and not written', async () => {
      await open({ quota: 10 * MIB });
      const [one, two] = [sample(8 * MIB), sample(8 * MIB)];
      const stored = await store.create(one.blob, PIECE, one.content.length);
      await writeBlock(stored, one, 0);
      expect(store.usage.bytes).toBeGreaterThan(8 * MIB);
      await expect(store.create(two.blob, PIECE, two.content.length)).rejects.toThrow(Unstorable);
      await stored.release();
      expect(store.usage.bytes).toBe(await filesOnDisk(join(home, 'blobs')));
      expect(store.usage.bytes).toBeLessThan(MIB);
    });

    it('lets only so many in at once as fit', async () => {
      await open({ quota: 10 * MIB });
      const wanted = Array.from({ length: 5 }, () => sample(3 * MIB));
      const made = await Promise.allSettled(
        wanted.map(({ blob, content }) => store.create(blob, PIECE, content.length)),
      );
      expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
      for (const result of made) if (result.status === 'fulfilled') await result.value.release();
    });

    it('takes a blob from users that would let it go, when nobody has read it for a moment, and tells them', async () => {
      let now = 1000;
      const timer = new HandTimer();
      await open({ quota: 5 * MIB, now: () => now, every: timer.every });
      const [one, two] = [sample(3 * MIB), sample(3 * MIB)];
      await put(store, one);
      const stored = (await store.find(one.blob))!;
      let taken = 0;
      stored.yieldTo(() => (taken += 1));
      await stored.read(0);
      const waiting = store.create(two.blob, PIECE, two.content.length);
      await new Promise((resolve) => setTimeout(resolve, 250));
      expect(taken).toBe(0);
      now += 2001;
      const other = await waiting;
      expect(taken).toBe(1);
      expect(await store.find(one.blob)).toBeUndefined();
      await expect(stored.read(0)).rejects.toThrow();
      await other.release();
    });
  });

  it('is made of others while the disk does not let one go, which is tried again after a minute', async () => {
    let now = 1000;
    const warned: object[] = [];
    const log = { debug: () => undefined, warn: (fields: object) => void warned.push(fields) };
    await open({ quota: 7 * MIB, now: () => now, every: new HandTimer().every, log });
    const [stuck, ...others] = Array.from({ length: 6 }, () => sample(2 * MIB));
    await put(store, stuck!);
    const hex = hexOf(stuck!.blob);
    const part = join(home, 'blobs/sha256', hex.slice(0, 2), `${hex}.part`);
    await mkdir(part);
    for (const one of others.slice(0, 4)) await put(store, one);
    expect(await Promise.all(others.slice(0, 4).map((each) => has(store, each)))).toEqual([false, false, true, true]);
    expect(store.usage).toMatchObject({ blobs: 3, evicted: 2 });
    expect(warned).toEqual([{ blob: stuck!.blob, err: expect.objectContaining({ syscall: 'rm' }) as Error }]);
    now += 60_000;
    await rm(part, { recursive: true });
    await put(store, others[4]!);
    expect(await Promise.all(others.map((each) => has(store, each)))).toEqual([false, false, true, true, true]);
    expect(store.usage).toMatchObject({ blobs: 3, evicted: 3 });
    // Alone, it is no room: who wants some is told so.
    await store.remove(others[2]!.blob);
    await store.remove(others[3]!.blob);
    const [first, part4] = [others[4]!.blob, hexOf(others[4]!.blob)];
    await mkdir(join(home, 'blobs/sha256', part4.slice(0, 2), `${part4}.part`));
    await expect(store.create(sample(1).blob, PIECE, 6 * MIB)).rejects.toThrow('and nothing else may go');
    expect(warned.map((fields) => (fields as { blob: string }).blob)).toEqual([stuck!.blob, first]);
  });

  describe('the floor', () => {
    const HEADROOM = 256 * 1024; // for the books of the file system

    it('is kept by refusing, at once', async () => {
      const disk = new PretendedDisk(20 * MIB);
      await open({ minFree: 15 * MIB, statfs: disk.statfs });
      await expect(store.create(sample(1).blob, PIECE, 5 * MIB)).rejects.toThrow(
        '20971520 bytes are free and 15728640 must',
      );
      const fits = await store.create(sample(1).blob, PIECE, 4 * MIB);
      // What was promised to one is not promised to another.
      await expect(store.create(sample(2).blob, PIECE, MIB)).rejects.toThrow(Unstorable);
      await fits.release();
    });

    it('is kept when others take the room that was reserved', async () => {
      const disk = new PretendedDisk(20 * MIB);
      await open({ minFree: 10 * MIB, statfs: disk.statfs });
      const one = sample(5 * MIB);
      const stored = await store.create(one.blob, PIECE, one.content.length);
      await writeBlock(stored, one, 0);
      disk.free = 10 * MIB + HEADROOM + 200_000;
      await expect(writeBlock(stored, one, 1)).rejects.toThrow(Unstorable);
      expect([...stored.held]).toEqual([0]);
      disk.free = 20 * MIB;
      expect(await writeBlock(stored, one, 1)).toBe(true);
      await stored.release();
    });

    it('is restored when others have crossed it, by what was not used for the longest time', async () => {
      const disk = new PretendedDisk(100 * MIB);
      const timer = new HandTimer();
      const evicted: string[] = [];
      const heard = new Map<string, () => void>();
      const log = {
        warn: () => undefined,
        debug: ({ blob }: { blob?: string }) => {
          evicted.push(blob ?? '');
          disk.free += 2 * MIB;
          heard.get(blob ?? '')?.();
        },
      };
      await open({ minFree: 50 * MIB, statfs: disk.statfs, every: timer.every, log });
      const all = [sample(2 * MIB), sample(2 * MIB), sample(2 * MIB)];
      for (const one of all) await put(store, one);
      const second = new Promise<void>((resolve) => heard.set(all[1]!.blob, resolve));
      disk.free = 47 * MIB;
      timer.tick();
      await second;
      expect(evicted).toEqual([all[0]!.blob, all[1]!.blob]);
      expect(await has(store, all[2]!)).toBe(true);
    });

    it('does not ask the file system for each block while there is plenty', async () => {
      const disk = new PretendedDisk(1024 * MIB);
      const now = 1000;
      await open({ minFree: 100 * MIB, statfs: disk.statfs, now: () => now, every: new HandTimer().every });
      disk.questions = 0;
      await put(store, sample(12 * MIB));
      expect(disk.questions).toBeLessThanOrEqual(1);
    });
  });

  describe('for the lock of the store', () => {
    /** Has the disk take no new link as long as more than so many blobs are there. */
    function fullAbove(blobs: number): void {
      const { symlink } = promises;
      jest.spyOn(promises, 'symlink').mockImplementation(async (target, path) => {
        const files = await readdir(join(home, 'blobs'), { recursive: true });
        if (files.filter((name) => name.endsWith('.data')).length > blobs) {
          throw Object.assign(new Error('ENOSPC: no space left on device, symlink'), { code: 'ENOSPC' });
        }
        await symlink(target, path);
      });
    }
    afterEach(() => jest.restoreAllMocks());

    it('is made on a full disk by what was not used for the longest time, one blob a check', async () => {
      const timer = new HandTimer();
      await open({});
      const all = [sample(1000), sample(1001), sample(1002), sample(1003)];
      for (const one of all) await put(store, one);
      await store.stop();
      for (const [index, { blob }] of all.entries()) {
        const usedAt = new Date(Date.UTC(2024, 0, index + 1));
        await utimes(join(home, 'blobs/sha256', hexOf(blob).slice(0, 2), `${hexOf(blob)}.blocks`), usedAt, usedAt);
      }
      fullAbove(2);
      // Asked as soon as the store can be written to.
      const disk = new PretendedDisk(100 * MIB);
      let tell = (): void => undefined;
      const recovered = new Promise<void>((resolve) => (tell = resolve));
      const statfs = (): ReturnType<PretendedDisk['statfs']> => {
        tell();
        return disk.statfs();
      };
      await open({ every: timer.every, statfs });
      const late = sample(1004);
      await expect(put(store, late)).rejects.toThrow(Unstorable);
      expect(store.usage).toMatchObject({ blobs: 3, evicted: 1 });
      timer.tick();
      await recovered;
      await put(store, late);
      expect(await Promise.all([...all, late].map((each) => has(store, each)))).toEqual([
        false,
        false,
        true,
        true,
        true,
      ]);
      expect(store.usage).toMatchObject({ blobs: 3, evicted: 2 });
    });

    it('is not made where another process works', async () => {
      await open({});
      await put(store, sample(1000));
      fullAbove(0);
      const left = await filesOnDisk(home);
      await expect(BlobStore.open(home)).rejects.toThrow(StoreInUse);
      expect(await filesOnDisk(home)).toBe(left);
    });
  });

  describe('what an earlier process left', () => {
    it('is counted, and what is of no use is cleaned up', async () => {
      await open({});
      const [whole, part] = [sample(2 * MIB), sample(3 * MIB)];
      await put(store, whole);
      const stored = await store.create(part.blob, PIECE, part.content.length);
      await writeBlock(stored, part, 2);
      await stored.release();
      const { bytes } = store.usage;
      const folder = join(home, 'blobs/sha256', 'ab');
      await mkdir(folder, { recursive: true });
      const hex = `ab${'0'.repeat(62)}`;
      await writeFile(join(folder, `${hex}.part`), 'orphan');
      await writeFile(join(folder, `ac${hex.slice(2)}.part`), 'not where it belongs');
      await writeFile(join(folder, `${hex.slice(0, 63)}1.blocks`), 'orphan');
      await writeFile(join(folder, 'notes.txt'), "somebody else's");
      await restart({});
      expect(store.usage).toEqual({ blobs: 2, bytes, evicted: 0 });
      const left = (await readdir(folder)).filter((name) => !name.startsWith(hexOf(whole.blob)));
      expect(left.filter((name) => !name.startsWith(hexOf(part.blob))).sort()).toEqual([
        `ac${hex.slice(2)}.part`,
        'notes.txt',
      ]);
      const again = (await store.find(part.blob))!;
      expect([...again.held]).toEqual([2]);
      await again.release();
    });

    it('is removed, and named to nobody, when a build with other blocks wrote it', async () => {
      await open({});
      const [ours, foreign] = [sample(2 * MIB), sample(2 * MIB)];
      await put(store, ours);
      await put(store, foreign);
      await store.stop();
      const folder = join(home, 'blobs/sha256', hexOf(foreign.blob).slice(0, 2));
      const table = await openFile(join(folder, `${hexOf(foreign.blob)}.blocks`), 'r+');
      await table.write('{"version":2', 0);
      await table.close();
      store = await BlobStore.open(home);
      expect(store.finished()).toEqual([ours.blob]);
      expect(store.usage.blobs).toBe(1);
      expect((await readdir(folder)).filter((name) => name.startsWith(hexOf(foreign.blob)))).toEqual([]);
      expect(await has(store, foreign)).toBe(false);
    });

    it('makes room when the quota has become smaller', async () => {
      await open({});
      const all: Sample[] = [sample(2 * MIB), sample(2 * MIB), sample(2 * MIB)];
      for (const one of all) await put(store, one);
      await restart({ quota: 5 * MIB });
      expect(store.usage.blobs).toBe(2);
      expect(store.usage.bytes).toBeLessThanOrEqual(5 * MIB);
    });
  });
});
