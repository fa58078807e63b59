import { BlockSet, Grid } from '@cdk8s-dragonfly/protocol';
import * as fc from 'fast-check';

const MIB = 1024 * 1024;
const pieceSizes = fc.integer({ min: 1, max: 15 }).map((mib) => mib * MIB);

describe('the grid of a blob', () => {
  it('cuts the first piece in blocks of 256 KiB, eight in such of 512 KiB and the others in blocks of 1 MiB, the last of a piece 5 bytes short', () => {
    const grid = new Grid(4 * MIB);
    expect(grid.span(0)).toEqual({ offset: 0, length: 262144 });
    expect(grid.span(15)).toEqual({ offset: 15 * 262144, length: 262139 });
    expect(grid.span(16)).toEqual({ offset: 4194299, length: 524288 });
    expect(grid.span(23)).toEqual({ offset: 4194299 + 7 * 524288, length: 524283 });
    expect(grid.span(24)).toEqual({ offset: 2 * 4194299, length: 524288 });
    expect(grid.span(79)).toEqual({ offset: 8 * 4194299 + 7 * 524288, length: 524283 });
    expect(grid.span(80)).toEqual({ offset: 9 * 4194299, length: MIB });
    expect(grid.span(83)).toEqual({ offset: 9 * 4194299 + 3 * MIB, length: MIB - 5 });
    expect(grid.span(84)).toEqual({ offset: 10 * 4194299, length: MIB });
  });

  it('has no block for an empty blob and one for a single byte', () => {
    const grid = new Grid(4 * MIB);
    expect(grid.blockCount(0)).toBe(0);
    expect(grid.blockCount(1)).toBe(1);
    expect(grid.blockCount(4194299)).toBe(16);
    expect(grid.blockCount(4194300)).toBe(17);
    expect(grid.blockLength(16, 4194300)).toBe(1);
  });

  it('covers each byte exactly once, whatever piece size and length', () => {
    fc.assert(
      fc.property(pieceSizes, fc.integer({ min: 1, max: 200 * MIB }), (pieceSize, size) => {
        const grid = new Grid(pieceSize);
        let offset = 0;
        for (let index = 0; index < grid.blockCount(size); index += 1) {
          const span = grid.span(index);
          expect(span.offset).toBe(offset);
          expect(grid.blockAt(span.offset)).toBe(index);
          offset += grid.blockLength(index, size);
          expect(grid.blockAt(offset - 1)).toBe(index);
        }
        expect(offset).toBe(size);
      }),
      { numRuns: 50 },
    );
  });

  it('nests blocks in pieces', () => {
    fc.assert(
      fc.property(pieceSizes, fc.nat(40), fc.integer({ min: 1, max: 400 * MIB }), (pieceSize, piece, size) => {
        const grid = new Grid(pieceSize);
        const { first, end } = grid.blocksOfPiece(piece, size);
        const from = piece * grid.pieceLength;
        const bytes = Math.max(0, Math.min(grid.pieceLength, size - from));
        let sum = 0;
        for (let index = first; index < end; index += 1) {
          expect(grid.pieceOfBlock(index)).toBe(piece);
          sum += grid.blockLength(index, size);
        }
        expect(sum).toBe(bytes);
      }),
    );
  });

  it('refuses a piece size that is not in the protocol', () => {
    expect(() => new Grid(1000)).toThrow('piece size 1000 is not a whole number of MiB from 1 to 15');
    expect(() => new Grid(16 * MIB)).toThrow('16777216');
  });
});

describe('a block set', () => {
  it('behaves as a set of numbers, and survives its text form', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(5000))), (steps) => {
        const set = new BlockSet();
        const model = new Set<number>();
        for (const [add, block] of steps) {
          expect(add ? set.add(block) : set.delete(block)).toBe(add ? !model.has(block) : model.has(block));
          if (add) model.add(block);
          else model.delete(block);
        }
        const again = BlockSet.fromBase64(set.toBase64());
        expect([...again]).toEqual([...model].sort((a, b) => a - b));
        expect(again.count).toBe(model.size);
        expect(set.count).toBe(model.size);
        expect(set.last).toBe(Math.max(-1, ...model));
      }),
    );
  });

  it('tells which 32 blocks stand in a word, and has them in its text byte by byte', () => {
    const set = BlockSet.of([0, 9, 31, 32, 70]);
    expect([0, 1, 2, 3, 1000].map((place) => set.word(place))).toEqual([(1 << 31) | (1 << 9) | 1, 1, 1 << 6, 0, 0]);
    expect([...Buffer.from(set.toBase64(), 'base64')]).toEqual([1, 2, 0, 128, 1, 0, 0, 0, 64]);
    expect([...BlockSet.fromBase64('AQIAgAEAAABA')]).toEqual([0, 9, 31, 32, 70]);
  });

  it('finds the first block that is missing', () => {
    const set = BlockSet.of(Array.from({ length: 100 }, (_, block) => block));
    expect(set.firstMissing()).toBe(100);
    set.delete(37);
    expect(set.firstMissing()).toBe(37);
    expect(set.firstMissing(38)).toBe(100);
  });

  it('finds the first block that is in it and in no other set', () => {
    const blocks = fc.nat(130);
    fc.assert(
      fc.property(fc.array(blocks), fc.array(blocks), blocks, (some, others, from) => {
        const beyond = some.filter((one) => one >= from && !others.includes(one));
        const expected = beyond.length === 0 ? undefined : Math.min(...beyond);
        expect(BlockSet.of(some).firstBeyond(BlockSet.of(others), from)).toBe(expected);
      }),
    );
    const set = BlockSet.of([31, 63, 64]);
    expect([0, 32, 64, 65].map((from) => set.firstBeyond(BlockSet.of([63]), from))).toEqual([31, 64, 64, undefined]);
  });

  it('has no block but those with a number of a block', () => {
    const set = BlockSet.of([0, 1]);
    expect([0, 1, 2, -1, Infinity, NaN, 2 ** 32].map((block) => set.has(block))).toEqual([
      ...[true, true, false],
      ...[false, false, false, false],
    ]);
  });

  it('refuses numbers and texts beyond its bound', () => {
    for (const end of [0, 1, 7, 8, 9, 1000]) {
      const both = BlockSet.of([2, 900]);
      both.addAll(BlockSet.of([0, 2, 7, 8, 600]), end);
      const expected = [...new Set([2, 900, ...[0, 2, 7, 8, 600].filter((block) => block < end)])];
      expect([...both]).toEqual(expected.sort((one, other) => one - other));
      expect(both.count).toBe(expected.length);
    }
    expect(() => new BlockSet().add(-1)).toThrow('-1 is not a block number');
    expect(() => new BlockSet().add(2 ** 24)).toThrow('not a block number');
    expect(() => BlockSet.fromBase64(Buffer.alloc(2 ** 21 + 1).toString('base64'))).toThrow('too large');
  });
});
