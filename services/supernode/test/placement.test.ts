import * as fc from 'fast-check';

import type { Neighbour, Share } from '@cdk8s-dragonfly/protocol';

import { MAX_CHOSEN } from '../src/placement/mesh';
import { MAX_SHARES, Placement } from '../src/placement/placement';
import type { PlacementEvent } from '../src/placement/placement';

const member = (number: number): Neighbour => ({ cid: `node-${number}`, ip: '10.0.0.1', port: 1 + (number % 65000) });

/** What the members have been told. */
class Told {
  readonly placement: Placement;
  readonly present = new Set<string>();
  readonly neighbours = new Map<string, string[]>();
  readonly shares = new Map<string, Share>();
  decisions = 0;

  constructor(number = 0) {
    this.placement = new Placement(number);
  }

  apply(event: PlacementEvent): void {
    if (event.type === 'join') this.present.add(event.member.cid);
    else if (event.type === 'leave') {
      this.present.delete(event.cid);
      this.neighbours.delete(event.cid);
      this.shares.delete(event.cid);
    }
    const decisions = this.placement.apply(event);
    this.decisions = decisions.length;
    for (const decision of decisions) {
      if (decision.type === 'share') this.shares.set(decision.cid, decision.share);
      else
        this.neighbours.set(
          decision.cid,
          decision.peers.map(({ cid }) => cid),
        );
    }
  }

  reachableFrom(start: string): Set<string> {
    const seen = new Set([start]);
    for (const at of seen) for (const next of this.neighbours.get(at) ?? []) seen.add(next);
    return seen;
  }
}

const steps = fc.array(fc.record({ leave: fc.nat(9), number: fc.nat(120), seed: fc.nat() }), { maxLength: 300 });

function run(list: readonly { leave: number; number: number; seed: number }[], blob = 0): Told {
  const told = new Told(blob);
  for (const { leave, number, seed } of list) {
    const { cid } = member(number);
    if (leave < 3) told.apply({ type: 'leave', cid, seed });
    else told.apply({ type: 'join', member: { ...member(number), zone: [undefined, 'a', 'b'][number % 3] }, seed });
  }
  return told;
}

