import { BlockSet } from '@cdk8s-dragonfly/protocol';
import * as fc from 'fast-check';

import { pick } from '../src/picker/picker';
import type { PickSource, PickState } from '../src/picker/picker';

const blocks = (from: number, end: number): BlockSet =>
  BlockSet.of(Array.from({ length: end - from }, (_, index) => from + index));
const peer = (id: string, has: BlockSet, free = 2): PickSource => ({ id, kind: 'peer', has, free });
const supernode = (has: BlockSet, free = 4): PickSource => ({ id: 'supernode', kind: 'supernode', has, free });

const state = (changes: Partial<PickState>): PickState => ({
  now: 1000,
  seed: 1,
  held: new BlockSet(),
  flights: [],
  sources: [],
  cursor: 0,
  share: undefined,
  swarmProgress: 1000,
  limits: { flights: 16, peerFlights: 16, patience: 500, hedgeAfter: 800 },
  ...changes,
});

describe('the picker', () => {
  it('takes its share from the supernode in order, and nothing else while the swarm goes on', () => {
    const picks = pick(state({ sources: [supernode(blocks(0, 20))], share: { index: 1, count: 4 } }));
    expect(picks.map(({ block }) => block)).toEqual([1, 5, 9, 13]);
  });

  it('takes from the supernode what no neighbour has when the swarm has brought nothing for too long', () => {
    const sources = [supernode(blocks(0, 20)), peer('a', blocks(2, 4), 0)];
    const late = state({ sources, share: { index: 1, count: 16 }, swarmProgress: 400 });
    expect(pick(late).map(({ block }) => block)).toEqual([0, 1, 4, 5]);
  });

  it('takes all from the supernode when it has neither share nor neighbours', () => {
    const picks = pick(state({ sources: [supernode(blocks(0, 20))] }));
    expect(picks.map(({ block }) => block)).toEqual([0, 1, 2, 3]);
  });

  it('leaves the supernode alone when its share is nothing', () => {
    expect(pick(state({ sources: [supernode(blocks(0, 20))], share: null }))).toEqual([]);
  });

  it('takes from peers what the runtime reads next, then the rarest', () => {
    const sources = [peer('a', blocks(0, 40), 8), peer('b', blocks(0, 39), 0), peer('c', blocks(0, 38), 0)];
    const picks = pick(state({ sources, cursor: 2 })).map(({ block }) => block);
    expect(picks.slice(0, 6)).toEqual([2, 3, 4, 5, 39, 38]);
  });

  it('spreads over its neighbours', () => {
    const sources = ['a', 'b', 'c', 'd'].map((id) => peer(id, blocks(0, 100), 4));
    const picks = pick(state({ sources, limits: { ...state({}).limits, peerFlights: 8 } }));
    expect(picks.map(({ source }) => source).sort()).toEqual(['a', 'a', 'b', 'b', 'c', 'c', 'd', 'd']);
  });

  it('asks those first who gave faster lately, and before them whoever has given nothing; now and then anyone', () => {
    const paced = (id: string, pace: number): PickSource => ({ ...peer(id, blocks(0, 100), 1), pace });
    const sources = [paced('slow', 90), paced('fast', 10), peer('new', blocks(0, 100), 1), paced('usual', 30)];
    const asked = (seed: number, peerFlights: number): string =>
      pick(state({ seed, sources, limits: { ...state({}).limits, peerFlights } }))
        .map(({ source }) => source)
        .join(' ');
    const seeds = Array.from({ length: 800 }, (_, place) => Math.imul(place, 0x85ebca6b) >>> 0);
    const times = (wanted: string): number => seeds.filter((seed) => asked(seed, 2) === wanted).length;
    expect(times('new fast')).toBeGreaterThan(650);
    expect(times('slow fast')).toBeGreaterThan(5);
    // With room for all, all are asked.
    for (const seed of seeds.slice(0, 20))
      expect(asked(seed, 4).split(' ').sort()).toEqual(['fast', 'new', 'slow', 'usual']);
  });

  it('asks one of equals by chance', () => {
    const sources = ['a', 'b', 'c', 'd'].map((id) => ({ ...peer(id, blocks(0, 100), 1), pace: 10 }));
    const limits = { ...state({}).limits, peerFlights: 1 };
    const seeds = Array.from({ length: 100 }, (_, seed) => seed);
    const asked = seeds.map((seed) => pick(state({ seed, sources, limits }))[0]?.source);
    for (const { id } of sources) expect(asked.filter((source) => source === id).length).toBeGreaterThan(10);
  });

  it('asks a second source for a block that is late, once', () => {
    const sources = [peer('a', blocks(0, 2)), peer('b', blocks(0, 2)), peer('c', blocks(0, 2))];
    const flights = [
      { block: 0, source: 'a', kind: 'peer' as const, since: 100 },
      { block: 1, source: 'b', kind: 'peer' as const, since: 900 },
    ];
    const picks = pick(state({ sources, flights }));
    expect(picks).toHaveLength(1);
    expect(picks[0]?.block).toBe(0);
    expect(picks[0]?.source).not.toBe('a');
    const twice = [...flights, { block: 0, source: 'c', kind: 'peer' as const, since: 900 }];
    expect(pick(state({ sources, flights: twice }))).toEqual([]);
    const bothLate = [...flights, { block: 0, source: 'c', kind: 'peer' as const, since: 200 }];
    expect(pick(state({ sources, flights: bothLate }))).toEqual([{ block: 0, source: 'b' }]);
  });

  it('goes on with others when as many blocks as may be under way are all late', () => {
    const slow = Array.from({ length: 16 }, (_, block) => ({ block, source: 'slow', kind: 'peer' as const, since: 0 }));
    const sources = [peer('slow', blocks(0, 40), 0), peer('a', blocks(0, 40), 2)];
    const limits = { ...state({}).limits, flights: 16 };
    expect(pick(state({ sources, flights: slow, limits })).map(({ source }) => source)).toEqual(['a', 'a']);
    const fresh = slow.map((flight) => ({ ...flight, since: 999 }));
    expect(pick(state({ sources, flights: fresh, limits }))).toEqual([]);
  });

  it('asks the supernode for its share however much is under way from neighbours, and the other way round', () => {
    const sources = [supernode(blocks(0, 40), 2), peer('a', blocks(0, 40), 8)];
    const limits = { ...state({}).limits, peerFlights: 2 };
    const share = { index: 0, count: 2 };
    const fromPeers = [20, 21].map((block) => ({ block, source: 'b', kind: 'peer' as const, since: 999 }));
    expect(pick(state({ sources, share, limits, flights: fromPeers }))).toEqual([
      { block: 0, source: 'supernode' },
      { block: 2, source: 'supernode' },
    ]);
    const fromSupernode = fromPeers.map((flight) => ({ ...flight, source: 'supernode', kind: 'supernode' as const }));
    const busy = [supernode(blocks(0, 40), 0), peer('a', blocks(0, 40), 8)];
    expect(pick(state({ sources: busy, share, limits, flights: fromSupernode })).map(({ source }) => source)).toEqual([
      'a',
      'a',
    ]);
  });

  it('asks for nothing behind the end', () => {
    const sources = [peer('a', BlockSet.of([3, 1_000_000]))];
    expect(pick(state({ sources, end: 4 }))).toEqual([{ block: 3, source: 'a' }]);
  });

  it('goes back to blocks before the cursor', () => {
    const sources = [peer('a', blocks(0, 3))];
    expect(
      pick(state({ sources, cursor: 3 }))
        .map(({ block }) => block)
        .sort(),
    ).toHaveLength(2);
  });

  it('never asks for what it holds, twice for one block, a source for what it has not, or beyond the limits', () => {
    const set = fc.array(fc.nat(60)).map((list) => BlockSet.of(list));
    const source = fc.record({ has: set, free: fc.nat(5), supernode: fc.boolean() });
    fc.assert(
      fc.property(
        fc.record({
          held: set,
          sources: fc.array(source, { maxLength: 6 }),
          flights: fc.array(
            fc.record({
              block: fc.nat(60),
              source: fc.nat(5).map(String),
              kind: fc.constantFrom('supernode' as const, 'peer' as const),
              since: fc.nat(1000),
            }),
          ),
          peerFlights: fc.nat(16),
          cursor: fc.nat(60),
          seed: fc.nat(),
          progress: fc.nat(1000),
          share: fc.option(fc.record({ index: fc.nat(3), count: fc.constant(4) }), { nil: null }),
        }),
        ({ held, sources, flights, peerFlights, cursor, seed, progress, share }) => {
          const list = sources.map(({ has, free, supernode: is }, index): PickSource => ({
            id: String(index),
            kind: is ? 'supernode' : 'peer',
            has,
            free,
          }));
          const missing = flights.filter(({ block }) => !held.has(block));
          const changes = { held, sources: list, flights: missing, cursor, seed, swarmProgress: progress, share };
          const given = state({ ...changes, limits: { ...state({}).limits, peerFlights } });
          const picks = pick(given);
          expect(new Set(picks.map(({ block }) => block)).size).toBe(picks.length);
          const inTime = missing.filter(({ since }) => given.now - since < given.limits.hedgeAfter);
          expect(picks.length).toBeLessThanOrEqual(Math.max(0, given.limits.flights - inTime.length));
          const fromPeers = picks.filter(({ source: id }) => list[Number(id)]?.kind === 'peer');
          const peersInTime = inTime.filter(({ kind }) => kind === 'peer');
          expect(fromPeers.length).toBeLessThanOrEqual(Math.max(0, peerFlights - peersInTime.length));
          for (const { block, source: id } of picks) {
            expect(held.has(block)).toBe(false);
            expect(list[Number(id)]?.has.has(block)).toBe(true);
            expect(missing.some((flight) => flight.block === block && flight.source === id)).toBe(false);
          }
          for (const { id, free } of list) {
            expect(picks.filter(({ source: asked }) => asked === id).length).toBeLessThanOrEqual(free);
          }
          expect(pick(given)).toEqual(picks);
        },
      ),
    );
  });

  it('brings the whole blob whenever a live source has each block', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2), { minLength: 1, maxLength: 50 }), fc.nat(), (holders, seed) => {
        const of = (holder: number): BlockSet =>
          BlockSet.of(holders.flatMap((at, block) => (at === holder ? [block] : [])));
        const sources = [peer('0', of(0)), peer('1', of(1)), supernode(of(2))];
        const held = new BlockSet();
        for (let round = 0; round < 200 && held.count < holders.length; round += 1) {
          const cursor = held.firstMissing();
          for (const { block } of pick(
            state({ sources, held, cursor, seed: seed + round, share: null, swarmProgress: 0 }),
          )) {
            held.add(block);
          }
        }
        expect(held.count).toBe(holders.length);
      }),
    );
  });
});
