import { BlockBuffers } from '../src';
import { RecentBlocks } from '../src/recent-blocks';

const KIB = 1024;
const buffers = new BlockBuffers();
const block = (bytes: number, fill: number): Buffer => Buffer.alloc(bytes, fill);

describe('the blocks that were written last', () => {
  it('keeps as much as it may, and lets the first one go first', () => {
    const recent = new RecentBlocks(buffers, 8 * KIB);
    const [a, b, c] = [block(4 * KIB, 1), block(4 * KIB, 2), block(2 * KIB, 3)];
    recent.add(1, 0, a);
    recent.add(1, 1, b);
    expect([recent.get(1, 0), recent.get(1, 1)]).toEqual([a, b]);
    recent.add(2, 0, c);
    expect([recent.get(1, 0), recent.get(1, 1), recent.get(2, 0)]).toEqual([undefined, b, c]);
  });

  it('counts a block that is written anew once, and gives the new bytes', () => {
    const recent = new RecentBlocks(buffers, 8 * KIB);
    const [a, again, b] = [block(4 * KIB, 1), block(4 * KIB, 9), block(4 * KIB, 2)];
    recent.add(1, 0, a);
    recent.add(1, 0, again);
    recent.add(1, 1, b);
    expect([recent.get(1, 0), recent.get(1, 1)]).toEqual([again, b]);
  });

  it('does not give the old bytes of a block that is written anew and not kept', () => {
    const recent = new RecentBlocks(buffers);
    recent.add(1, 0, block(64 * KIB, 1));
    recent.add(1, 0, block(64 * KIB, 2).subarray(0, KIB));
    expect(recent.get(1, 0)).toBeUndefined();
  });

  it('forgets one block, or all of one blob and no other', () => {
    const recent = new RecentBlocks(buffers);
    for (const [owner, index] of [
      [1, 0],
      [1, 1],
      [11, 0],
    ] as const)
      recent.add(owner, index, block(KIB, owner));
    recent.forget(1, 0);
    expect([recent.get(1, 0), recent.get(1, 1), recent.get(11, 0)].map((one) => one?.[0])).toEqual([undefined, 1, 11]);
    recent.forget(1);
    expect([recent.get(1, 1), recent.get(11, 0)].map((one) => one?.[0])).toEqual([undefined, 11]);
  });

  it('does not keep a large buffer alive for a small part of it', () => {
    const recent = new RecentBlocks(buffers);
    recent.add(1, 0, block(64 * KIB, 1).subarray(0, KIB));
    expect(recent.get(1, 0)).toBeUndefined();
  });

  describe('and their memory', () => {
    const MIB = 1024 * KIB;
    const taken = (memory: BlockBuffers): Buffer => memory.take(MIB);

    it('is used again when the block is forgotten and nobody has it any more', () => {
      const memory = new BlockBuffers();
      const recent = new RecentBlocks(memory);
      const first = taken(memory);
      recent.add(1, 0, first);
      const one = recent.lend(1, 0);
      const other = recent.lend(1, 0);
      recent.forget(1);
      one?.done();
      one?.done();
      expect(taken(memory).buffer).not.toBe(first.buffer);
      other?.done();
      expect(taken(memory).buffer).toBe(first.buffer);
    });

    it('is never used again when somebody has the block for good', () => {
      const memory = new BlockBuffers();
      const recent = new RecentBlocks(memory);
      const first = taken(memory);
      recent.add(1, 0, first);
      expect(recent.get(1, 0)).toBe(first);
      recent.forget(1, 0);
      expect(taken(memory).buffer).not.toBe(first.buffer);
    });

    it('stays with a block that is still kept, and goes on when it makes room for others', () => {
      const memory = new BlockBuffers();
      const first = taken(memory);
      const recent = new RecentBlocks(memory, 2 * first.buffer.byteLength);
      recent.add(1, 0, first);
      recent.lend(1, 0)?.done();
      recent.add(1, 1, taken(memory));
      const third = taken(memory);
      expect(third.buffer).not.toBe(first.buffer);
      recent.add(1, 2, third);
      expect(taken(memory).buffer).toBe(first.buffer);
    });
  });
});