describe('placement', () => {
  it('keeps the graph of neighbours connected, mutual and of bounded degree through joins and leaves', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const told = run(list);
        for (const cid of told.present) {
          const mine = told.neighbours.get(cid) ?? [];
          expect(mine.length).toBeLessThanOrEqual(MAX_CHOSEN + 2);
          expect(new Set(mine).size).toBe(mine.length);
          for (const other of mine) {
            expect(other).not.toBe(cid);
            expect(told.present).toContain(other);
            expect(told.neighbours.get(other)).toContain(cid);
          }
        }
        const [first = ''] = told.present;
        expect(told.reachableFrom(first)).toEqual(new Set([first, ...told.present]));
      }),
      { numRuns: 60 },
    );
  });

  it('puts every block in exactly one share, through joins and leaves', () => {
    fc.assert(
      fc.property(steps, fc.nat(100), (list, blob) => {
        const told = run(list, blob);
        if (told.present.size === 0) return;
        const shares = [...told.present].map((cid) => told.shares.get(cid));
        expect(shares).not.toContain(undefined);
        const withShare = [...told.present].filter((cid) => told.shares.get(cid) !== null);
        expect([...told.placement.takers].sort()).toEqual(withShare.sort());
        for (let block = 0; block < 2 * MAX_SHARES; block += 1) {
          const takers = shares.filter((share) => block % (share?.count ?? 1) === (share?.index ?? -1));
          expect(takers).toHaveLength(1);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('decides the same from the same events', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const [one, two] = [run(list), run(list)];
        expect(one.neighbours).toEqual(two.neighbours);
        expect(one.shares).toEqual(two.shares);
      }),
      { numRuns: 20 },
    );
  });

  it('gives the whole blob to a member that is alone, and half to each of two', () => {
    const told = new Told();
    told.apply({ type: 'join', member: member(1), seed: 1 });
    expect(told.shares.get('node-1')).toEqual({ index: 0, count: 1 });
    expect(told.neighbours.get('node-1')).toEqual([]);
    told.apply({ type: 'join', member: member(2), seed: 2 });
    expect(told.shares.get('node-1')).toEqual({ index: 0, count: 2 });
    expect(told.shares.get('node-2')).toEqual({ index: 1, count: 2 });
    expect(told.neighbours.get('node-2')).toEqual(['node-1']);
    told.apply({ type: 'join', member: member(3), seed: 3 });
    expect(told.shares.get('node-3')).toBeNull();
  });

  it('has another member take the newest block of each layer, when all joined all layers in the same order', () => {
    for (const members of [4, 16, 100]) {
      const layers = [5, 6, 7, 8].map((blob) => {
        const told = new Told(blob);
        for (let number = 0; number < members; number += 1)
          told.apply({ type: 'join', member: member(number), seed: number });
        return told;
      });
      for (let block = 0; block < MAX_SHARES; block += 1) {
        const takers = layers.map(
          ({ shares }) => [...shares].find(([, share]) => block % (share?.count ?? 1) === (share?.index ?? -1))?.[0],
        );
        expect(new Set(takers).size).toBe(layers.length);
      }
    }
  });

  it('leaves everybody a part of the share that it had when there are more members', () => {
    for (let blob = 0; blob < 5; blob += 1) {
      const told = new Told(blob);
      const others: unknown[] = [];
      for (let number = 0; number < MAX_SHARES; number += 1) {
        const before = new Map(told.shares);
        told.apply({ type: 'join', member: member(number), seed: number });
        for (const [cid, share] of before) {
          const now = told.shares.get(cid);
          if (!share || !now || now.index % share.count === share.index) continue;
          others.push({ blob, cid, share, now });
        }
      }
      expect(others).toEqual([]);
    }
  });

  it('costs the same however many members there are', () => {
    const told = new Told();
    let most = 0;
    for (let number = 0; number < 5000; number += 1) {
      told.apply({ type: 'join', member: member(number), seed: number });
      if (number > MAX_SHARES) most = Math.max(most, told.decisions);
    }
    expect(most).toBeLessThanOrEqual(10);
    const degrees = [...told.neighbours.values()].map((mine) => mine.length);
    expect(Math.min(...degrees)).toBeGreaterThanOrEqual(8);
    expect(told.reachableFrom('node-0').size).toBe(5000);
  });

  it('prefers neighbours of the same zone, and still reaches all', () => {
    const told = new Told();
    const zones = ['a', 'b', 'c'];
    for (let number = 0; number < 300; number += 1) {
      told.apply({ type: 'join', member: { ...member(number), zone: zones[number % 3] }, seed: number });
    }
    let same = 0;
    let all = 0;
    for (const [cid, mine] of told.neighbours) {
      all += mine.length;
      same += mine.filter((other) => Number(other.slice(5)) % 3 === Number(cid.slice(5)) % 3).length;
    }
    expect(same / all).toBeGreaterThan(0.5);
    expect(told.reachableFrom('node-0').size).toBe(300);
  });

  it('changes nothing for a member that joins twice or leaves without having joined', () => {
    const told = new Told();
    told.apply({ type: 'join', member: member(1), seed: 1 });
    told.apply({ type: 'join', member: member(1), seed: 9 });
    told.apply({ type: 'leave', cid: 'node-7', seed: 9 });
    expect(told.placement.size).toBe(1);
    expect(told.decisions).toBe(0);
  });

  const reports = fc.array(
    fc.record({ kind: fc.nat(9), one: fc.nat(40), other: fc.nat(40), seed: fc.nat(), pause: fc.nat(20_000) }),
    { maxLength: 300 },
  );

  it('keeps all this for those that are not avoided, whatever is reported of whom', () => {
    fc.assert(
      fc.property(reports, (list) => {
        const told = new Told();
        let now = 0;
        for (const { kind, one, other, seed, pause } of list) {
          now += pause;
          const { cid } = member(one);
          if (kind < 4) told.apply({ type: 'join', member: member(one), seed, now });
          else if (kind < 5) told.apply({ type: 'leave', cid, seed, now });
          else {
            const mine = told.neighbours.get(cid) ?? [];
            const about = mine[other % Math.max(1, mine.length)] ?? member(other).cid;
            told.apply({ type: 'report', by: cid, about, seed, now });
          }
        }
        const avoided = [...told.present].filter((cid) => told.placement.avoids(cid));
        expect(avoided.length).toBeLessThanOrEqual(told.present.size / 4 + 1);
        const good = [...told.present].filter((cid) => !told.placement.avoids(cid));
        for (const cid of good) {
          const mine = told.neighbours.get(cid) ?? [];
          expect(mine.length).toBeLessThanOrEqual(MAX_CHOSEN + 2);
          for (const other of mine) {
            expect(good).toContain(other);
            expect(told.neighbours.get(other)).toContain(cid);
          }
        }
        const [first = ''] = good;
        expect(told.reachableFrom(first)).toEqual(new Set([first, ...good]));
        const shares = [...told.present].map((cid) => told.shares.get(cid));
        const takers = shares.filter((share) => 0 === (share?.index ?? -1));
        expect(takers).toHaveLength(told.present.size === 0 ? 0 : 1);
      }),
      { numRuns: 60 },
    );
  });

  function swarmOf(count: number): Told {
    const told = new Told();
    for (let number = 0; number < count; number += 1) {
      told.apply({ type: 'join', member: member(number), seed: number, now: 0 });
    }
    return told;
  }

  it('avoids a member that three of its neighbours report, for a minute, and leaves it its own sources', () => {
    const told = swarmOf(40);
    const bad = 'node-7';
    const accusers = [...(told.neighbours.get(bad) ?? [])].slice(0, 3);
    for (const [index, by] of accusers.entries()) {
      expect(told.placement.avoids(bad)).toBe(false);
      told.apply({ type: 'report', by, about: bad, seed: index, now: 1000 });
    }
    expect(told.placement.avoids(bad)).toBe(true);
    const knowing = (): string[] => [...told.neighbours].filter(([, mine]) => mine.includes(bad)).map(([cid]) => cid);
    expect(knowing()).toEqual([]);
    expect(told.neighbours.get(bad)).toHaveLength(6);
    told.apply({ type: 'join', member: member(100), seed: 1, now: 60_999 });
    expect(knowing()).toEqual([]);
    told.apply({ type: 'join', member: member(101), seed: 2, now: 61_000 });
    expect(told.placement.avoids(bad)).toBe(false);
    expect(knowing().length).toBeGreaterThanOrEqual(4);
  });

  it('gives one that reports a neighbour another in its place', () => {
    const told = swarmOf(40);
    const mine = [...(told.neighbours.get('node-3') ?? [])];
    for (const [seed, about] of mine.entries()) told.apply({ type: 'report', by: 'node-3', about, seed, now: 0 });
    const after = told.neighbours.get('node-3') ?? [];
    // Two beside it on the ring are kept: they hold the graph together.
    expect(after.filter((cid) => mine.includes(cid)).length).toBeLessThanOrEqual(3);
    expect(after.length).toBeGreaterThanOrEqual(6);
  });

  it('does not let two liars have anybody avoided, however many they report and however often', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(39), fc.nat()), { maxLength: 200 }), (list) => {
        const told = swarmOf(40);
        for (const [isFirst, number, seed] of list) {
          const by = isFirst ? 'node-0' : 'node-1';
          told.apply({ type: 'report', by, about: member(number).cid, seed, now: 0 });
        }
        for (const cid of told.present) expect(told.placement.avoids(cid)).toBe(false);
      }),
      { numRuns: 30 },
    );
  });
});
