import { createHash, randomBytes } from 'node:crypto';
import { promises } from 'node:fs';
import {
  copyFile,
  mkdtemp,
  open,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { hexOf } from '@cdk8s-dragonfly/protocol';
import type { Digest } from '@cdk8s-dragonfly/protocol';
import { BlobStore, DamagedBlock } from '@cdk8s-dragonfly/store';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

const MIB = 1024 * 1024;
const PIECE = 4 * MIB;
const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();

const content = randomBytes(600_000); // blocks 0 and 1 of 256 KiB, and a short block 2
const blob: Digest = `sha256:${sha256(content).toString('hex')}`;
const block = (index: number): Buffer => content.subarray(index * 262144, (index + 1) * 262144);
const proof = (index: number, signature?: Buffer): { hash: Buffer; signature?: Buffer } => ({
  hash: sha256(block(index)),
  ...(signature === undefined ? {} : { signature }),
});

describe('the store', () => {
  let home: string;
  let store: BlobStore;
  const fileOf = (ending: string): string => join(home, 'blobs/sha256', hexOf(blob).slice(0, 2), hexOf(blob) + ending);

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'store-'));
    store = await BlobStore.open(home);
  });
  afterEach(async () => {
    await store.stop();
    await rm(home, { recursive: true });
  });

  /** The store of the next process. */
  async function restart(): Promise<BlobStore> {
    await store.stop();
    store = await BlobStore.open(home);
    return store;
  }

  async function fill(stored: StoredBlob, ...indexes: number[]): Promise<void> {
    for (const index of indexes) await stored.write(index, [block(index)], proof(index, Buffer.alloc(64, index)));
  }

  it('has nothing of a blob that nobody wrote', async () => {
    expect(await store.find(blob)).toBeUndefined();
  });

  describe('on a disk with a bad place', () => {
    const others = Buffer.from('other content');
    const other: Digest = `sha256:${sha256(others).toString('hex')}`;
    // What Node makes of EUCLEAN and EBADMSG: it has no names for them.
    const unnamed = (errno: number): Error =>
      Object.assign(new Error('what?'), { errno, code: `Unknown system error ${errno}` });
    const uncleaned = unnamed(-117);
    const badMessage = unnamed(-74);
    const broken = Object.assign(new Error('EIO: i/o error'), { errno: -5, code: 'EIO' });
    const warnings: unknown[] = [];
    const log = { debug: () => undefined, warn: (fields: object) => warnings.push(fields) };

    beforeEach(async () => {
      warnings.length = 0;
      const whole = await store.create(other, PIECE, others.length);
      await whole.write(0, [others], { hash: sha256(others) });
      await whole.finish();
      const damaged = await store.create(blob, PIECE, content.length);
      await fill(damaged, 0);
      await Promise.all([whole.release(), damaged.release()]);
      await store.stop();
    });
    afterEach(() => jest.restoreAllMocks());

    /** Makes a call of the file system fail where it is about a path. */
    function fail(call: 'lstat' | 'readdir' | 'open', path: string, error: Error): void {
      const real = promises[call] as (...args: unknown[]) => Promise<unknown>;
      jest.spyOn(promises, call).mockImplementation((async (...args: unknown[]) => {
        if (args[0] === path) throw error;
        return real(...args);
      }) as never);
    }

    it.each<[string, () => void, number]>([
      ['its table cannot be read', () => fail('open', fileOf('.blocks'), broken), 0],
      ['the books of the file system are damaged at its data', () => fail('lstat', fileOf('.part'), uncleaned), 1],
      ['its folder is damaged', () => fail('readdir', dirname(fileOf('')), badMessage), 1],
    ])('opens with all other blobs when of one %s', async (_what, damage, warned) => {
      damage();
      store = await BlobStore.open(home, { log });
      expect(warnings).toHaveLength(warned);
      expect(await store.find(blob)).toBeUndefined();
      const found = await store.find(other);
      expect(found?.finished).toBe(true);
      await found?.release();
    });

    it('has no longer what has come to stand there, and says so', async () => {
      store = await BlobStore.open(home, { log });
      fail('open', fileOf('.blocks'), uncleaned);
      expect(await store.find(blob)).toBeUndefined();
      expect(warnings).toEqual([{ blob, err: uncleaned }]);
      expect(store.usage.blobs).toBe(1);
    });

    it('has no block there, but fetches it anew', async () => {
      store = await BlobStore.open(home);
      const stored = await store.find(blob);
      const data = await promises.open(fileOf('.part'));
      jest.spyOn(Object.getPrototypeOf(data) as typeof data, 'read').mockRejectedValue(badMessage);
      await data.close();
      await expect(stored?.read(0)).rejects.toThrow(DamagedBlock);
      expect([...(stored?.held ?? [])]).toEqual([]);
      await stored?.release();
    });
  });

  it('gives back what was written, in any order and cut in any way', async () => {
    const stored = await store.create(blob, PIECE, content.length);
    await stored.write(2, [block(2)], proof(2));
    await stored.write(0, [block(0).subarray(0, 1000), block(0).subarray(1000)], proof(0));
    expect([...stored.held]).toEqual([0, 2]);
    expect(stored.whole).toBe(false);
    await stored.write(1, [block(1)], proof(1));
    expect(stored.whole).toBe(true);
    for (const index of [0, 1, 2]) expect(block(index).equals(await stored.read(index))).toBe(true);
    await stored.release();
  });

  it('writes a block once, however many bring it, and tells watchers once', async () => {
    const stored = await store.create(blob, PIECE, content.length);
    const seen: number[] = [];
    const stop = stored.watch((index) => seen.push(index));
    const written = await Promise.all([1, 2, 3].map(() => stored.write(1, [block(1)], proof(1))));
    expect(written).toEqual([true, false, false]);
    expect(await stored.write(1, [block(1)], proof(1))).toBe(false);
    stop();
    await stored.write(0, [block(0)], proof(0));
    expect(seen).toEqual([1]);
    await stored.release();
  });

  it('has another revision whenever blocks come or go, or its length or edition is told', async () => {
    const stored = await store.create(blob, PIECE, undefined);
    const revisions = [stored.revision];
    const changes: (() => Promise<void>)[] = [
      async () => stored.setSize(content.length),
      async () => stored.setEdition({ id: 'ef'.repeat(16) }),
      async () => fill(stored, 0),
      async () => fill(stored, 1),
      () => {
        stored.drop(0);
        return Promise.resolve();
      },
    ];
    for (const change of changes) {
      await change();
      revisions.push(stored.revision);
    }
    expect(new Set(revisions).size).toBe(1 + changes.length);
    // Nothing of this changes anything.
    await stored.setSize(content.length);
    await fill(stored, 1);
    stored.drop(0);
    expect(stored.revision).toBe(revisions.at(-1));
    await stored.release();
  });

  it('takes its final name only when finished, and is found whole by the next process', async () => {
    const stored = await store.create(blob, PIECE, content.length);
    await fill(stored, 0, 1);
    await expect(stored.finish()).rejects.toThrow('is not whole and cannot be finished');
    await fill(stored, 2);
    expect(stored.finished).toBe(false);
    await stored.finish();
    expect(stored.finished).toBe(true);
    expect(content.equals(await readFile(fileOf('.data')))).toBe(true);
    await stored.release();

    const again = await (await restart()).find(blob);
    expect(again?.finished).toBe(true);
    expect(again?.size).toBe(content.length);
    expect(again?.proofOf(1)).toEqual(proof(1, Buffer.alloc(64, 1)));
    expect(block(1).equals(await again!.read(1))).toBe(true);
    await again?.release();
  });

  it('resumes what an earlier process left, less a record that was cut short', async () => {
    const stored = await store.create(blob, PIECE, undefined);
    await fill(stored, 0, 1);
    await stored.release();
    await truncate(fileOf('.blocks'), 256 + 104 + 50);

    const again = (await (await restart()).find(blob))!;
    expect(again.size).toBeUndefined();
    expect([...again.held]).toEqual([0]);
    await again.setSize(content.length);
    await fill(again, 1, 2);
    await again.finish();
    expect(content.equals(await readFile(fileOf('.data')))).toBe(true);
    await again.release();
  });

  it('passes over a record that could not be written', async () => {
    const stored = await store.create(blob, PIECE, content.length);
    await fill(stored, 0, 1, 2);
    await stored.release();
    const table = await readFile(fileOf('.blocks'));
    table.fill(0, 256 + 104, 256 + 2 * 104);
    await writeFile(fileOf('.blocks'), table);

    const again = (await (await restart()).find(blob))!;
    expect([...again.held]).toEqual([0, 2]);
    expect(block(0).equals(await again.read(0))).toBe(true);
    await again.release();
  });

  it('finds damage that happened while it was not running, and takes the block anew', async () => {
    const stored = await store.create(blob, PIECE, content.length);
    await fill(stored, 0, 1, 2);
    await stored.finish();
    await stored.release();
    const bytes = await readFile(fileOf('.data'));
    bytes[300_000] = bytes[300_000]! ^ 1;
    await writeFile(fileOf('.data'), bytes);

    const again = (await (await restart()).find(blob))!;
    expect(block(0).equals(await again.read(0))).toBe(true);
    await expect(again.read(1)).rejects.toThrow(DamagedBlock);
    expect([...again.held]).toEqual([0, 2]);
    expect(again.finished).toBe(false);
    await fill(again, 1);
    expect(block(1).equals(await again.read(1))).toBe(true);
    expect(again.finished).toBe(true);
    await again.release();
  });

  describe('that is opened again', () => {
    /** As if the last write were a minute old. */
    const age = async (): Promise<void> => utimes(fileOf('.data'), new Date(), new Date(Date.now() - 60_000));
    /** Writes the blob, and lets it go. */
    const put = async (): Promise<void> => {
      const stored = await store.create(blob, PIECE, content.length);
      await fill(stored, 0, 1, 2);
      await stored.finish();
      await age();
      await stored.release();
    };
    /** Changes a byte of block 1 where it is. @param isSeen whether the file's time tells of it. */
    const damage = async (isSeen: boolean): Promise<void> => {
      const { atime, mtime } = await stat(fileOf('.data'));
      const file = await open(fileOf('.data'), 'r+');
      await file.write(Buffer.from([block(1)[1000]! ^ 1]), 0, 1, 262_144 + 1000);
      await file.close();
      if (!isSeen) await utimes(fileOf('.data'), atime, mtime);
    };
    const readAgain = async (): Promise<Buffer> => {
      const again = (await store.find(blob))!;
      try {
        return await again.read(1);
      } finally {
        await again.release();
      }
    };

    it('does not hash anew what it wrote itself, and nobody else since', async () => {
      await put();
      await damage(false);
      // If it is given, it was not hashed.
      expect((await readAgain()).equals(block(1))).toBe(false);
      expect((await readAgain()).equals(block(1))).toBe(false);
    });

    it('hashes anew what was written a moment before', async () => {
      const stored = await store.create(blob, PIECE, content.length);
      await fill(stored, 0, 1, 2);
      await stored.release();
      const { atime, mtime } = await stat(fileOf('.part'));
      await writeFile(fileOf('.part'), Buffer.alloc(content.length));
      await utimes(fileOf('.part'), atime, mtime);
      await expect(readAgain()).rejects.toThrow(DamagedBlock);
    });

    it('finds what was written since it was checked, while it was closed and while it was open', async () => {
      await put();
      await restart();
      expect((await readAgain()).equals(block(1))).toBe(true);
      await damage(true);
      await expect(readAgain()).rejects.toThrow(DamagedBlock);

      const stored = (await store.find(blob))!;
      await fill(stored, 1);
      await age();
      await stored.release();
      const again = (await store.find(blob))!;
      await damage(true);
      await again.release();
      await expect(readAgain()).rejects.toThrow(DamagedBlock);
    });

    it('hashes anew after ten minutes, for a disk may lose what nobody writes to', async () => {
      await put();
      await damage(false);
      const now = jest.spyOn(performance, 'now').mockReturnValue(performance.now() + 600_001);
      try {
        await expect(readAgain()).rejects.toThrow(DamagedBlock);
      } finally {
        now.mockRestore();
      }
    });

    it('hashes anew what it had checked, once a block was dropped', async () => {
      await put();
      const stored = (await store.find(blob))!;
      stored.drop(0);
      await stored.release();
      await damage(false);
      await expect(readAgain()).rejects.toThrow(DamagedBlock);
      await expect(readAgain()).rejects.toThrow(DamagedBlock);
    });

    it('hashes anew what another file was put in the place of, or has another name for', async () => {
      await put();
      await damage(false);
      const { atime, mtime } = await stat(fileOf('.data'));
      await copyFile(fileOf('.data'), `${fileOf('.data')}.copy`);
      await utimes(`${fileOf('.data')}.copy`, atime, mtime);
      await rename(`${fileOf('.data')}.copy`, fileOf('.data'));
      await expect(readAgain()).rejects.toThrow(DamagedBlock);

      const stored = (await store.find(blob))!;
      await fill(stored, 1);
      await stored.nameData(join(home, 'further'));
      await age();
      await stored.release();
      await damage(false);
      await expect(readAgain()).rejects.toThrow(DamagedBlock);
    });

    it('hashes anew what its table is no longer known to be of', async () => {
      await put();
      await damage(false);
      await utimes(fileOf('.blocks'), new Date(), new Date(Date.now() + 1000));
      await expect(readAgain()).rejects.toThrow(DamagedBlock);
    });
  });

  it('finds a data file that lost its end', async () => {
    const stored = await store.create(blob, PIECE, content.length);
    await fill(stored, 0, 1, 2);
    await stored.release();
    await truncate(fileOf('.part'), 300_000);
    const again = (await (await restart()).find(blob))!;
    await expect(again.read(1)).rejects.toThrow(`block 1 of ${blob} on disk does not have the hash`);
    expect(block(0).equals(await again.read(0))).toBe(true);
    await again.release();
  });

  it('drops a damaged table', async () => {
    const stored = await store.create(blob, PIECE, content.length);
    await fill(stored, 0);
    await stored.release();
    await writeFile(fileOf('.blocks'), 'nonsense');
    expect(await store.find(blob)).toBeUndefined();
    const anew = await store.create(blob, PIECE, content.length);
    expect(anew.held.count).toBe(0);
    await anew.release();
  });

  it('shares one object between users and closes it with the last', async () => {
    const [one, two] = await Promise.all([
      store.create(blob, PIECE, undefined),
      store.create(blob, PIECE, content.length),
    ]);
    expect(two).toBe(one);
    expect(one.size).toBe(content.length);
    await one.release();
    await fill(two, 0);
    expect(block(0).equals(await two.read(0))).toBe(true);
    await two.release();
    await expect(two.read(0)).rejects.toThrow();
  });

  it('drops what it has in another shape, unless somebody uses it', async () => {
    const stored = await store.create(blob, PIECE, content.length);
    await fill(stored, 0);
    await expect(store.create(blob, PIECE, 5)).rejects.toThrow(`${blob} is in use with 600000 bytes, not 5`);
    await stored.release();
    const other = await store.create(blob, 5 * MIB, content.length);
    expect(other.held.count).toBe(0);
    await other.release();
  });

  it('forgets what is removed', async () => {
    const stored = await store.create(blob, PIECE, content.length);
    await fill(stored, 0);
    await store.remove(blob);
    expect(await store.find(blob)).toBeUndefined();
    expect(block(0).equals(await stored.read(0))).toBe(true);
    await stored.release();
    expect(await readdir(join(home, 'blobs/sha256', hexOf(blob).slice(0, 2)))).toEqual([]);
  });

  it('follows no symbolic link', async () => {
    await store.stop();
    const elsewhere = await mkdtemp(join(tmpdir(), 'store-'));
    await rm(join(home, 'blobs'), { recursive: true });
    await symlink(elsewhere, join(home, 'blobs'));
    await expect(BlobStore.open(home)).rejects.toThrow('is not a folder; symbolic links are not followed');
    await rm(elsewhere, { recursive: true });
  });

  it('takes no name that is not a digest', async () => {
    await expect(store.find('sha256:../../../etc/passwd')).rejects.toThrow('is not the name of a blob');
  });
});
