import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { BlobStore, Unstorable } from '@cdk8s-dragonfly/store';
import type { StoredBlob } from '@cdk8s-dragonfly/store';
import * as fc from 'fast-check';

import { MIB, PIECE, PretendedDisk, filesOnDisk, sample, writeBlock } from './blobs';
import type { Sample } from './blobs';

const samples = [100, 300_000, 700_000, MIB, 1_500_000, 2 * MIB, 3 * MIB].map(sample);
const QUOTA = 4 * MIB;

/** What happens to one of the blobs. */
const step = fc.record({
  what: fc.constantFrom(
    'create',
    'createUnknown',
    'find',
    'write',
    'write',
    'write',
    'fill',
    'finish',
    'release',
    'remove',
  ),
  which: fc.nat(samples.length - 1),
  block: fc.nat(20),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A store with some users. */
class Model {
  readonly open = new Map<Sample, StoredBlob>();

  constructor(readonly store: BlobStore) {}

  async apply({ what, which, block }: Step): Promise<void> {
    const one = samples[which]!;
    try {
      await this.tryTo(what, one, block);
    } catch (error) {
      if (!(error instanceof Unstorable)) throw error;
    }
  }

  private async tryTo(what: Step['what'], one: Sample, block: number): Promise<void> {
    const { blob, content } = one;
    const stored = this.open.get(one);
    if (stored === undefined) {
      if (what === 'create') this.open.set(one, await this.store.create(blob, PIECE, content.length));
      else if (what === 'createUnknown') this.open.set(one, await this.store.create(blob, PIECE, undefined));
      else if (what === 'find') {
        const found = await this.store.find(blob);
        if (found !== undefined) this.open.set(one, found);
      } else if (what === 'remove') await this.store.remove(blob);
      return;
    }
    const count = stored.grid.blockCount(content.length);
    if (what === 'write') await writeBlock(stored, one, block % count);
    else if (what === 'fill') {
      for (let index = 0; index < count; index += 1) await writeBlock(stored, one, index);
      await stored.setSize(content.length);
    } else if (what === 'finish' && stored.whole && (await this.isThere(stored))) await stored.finish();
    else if (what === 'release' || what === 'remove') {
      this.open.delete(one);
      if (what === 'remove') await this.store.remove(blob);
      await stored.release();
    }
  }

  private async isThere(stored: StoredBlob): Promise<boolean> {
    const found = await this.store.find(stored.blob);
    await found?.release();
    return found === stored;
  }

  async releaseAll(): Promise<void> {
    for (const stored of this.open.values()) await stored.release();
    this.open.clear();
  }
}

describe('the accounts of the store', () => {
  it('never exceed the quota, and are what is on disk, whatever is done in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { maxLength: 25 }), async (rounds) => {
        const home = await mkdtemp(join(tmpdir(), 'store-accounts-'));
        const disk = new PretendedDisk(1024 * MIB);
        const store = await BlobStore.open(home, { quota: QUOTA, statfs: disk.statfs });
        try {
          const model = new Model(store);
          for (const round of rounds) {
            // Of one blob one thing at a time, of different ones all at once.
            const different = [...new Map(round.map((each) => [each.which, each])).values()];
            await Promise.all(different.map((each) => model.apply(each)));
            expect(store.usage.bytes).toBeLessThanOrEqual(QUOTA);
            expect(await filesOnDisk(join(home, 'blobs'))).toBeLessThanOrEqual(store.usage.bytes);
            for (const [one, stored] of model.open) {
              for (const index of stored.held) {
                const { offset } = stored.grid.span(index);
                const expected = one.content.subarray(
                  offset,
                  offset + stored.grid.blockLength(index, one.content.length),
                );
                const bytes = stored.size === undefined ? expected : await stored.read(index);
                expect(expected.equals(bytes)).toBe(true);
              }
            }
          }
          await model.releaseAll();
          const onDisk = await filesOnDisk(join(home, 'blobs'));
          expect(store.usage.bytes).toBe(onDisk);
          const { blobs } = store.usage;
          await store.stop();
          const again = await BlobStore.open(home, { statfs: disk.statfs });
          expect(again.usage).toEqual({ blobs, bytes: onDisk, evicted: 0 });
          await again.stop();
        } finally {
          await store.stop();
          await rm(home, { recursive: true });
        }
      }),
      { numRuns: 60 },
    );
  });
});
