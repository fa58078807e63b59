import { BlockSet } from '@cdk8s-dragonfly/protocol';
import * as fc from 'fast-check';

import { Overdue } from '../src/picker/overdue';
import { pick } from '../src/picker/picker';
import type { PickSource, PickState } from '../src/picker/picker';

const blocks = (from: number, end: number): BlockSet =>
  BlockSet.of(Array.from({ length: end - from }, (_, index) => from + index));
const supernode = (has: BlockSet, free: number): PickSource => ({ id: 'supernode', kind: 'supernode', has, free });

const state = (changes: Partial<PickState>): PickState => ({
  ...{ now: 1000, seed: 1, held: new BlockSet(), flights: [], sources: [], cursor: 0, swarmProgress: 1000 },
  share: { index: 1, count: 8 },
  limits: { flights: 16, peerFlights: 0, patience: 500, hedgeAfter: 800 },
  ...changes,
});

describe('what the supernode has had for long', () => {
  it('is what was there two steps ago, three steps ago, and so on', () => {
    const overdue = new Overdue();
    const has = new BlockSet();
    const seen: number[][][] = [];
    for (let step = 0; step < 5; step += 1) {
      has.add(step);
      // Between two looks nothing becomes older.
      for (const now of [100 * step, 100 * step + 50]) seen.push(overdue.look(now, has, 100).map((some) => [...some]));
    }
    expect(seen.filter((_, index) => index % 2 === 0)).toEqual([
      [],
      [],
      [[0]],
      [[0, 1], [0]],
      [[0, 1, 2], [0, 1], [0]],
    ]);
    expect(seen[9]).toEqual(seen[8]);
  });

  it('is kept in so many sets only as there are widths of shares', () => {
    const overdue = new Overdue();
    for (let step = 0; step < 50; step += 1) overdue.look(step, blocks(0, step), 1);
    expect(overdue.look(50, blocks(0, 50), 1).map(({ count }) => count)).toEqual([48, 47, 46, 45, 44, 43]);
  });

  it('is not what was taken out and came again, though there is as much as before', () => {
    const overdue = new Overdue();
    const has = blocks(0, 4);
    overdue.look(0, has, 1);
    has.delete(0);
    has.add(9);
    overdue.look(1, has, 1);
    overdue.look(2, has, 1);
    expect(overdue.look(3, has, 1).map((some) => [...some])).toEqual([
      [1, 2, 3, 9],
      [0, 1, 2, 3],
    ]);
  });

  it('does not become older while nobody looks', () => {
    const overdue = new Overdue();
    overdue.look(0, blocks(0, 4), 100);
    overdue.look(10_000, blocks(0, 4), 100);
    expect(overdue.look(10_050, blocks(0, 4), 100)).toEqual([]);
  });
});

