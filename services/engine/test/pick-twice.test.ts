import { BlockSet } from '@cdk8s-dragonfly/protocol';
import * as fc from 'fast-check';

import { pick } from '../src/picker/picker';
import type { Flight, PickSource, PickState } from '../src/picker/picker';

const NOW = 10_000;
const END = 80;

const blocks = fc
  .uniqueArray(fc.integer({ min: 0, max: END - 1 }), { maxLength: END })
  .map((some) => BlockSet.of(some));
const names = ['supernode', 'a', 'b', 'c'] as const;

const flight = fc.record({
  block: fc.integer({ min: 0, max: END - 1 }),
  source: fc.constantFrom(...names),
  age: fc.constantFrom(10, 2000),
});

/** Any state of a swarm with a supernode and three neighbours, in which some blocks are under way and late. */
const state = fc
  .record({
    held: blocks,
    has: fc.tuple(blocks, blocks, blocks, blocks),
    frees: fc.array(fc.integer({ min: -1, max: 4 }), { minLength: 4, maxLength: 4 }),
    flights: fc.uniqueArray(flight, { maxLength: 8, selector: ({ block, source }) => `${block} ${source}` }),
    share: fc.constantFrom(undefined, null, { index: 0, count: 1 }, { index: 1, count: 4 }, { index: 5, count: 16 }),
    cursor: fc.integer({ min: 0, max: END }),
    isFruitless: fc.boolean(),
    overdue: fc.array(blocks, { maxLength: 3 }),
    peerFlights: fc.integer({ min: 0, max: 8 }),
    seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  })
  .map(({ has, frees, flights, isFruitless, peerFlights, ...rest }): PickState => {
    const kindOf = (id: string): PickSource['kind'] => (id === 'supernode' ? 'supernode' : 'peer');
    return {
      ...rest,
      ...{ now: NOW, end: END, swarmProgress: isFruitless ? 0 : NOW },
      sources: names.map((id, index) => ({
        id,
        kind: kindOf(id),
        has: has[index] ?? new BlockSet(),
        free: frees[index] ?? 0,
      })),
      flights: flights
        .filter(({ block }) => !rest.held.has(block))
        .map(({ block, source, age }) => ({ block, source, kind: kindOf(source), since: NOW - age })),
      limits: { flights: Infinity, peerFlights, patience: 2000, hedgeAfter: 1000 },
    };
  });

/** The same after what was chosen has been asked for. */
function asked(before: PickState): PickState {
  const picks = pick(before);
  const begun = picks.map(({ block, source }): Flight => {
    return { block, source, kind: source === 'supernode' ? 'supernode' : 'peer', since: NOW };
  });
  const sources = before.sources.map((source) => {
    return { ...source, free: source.free - picks.filter((picked) => picked.source === source.id).length };
  });
  return { ...before, flights: [...before.flights, ...begun], sources };
}

// This is why a download need not look again at most of what it hears.
describe('after what was chosen has been asked for', () => {
  it('nothing is left to be chosen, whatever chance says and wherever readers are', () => {
    fc.assert(
      fc.property(
        state,
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        fc.integer({ min: 0, max: END }),
        (before, seed, cursor) => {
          expect(pick({ ...asked(before), seed, cursor })).toEqual([]);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('nothing is, when neighbours or the supernode have got what is here or under way and not late', () => {
    fc.assert(
      fc.property(state, fc.constantFrom(...names), (before, source) => {
        const after = asked(before);
        const news = [
          ...after.held,
          ...after.flights.filter(({ since }) => since > NOW - 1000).map(({ block }) => block),
        ];
        for (const block of news) after.sources.find(({ id }) => id === source)?.has.add(block);
        expect(pick({ ...after, seed: 7 })).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('nothing is, when the supernode has got what is not of the share, while neighbours bring something', () => {
    const shared = state.filter(({ share, swarmProgress }) => share !== undefined && swarmProgress === NOW);
    fc.assert(
      fc.property(shared, blocks, (before, got) => {
        const after = asked(before);
        const { share, flights, overdue = [] } = after;
        const isOurs = (block: number): boolean => share != null && block % share.count === share.index;
        const supernode = after.sources.find(({ id }) => id === 'supernode');
        for (const block of got) {
          const isElsewhere =
            flights.some((flight) => flight.block === block) || overdue.some((some) => some.has(block));
          if (!isOurs(block) && !isElsewhere) supernode?.has.add(block);
        }
        expect(pick({ ...after, seed: 7 })).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
