import { createHash, randomBytes } from 'node:crypto';

import { formatRegistryRequest } from '@cdk8s-dragonfly/protocol';
import { BlobStore, Unstorable } from '@cdk8s-dragonfly/store';

import { SmallDisk, mebibytes, watchFree } from './small-disk';
import { Swarm, readAll } from './swarm';

const MIB = mebibytes(1);
/** Small disks are mounted; without the right to do so, the store's own tests with a pretended file system are all there is. */
const mounted = SmallDisk.isPossible ? describe : describe.skip;

mounted('small disks', () => {
  let swarm: Swarm;
  const disks: SmallDisk[] = [];
  const disk = (kind: 'tmpfs' | 'ext4', mib: number): SmallDisk => {
    const made = SmallDisk.make(kind, mib);
    disks.push(made);
    return made;
  };
  afterEach(async () => {
    await swarm.stop();
    for (const made of disks.splice(0)) made.remove();
  });

  describe.each(['tmpfs', 'ext4'] as const)('a supernode on a %s of 32 MiB that has to leave 4 free', (kind) => {
    const minFree = mebibytes(4);

    it('serves blobs over and over, and never crosses the floor', async () => {
      const small = disk(kind, 32);
      swarm = await Swarm.start(1, { folder: small.folder, minFree });
      const contents = Array.from({ length: 6 }, (_, index) => randomBytes(mebibytes(4.5) + index * 617_283));
      const blobs = contents.map((content) => swarm.origin.add(content));
      // It keeps one blob or two, so that the supernode is asked again.
      const node = await swarm.addNode(undefined, undefined, { diskQuota: mebibytes(16) });
      const stopWatching = watchFree(small);
      // The disk takes five of them: the first ones, which had to go, are fetched anew at the end.
      for (const index of [0, 1, 2, 3, 4, 5, 0, 1]) {
        expect(contents[index]?.equals(await readAll(node, blobs[index]!))).toBe(true);
      }
      const { least, looks } = stopWatching();
      expect(least).toBeGreaterThanOrEqual(minFree);
      expect(least).toBeLessThan(mebibytes(15));
      expect(looks).toBeGreaterThan(100);
      // It served them all: the daemon did not have to go to the origin by itself.
      expect(node.traffic.origin).toBe(0);
    });

    it('stays above the floor when others fill the disk meanwhile', async () => {
      const small = disk(kind, 32);
      swarm = await Swarm.start(1, { folder: small.folder, minFree });
      const first = randomBytes(mebibytes(8));
      const node = await swarm.addNode();
      await readAll(node, swarm.origin.add(first));
      const content = randomBytes(mebibytes(10));
      let filled = false;
      const reading = readAll(node, swarm.origin.add(content), { from: 0 }, (sum) => {
        if (sum < mebibytes(2) || filled) return;
        filled = true;
        small.fill(minFree + mebibytes(3));
      });
      expect(content.equals(await reading)).toBe(true);
      expect(filled).toBe(true);
      expect(small.free).toBeGreaterThanOrEqual(minFree);
    });

    it('says at once that a blob larger than the disk is unstorable, and daemons get it from the origin', async () => {
      const small = disk(kind, 32);
      swarm = await Swarm.start(1, { folder: small.folder, minFree });
      const content = randomBytes(mebibytes(35));
      const { blob, url } = swarm.origin.add(content);
      const before = small.free;
      const began = performance.now();
      const answer = await fetch(`http://127.0.0.1:${swarm.supernodePort}/peer/registry`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: formatRegistryRequest({
          rawUrl: url.href,
          taskUrl: url.href,
          cid: '127.0.0.1-1-1.1',
          ip: '127.0.0.1',
          port: 1,
          path: '/peer/file/x',
          hostName: 'x',
          headers: [],
          dfdaemon: false,
        }),
      });
      const { code, msg } = (await answer.json()) as { code: number; msg: string };
      const ms = performance.now() - began;
      expect({ code, msg }).toMatchObject({ code: 607, msg: expect.stringContaining('unstorable: ') as string });
      expect(msg).toMatch(new RegExp(`${blob} needs \\d+ bytes more on this disk.* 4194304 must stay free`));
      expect(ms).toBeLessThan(4000);
      expect(before - small.free).toBeLessThan(65_536);

      const node = await swarm.addNode();
      expect(content.equals(await readAll(node, { blob, url }))).toBe(true);
      expect(node.traffic.origin).toBe(content.length);
    });
  });

  describe('a store on a disk that is fuller than it says', () => {
    it.each(['tmpfs', 'ext4'] as const)(
      'keeps on a %s what it has, and says that the rest is unstorable',
      async (kind) => {
        swarm = await Swarm.start();
        const { folder } = disk(kind, 16);
        // Pretends that the limits never bite, so that the file system itself refuses.
        const options = { statfs: () => Promise.resolve({ bavail: 1e9, bsize: 4096, blocks: 1e9 }) };
        const content = randomBytes(24 * MIB);
        const { blob } = swarm.origin.add(content);
        const store = await BlobStore.open(folder, options);
        const stored = await store.create(blob, 4 * MIB, content.length);
        const block = (index: number): Buffer => {
          const { offset, length } = stored.grid.span(index);
          return content.subarray(offset, offset + length);
        };
        const proof = (index: number): { hash: Buffer } => ({
          hash: createHash('sha256').update(block(index)).digest(),
        });
        let written = 0;
        const writeAll = async (): Promise<void> => {
          for (; ; written += 1) await stored.write(written, [block(written)], proof(written));
        };
        await expect(writeAll()).rejects.toThrow(/^sha256:[0-9a-f]{64} cannot be written to this disk: ENOSPC/);
        expect(written).toBeGreaterThan(20);
        await expect(stored.write(written, [block(written)], proof(written))).rejects.toThrow(Unstorable);
        await stored.release();
        await store.stop();

        const again = await BlobStore.open(folder, options);
        const left = (await again.find(blob))!;
        expect([...left.held]).toEqual(Array.from({ length: written }, (_, index) => index));
        for (let index = 0; index < written; index += 1) expect(block(index).equals(await left.read(index))).toBe(true);
        await left.release();
        // A full disk can be emptied.
        await again.remove(blob);
        expect(again.usage).toEqual({ blobs: 0, bytes: 0, evicted: 0 });
        await again.stop();
      },
    );
  });

  describe('a daemon whose disk takes nothing', () => {
    const content = randomBytes(10 * MIB + 321);

    it('gives the right bytes, whole and in part, when a blob does not fit', async () => {
      swarm = await Swarm.start();
      const blob = swarm.origin.add(content);
      const { folder } = disk('tmpfs', 8);
      const node = await swarm.addNode('small', undefined, { folder });
      expect(content.equals(await readAll(node, blob))).toBe(true);
      const part = await readAll(node, blob, { from: 3_000_000, end: 9_000_001 });
      expect(content.subarray(3_000_000, 9_000_001).equals(part)).toBe(true);
      const end = await readAll(node, blob, { from: content.length - 5 });
      expect(content.subarray(-5).equals(end)).toBe(true);
    });

    it('gives the right bytes when the disk fills up in the middle, from where the reader is', async () => {
      swarm = await Swarm.start();
      const blob = swarm.origin.add(content);
      const small = disk('tmpfs', 64);
      const node = await swarm.addNode('full', undefined, { folder: small.folder });
      let filled = false;
      const result = await readAll(node, blob, { from: 0 }, (sum) => {
        if (sum < 2 * MIB || filled) return;
        filled = true;
        small.fill(0);
      });
      expect(content.equals(result)).toBe(true);
      expect(swarm.lines.some((line) => line.includes('past the disk, straight from the origin'))).toBe(true);
      // What was on disk already was not fetched again.
      expect(node.traffic.origin).toBeLessThan(content.length - MIB);
    });

    it('serves what it has, and gives the rest from the origin, when its disk is read-only at the start', async () => {
      swarm = await Swarm.start();
      const known = randomBytes(3 * MIB);
      const [there, other] = [swarm.origin.add(known), swarm.origin.add(content)];
      const small = disk('tmpfs', 64);
      const before = await swarm.addNode('writable', undefined, { folder: small.folder });
      await readAll(before, there);
      await swarm.stopNode(before);
      small.makeReadOnly();

      const after = await swarm.addNode('read-only', undefined, { folder: small.folder });
      expect(known.equals(await readAll(after, there))).toBe(true);
      expect(after.traffic).toEqual({ local: known.length, peer: 0, supernode: 0, origin: 0 });
      expect(content.equals(await readAll(after, other))).toBe(true);
      expect(after.traffic.origin).toBe(content.length);
    });

    it('never ends a blob whose bytes do not have its digest', async () => {
      swarm = await Swarm.start();
      const blob = swarm.origin.add(content);
      const { folder } = disk('tmpfs', 8);
      const node = await swarm.addNode('small', undefined, { folder });
      swarm.origin.fault = (_request, response) => {
        response.writeHead(200, { 'content-length': content.length }).end(randomBytes(content.length));
        return true;
      };
      let received = 0;
      const reading = readAll(node, blob, { from: 0 }, (sum) => {
        received = sum;
      });
      await expect(reading).rejects.toMatchObject({ reason: 'digest-mismatch' });
      expect(received).toBeLessThanOrEqual(content.length - MIB);
    });

    it("passes the origin's refusal on before the first byte", async () => {
      swarm = await Swarm.start();
      const blob = swarm.origin.add(content);
      const { folder } = disk('tmpfs', 1);
      const node = await swarm.addNode('tiny', undefined, { folder });
      swarm.origin.fault = (_request, response) => {
        response.writeHead(403).end();
        return true;
      };
      await expect(readAll(node, blob)).rejects.toMatchObject({ reason: 'origin-status', status: 403 });
    });
  });
});