describe('the picker, of what is overdue', () => {
  it('takes its own share first, then that of the one beside it, twice as wide with each step', () => {
    const sources = [supernode(blocks(0, 16), 16)];
    const of = (overdue: readonly BlockSet[]): number[] => pick(state({ sources, overdue })).map(({ block }) => block);
    expect(of([])).toEqual([1, 9]);
    const [first, second, ...others] = of([blocks(0, 16)]);
    expect([first, second, others.sort()]).toEqual([1, 9, [13, 5].sort()]);
    const wider = of([blocks(0, 16), blocks(0, 8)]);
    expect(wider.slice(0, 2)).toEqual([1, 9]);
    expect(wider.slice(2).sort((one, other) => one - other)).toEqual([3, 5, 7, 13]);
    expect(of([blocks(0, 16), blocks(0, 16), blocks(0, 4)]).sort((one, other) => one - other)).toEqual([
      0, 1, 2, 3, 5, 7, 9, 11, 13, 15,
    ]);
  });

  it('takes nothing of others before its own share is under way, however many blocks are missing before that', () => {
    const count = 64;
    const own = Array.from({ length: 47 }, (_, index) => 1 + count * index).filter((block) => block < 3000);
    const has = blocks(0, 3000);
    const share = { index: 1, count };
    const overdue = Array.from({ length: 6 }, () => has);
    const peer: PickSource = { id: 'a', kind: 'peer', has: new BlockSet(), free: 4 };
    const limits = { flights: 999, peerFlights: 4, patience: 500, hedgeAfter: 800 };
    const of = (free: number, changes: Partial<PickState> = {}): number[] =>
      pick(state({ share, overdue, limits, sources: [supernode(has, free), peer], ...changes })).map(
        ({ block }) => block,
      );
    expect(of(8)).toEqual([1, 65, 129, 193, 257, 321, 385, 449]);
    expect(of(own.length)).toEqual(own);
    // Those that are under way are not taken again.
    const flights = own.map((block) => ({ block, source: 'supernode', kind: 'supernode' as const, since: 900 }));
    expect(of(1, { flights: flights.slice(0, -1) })).toEqual([own.at(-1)]);
    // And of the others none while more than 256 blocks are missing, which the swarm takes long to pass on.
    expect(of(8, { flights })).toEqual([]);
    const held = (missing: number): BlockSet => BlockSet.of([...blocks(0, 3000 - missing), ...own]);
    expect(of(8, { held: held(300) })).toEqual([]);
    const others = of(8, { held: held(256) });
    expect([new Set(others).size, others.filter((block) => block < 2744 || own.includes(block))]).toEqual([8, []]);
  });

  it('takes nothing of others while an own block is missing behind all that neighbours may give', () => {
    const has = blocks(300, 322);
    const giver: PickSource = { id: 'a', kind: 'peer', has: blocks(0, 300), free: 1 };
    const share = { index: 1, count: 64 };
    const limits = { flights: 999, peerFlights: 1, patience: 500, hedgeAfter: 800 };
    const overdue = Array.from({ length: 6 }, () => has);
    const picks = pick(state({ share, overdue, limits, sources: [supernode(has, 8), giver] }));
    expect(picks.map(({ source }) => source)).toEqual(['a']);
  });

  it('leaves to neighbours what one of them has, and takes nothing without a share', () => {
    const neighbour: PickSource = { id: 'a', kind: 'peer', has: BlockSet.of([5]), free: 0 };
    const sources = [supernode(blocks(0, 16), 9), neighbour];
    const overdue = [blocks(0, 16)];
    expect(pick(state({ sources, overdue })).map(({ block }) => block)).toEqual([1, 9, 13]);
    expect(pick(state({ sources, overdue, share: null }))).toEqual([]);
  });

  it('lets those who wait for one block of a share take others first', () => {
    const sources = [supernode(blocks(0, 256), 1)];
    const held = BlockSet.of(Array.from({ length: 32 }, (_, index) => 8 * index + 1));
    const taken = [1, 2, 3, 4, 5, 6, 7, 8].map(
      (seed) => pick(state({ sources, held, seed, overdue: [blocks(0, 256)] }))[0]?.block,
    );
    expect(new Set(taken).size).toBeGreaterThan(4);
  });

  it('brings all blocks whichever takers do nothing, and each only once while they work', () => {
    const count = 8;
    fc.assert(
      fc.property(fc.subarray([0, 1, 2, 3, 4, 5, 6, 7], { maxLength: 7 }), fc.nat(), (idle, seed) => {
        const has = blocks(0, 64);
        // What is picked comes only when all have picked: nobody knows what others have under way.
        const takers = Array.from({ length: count }, (_, index) => ({
          index,
          held: new BlockSet(),
          overdue: new Overdue(),
          coming: [] as number[],
        }));
        const workers = takers.filter(({ index }) => !idle.includes(index));
        const sent: number[] = [];
        for (let now = 0; now < 40; now += 1) {
          const swarm = new BlockSet();
          for (const { held, coming } of workers) {
            for (const block of coming.splice(0)) held.add(block);
            swarm.addAll(held);
          }
          for (const { index, held, overdue, coming } of workers) {
            const sources: PickSource[] = [supernode(has, 4), { id: 'swarm', kind: 'peer', has: swarm, free: 0 }];
            const share = { index, count };
            // A step is three times as long as blocks take.
            const given = { sources, share, held, overdue: overdue.look(now, has, 3), now, swarmProgress: now };
            coming.push(...pick(state({ ...given, seed: seed + now * count + index })).map(({ block }) => block));
          }
          for (const { coming } of workers) sent.push(...coming);
        }
        const all = new BlockSet();
        for (const { held } of workers) all.addAll(held);
        expect(all.count).toBe(64);
        // While all work, nobody is asked twice. Of those that do nothing, several may take a block at once.
        const twice = sent.filter((block, place) => sent.indexOf(block) !== place);
        expect(twice.filter((block) => !idle.includes(block % count))).toEqual([]);
        const idleBlocks = 8 * idle.length;
        expect(twice.length).toBeLessThanOrEqual(idleBlocks);
      }),
      { numRuns: 30 },
    );
  });
});
