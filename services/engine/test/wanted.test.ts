import { BlockSet } from '@cdk8s-dragonfly/protocol';
import * as fc from 'fast-check';

import { Wanted } from '../src/picker/wanted';

const set = fc.array(fc.nat(150)).map((blocks) => BlockSet.of(blocks));

describe('the wanted blocks', () => {
  it('are those that are missing and can be had, the rarest and the next ones found as by looking at each', () => {
    fc.assert(
      fc.property(
        fc.record({
          held: set,
          peers: fc.array(set, { minLength: 1, maxLength: 40 }),
          underWay: fc.array(fc.record({ block: fc.nat(150) }), { maxLength: 5 }),
          cursor: fc.nat(160),
          end: fc.nat(160),
        }),
        ({ held, peers, underWay, cursor, end }) => {
          const [asked = new BlockSet()] = peers;
          const wanted = new Wanted({
            held,
            givers: [asked],
            supernode: undefined,
            peers,
            underWay,
            cursor,
            end,
            most: 999,
          });
          const lot = (block: number): number => Math.imul(block, 0x9e3779b1) >>> 0;
          // More than 31 are counted as 31.
          const holders = (block: number): number => Math.min(31, peers.filter((has) => has.has(block)).length);
          const all = [...asked].filter(
            (block) => block < end && !held.has(block) && !underWay.some((other) => other.block === block),
          );
          const byRarity = [...all].sort(
            (one, other) => 2 ** 33 * (holders(one) - holders(other)) + lot(one) - lot(other),
          );
          expect(wanted.rarest(asked, lot)).toBe(byRarity[0]);
          const near = all.filter((block) => block >= cursor && block < cursor + 4).sort((one, other) => one - other);
          expect(wanted.urgent(asked, cursor, cursor + 4)).toBe(near[0]);
        },
      ),
    );
  });

  it('are of the supernode those of the share, and what no neighbour has only where that is allowed', () => {
    fc.assert(
      fc.property(
        fc.record({
          has: set,
          held: set,
          peer: set,
          cursor: fc.nat(150),
          share: fc.option(
            fc
              .constantFrom(1, 3, 4, 32, 64)
              .chain((count) => fc.record({ index: fc.nat(count - 1), count: fc.constant(count) })),
            { nil: undefined },
          ),
          orphans: fc.boolean(),
        }),
        ({ has, held, peer, cursor, share, orphans }) => {
          const supernode = { has, share, orphans, overdue: [] };
          const search = {
            held,
            givers: [peer],
            supernode,
            peers: [peer],
            underWay: [],
            cursor,
            end: undefined,
            most: 999,
          };
          const may = [...has].filter(
            (block) =>
              !held.has(block) &&
              ((share !== undefined && block % share.count === share.index) || (orphans && !peer.has(block))),
          );
          const next = may.find((block) => block >= cursor) ?? may[0];
          expect(new Wanted(search).fromSupernode(has)).toBe(next);
        },
      ),
    );
  });
});
