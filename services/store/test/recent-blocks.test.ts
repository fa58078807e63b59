import { RecentBlocks } from '../src/recent-blocks';

const KIB = 1024;
const block = (bytes: number, fill: number): Buffer => Buffer.alloc(bytes, fill);

describe('the blocks that were written last', () => {
  it('keeps as much as it may, and lets the first one go first', () => {
    const recent = new RecentBlocks(8 * KIB);
    const [a, b, c] = [block(4 * KIB, 1), block(4 * KIB, 2), block(2 * KIB, 3)];
    recent.add(1, 0, a);
    recent.add(1, 1, b);
    expect([recent.get(1, 0), recent.get(1, 1)]).toEqual([a, b]);
    recent.add(2, 0, c);
    expect([recent.get(1, 0), recent.get(1, 1), recent.get(2, 0)]).toEqual([undefined, b, c]);
  });

  it('counts a block that is written anew once, and gives the new bytes', () => {
    const recent = new RecentBlocks(8 * KIB);
    const [a, again, b] = [block(4 * KIB, 1), block(4 * KIB, 9), block(4 * KIB, 2)];
    recent.add(1, 0, a);
    recent.add(1, 0, again);
    recent.add(1, 1, b);
    expect([recent.get(1, 0), recent.get(1, 1)]).toEqual([again, b]);
  });

  it('forgets one block, or all of one blob and no other', () => {
    const recent = new RecentBlocks();
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
    const recent = new RecentBlocks();
    recent.add(1, 0, block(64 * KIB, 1).subarray(0, KIB));
    expect(recent.get(1, 0)).toBeUndefined();
  });
});
