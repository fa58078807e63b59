import { Grid } from '@cdk8s-dragonfly/protocol';

import { Turns } from '../src/download/turns';

const MIB = 1024 * 1024;
const blob = `sha256:${'7'.repeat(64)}` as const;
const grid = new Grid(4 * MIB);
const PATIENCE = 1000;

/** All blocks that a node would fetch at a time, run by run, while nobody else brings anything. */
function fetched(turns: Turns, state: { others: string[]; size: number; missing: number[]; now: number }): number[] {
  const all: number[] = [];
  const { others, size, now } = state;
  for (let orphans = state.missing; ;) {
    const run = turns.next({ grid, size, others, orphans, now, patience: PATIENCE });
    if (run === undefined) return all;
    expect(run.end).toBeGreaterThan(run.first);
    for (let block = run.first; block < run.end; block += 1) all.push(block);
    orphans = orphans.filter((block) => block < run.first || block >= run.end);
  }
}

function swarm(count: number): { name: string; others: string[]; turns: Turns }[] {
  const names = Array.from({ length: count }, (_, index) => `node-${index}`);
  return names.map((name) => ({
    name,
    others: names.filter((other) => other !== name),
    turns: new Turns(blob, name),
  }));
}

const blocksFrom = (first: number, size: number): number[] =>
  Array.from({ length: grid.blockCount(size) - first }, (_, index) => first + index);

describe('turns at the origin', () => {
  it.each([
    [1, 5 * MIB + 1, 0],
    [2, 12 * MIB, 0],
    [3, 12 * MIB, 9],
    [8, 32 * MIB - 1, 20],
    [8, 700 * MIB, 100],
    [16, 500 * MIB, 0],
  ])('%d nodes fetch each block of %d bytes once, and about as much each', (count, size, first) => {
    const missing = blocksFrom(first, size);
    const shares = swarm(count).map(({ turns, others }) => fetched(turns, { others, size, missing, now: 0 }));
    const all = shares.flat().sort((one, other) => one - other);
    expect(all).toEqual(missing);
    const bytes = shares.map((share) => share.reduce((sum, block) => sum + grid.blockLength(block, size), 0));
    const part = MIB * Math.ceil(size / 64 / MIB);
    expect(Math.max(...bytes) - Math.min(...bytes)).toBeLessThanOrEqual(2 * part);
  });

  it('does not depend on the order in which neighbours are named', () => {
    const state = { size: 20 * MIB, missing: blocksFrom(0, 20 * MIB), now: 0 };
    const one = fetched(new Turns(blob, 'a'), { ...state, others: ['b', 'c', 'd'] });
    expect(fetched(new Turns(blob, 'a'), { ...state, others: ['d', 'b', 'c'] })).toEqual(one);
  });

  it('gives the part of one that brings nothing to the next, one node a time', () => {
    const size = 24 * MIB;
    const [dead, ...living] = swarm(4);
    const missing = fetched(dead!.turns, { others: dead!.others, size, missing: blocksFrom(0, size), now: 0 });
    const takenAt = (now: number): number[][] =>
      living.map(({ turns, others }) => fetched(turns, { others, size, missing, now }));
    expect(takenAt(0)).toEqual([[], [], []]);
    expect(takenAt(PATIENCE - 1)).toEqual([[], [], []]);
    // Each of its parts has another second in line.
    const taken = takenAt(PATIENCE).flat();
    expect(taken.sort((one, other) => one - other)).toEqual(missing);
  });

  it('waits on for one that is slow, as long as something comes from it', () => {
    const size = 24 * MIB;
    const [slow, fast] = swarm(2);
    let missing = fetched(slow!.turns, { others: slow!.others, size, missing: blocksFrom(0, size), now: 0 });
    for (let now = 0; missing.length > 0; now += PATIENCE - 1) {
      expect(fetched(fast!.turns, { others: fast!.others, size, missing, now })).toEqual([]);
      missing = missing.slice(1);
    }
  });
});
