import { createHash, randomBytes } from 'node:crypto';

import { Grid } from '@cdk8s-dragonfly/protocol';
import { BlockBuffers, assembleBlocks } from '@cdk8s-dragonfly/store';
import * as fc from 'fast-check';

const MIB = 1024 * 1024;
const content = randomBytes(7 * MIB);
const grid = new Grid(4 * MIB);

async function* cut(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let from = 0; from < bytes.length; from += size) yield await Promise.resolve(bytes.subarray(from, from + size));
}

describe('assembling blocks', () => {
  it('gives the blocks of the grid, from any block on, however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: content.length }),
        fc.integer({ min: 10_000, max: 2 * MIB }),
        fc.nat(17),
        async (size, step, from) => {
          const first = Math.min(from, grid.blockCount(size) - 1);
          const buffers = new BlockBuffers();
          let expected = first;
          for await (const block of assembleBlocks(
            grid,
            first,
            cut(content.subarray(grid.span(first).offset, size), step),
            buffers,
          )) {
            const { offset } = grid.span(expected);
            const bytes = content.subarray(offset, offset + grid.blockLength(expected, size));
            expect(block.index).toBe(expected);
            expect(block.length).toBe(bytes.length);
            expect(bytes.equals(Buffer.concat(block.chunks))).toBe(true);
            expect(block.hash.toString('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
            expected += 1;
          }
          expect(expected).toBe(grid.blockCount(size));
        },
      ),
      { numRuns: 20 },
    );
  });

  it('tells how much of a block is here while it grows', async () => {
    const told: string[] = [];
    const grew = (index: number, bytes: Buffer): void => {
      const { offset } = grid.span(index);
      expect(bytes.equals(content.subarray(offset, offset + bytes.length))).toBe(true);
      told.push(`${index}: ${bytes.length}`);
    };
    for await (const { index } of assembleBlocks(
      grid,
      0,
      cut(content.subarray(0, 600_000), 100_000),
      new BlockBuffers(),
      grew,
    )) {
      told.push(`${index} is here`);
    }
    const [first, second, third] = [100_000, 2 * 100_000, 300_000 - 262_144];
    expect(told).toEqual([
      ...[`0: ${first}`, `0: ${second}`, '0 is here'],
      ...[`1: ${third}`, `1: ${third + 100_000}`, `1: ${third + 200_000}`, '1 is here'],
      ...[`2: ${600_000 - 2 * 262_144}`, '2 is here'],
    ]);
  });

  it('gives nothing of nothing', async () => {
    for await (const block of assembleBlocks(grid, 0, cut(Buffer.alloc(0), 1), new BlockBuffers())) {
      expect(block).toBeUndefined();
    }
    expect.assertions(0);
  });
});
