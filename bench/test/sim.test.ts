import { seededRandom } from '../../services/supernode/src/placement/random';
import { EventQueue } from '../sim/event-queue';
import { FlowHeap } from '../sim/flow-heap';
import { Links } from '../sim/links';
import { blockLengths, lowerBound } from '../sim/scenario';
import type { Scenario } from '../sim/scenario';
import { SwarmSim } from '../sim/swarm-sim';

const MIB = 1024 * 1024;

const scenario = (changes: Partial<Scenario>): Scenario => ({
  ...{ name: 'test', nodes: 8, size: 24 * MIB, block: MIB, nodeRate: 8000, supernodeRate: 8000, originRate: 8000 },
  ...{ latency: 0.25, spread: 20, seed: 1 },
  ...changes,
});

describe('the simulated links', () => {
  it('share a way evenly, and give to others what one flow cannot take', () => {
    const links = new Links<string>();
    const sender = links.add({ up: 100, down: 100 });
    const [slow, fast] = [links.add({ up: 100, down: 10 }), links.add({ up: 100, down: 200 })];
    const toSlow = links.begin(0, sender, slow, 100, 'slow');
    const toFast = links.begin(0, sender, fast, 900, 'fast');
    links.settle(0);
    expect([links.rate(toSlow), links.rate(toFast)]).toEqual([10, 90]);
    expect(links.nextEnd).toBe(10);
    // The other had as much to send, and is done in the same moment.
    expect([links.endFirst(10), links.endFirst(10)].sort()).toEqual(['fast', 'slow']);
    expect([sender.up, slow.down, fast.down].map((way) => links.carried(way))).toEqual([1000, 100, 900]);
  });

  it('speed a flow up when another is cancelled, and count what it had brought', () => {
    const links = new Links<string>();
    const [sender, receiver] = [links.add({ up: 100, down: 100 }), links.add({ up: 100, down: 100 })];
    links.begin(0, sender, receiver, 1000, 'one');
    const other = links.begin(0, sender, receiver, 1000, 'other');
    links.settle(0);
    expect(links.nextEnd).toBe(20);
    expect(links.cancel(10, other)).toBe(500);
    links.settle(10);
    expect(links.nextEnd).toBe(15);
    expect(links.endFirst(15)).toBe('one');
    expect(links.carried(sender.up)).toBe(1500);
  });

  it('give what all slow receivers leave to the fast ones, evenly, as soon as it is left', () => {
    const links = new Links<string>();
    const sender = links.add({ up: 100, down: 100 });
    const flows = [10, 20, 200, 200].map((down) => links.begin(0, sender, links.add({ up: 1, down }), 350, `${down}`));
    links.settle(0);
    expect(flows.map((flow) => links.rate(flow))).toEqual([10, 20, 35, 35]);
    expect([links.endFirst(10), links.endFirst(10)]).toEqual(['200', '200']);
    links.settle(10);
    // Whoever is held up elsewhere takes no more; and the number of a flow that is over is free.
    const next = links.begin(10, sender, links.add({ up: 1, down: 200 }), 350, 'next');
    links.settle(10);
    expect(flows).toContain(next);
    expect([...flows.slice(0, 2), next].map((flow) => links.rate(flow))).toEqual([10, 20, 70]);
  });

  it('keep the first end on top, whichever way ends move', () => {
    const heap = new FlowHeap();
    for (const [flow, end] of [5, 3, 9, 1, 7, 8, 2].entries()) heap.push(flow, end);
    heap.move(2, 0);
    heap.move(3, 10);
    heap.remove(0);
    const order: number[] = [];
    for (let top = heap.first; top !== -1; top = heap.first) {
      order.push(heap.endOf(top));
      heap.remove(top);
    }
    expect(order).toEqual([0, 2, 3, 7, 8, 10]);
  });
});

describe('the events', () => {
  it('come by time, those of a kind that are put in in order and all others', () => {
    const queue = new EventQueue(3);
    const random = seededRandom(7);
    const put = Array.from({ length: 500 }, (_, subject) => {
      const kind = subject % 3;
      // The first kind is always in order, the second mostly, the third never.
      const time = kind === 0 ? subject : kind === 1 ? subject + 20 * random() : 1000 * random();
      queue.push(time, kind, subject);
      return { time, kind, subject };
    });
    expect(queue.size).toBe(500);
    const taken: { time: number; kind: number; subject: number }[] = [];
    while (queue.pop((time, kind, subject) => taken.push({ time, kind, subject })));
    expect(taken).toEqual([...put].sort((one, other) => one.time - other.time));
    expect([queue.size, queue.nextTime]).toEqual([0, Infinity]);
  });
});

describe('the simulation', () => {
  it('takes for one node what can be computed by hand', () => {
    // Four blocks of 256 ms each from the origin. The supernode sends one while the next arrives, so the node is one block behind; each
    // block is known 5 ms after it came, and 0.25 ms on its way, asked 0.25 ms later, and its end is 0.25 ms on its way.
    const rate = MIB / 256;
    const rates = { nodeRate: rate, supernodeRate: rate, originRate: rate };
    const { ratios } = new SwarmSim(scenario({ nodes: 1, size: 2 * MIB * 4, block: 2 * MIB, ...rates })).run();
    const block = 512;
    const expected = 4 * block + 5 + 0.25 + 0.25 + block + 0.25;
    expect((ratios[0] ?? 0) * 4 * block).toBeCloseTo(expected, 3);
  });

  it('brings each node all bytes once, and takes each from the origin once', () => {
    const result = new SwarmSim(scenario({ blobs: 3, queue: 50 })).run();
    expect(result.unfinished).toBe(0);
    expect(result.ratios).toHaveLength(8);
    expect(result.originBytes).toBe(24 * MIB);
    const twice = result.supernodeBytes + result.peerBytes - 8 * 24 * MIB;
    expect(twice).toBeGreaterThanOrEqual(0);
    expect(twice).toBeLessThanOrEqual(result.wasted);
    expect(result.supernodeBytes).toBeGreaterThanOrEqual(24 * MIB);
  });

  it('never beats the lower bound, whoever has the narrowest link', () => {
    for (const rates of [
      {},
      { supernodeRate: 2000 },
      { nodeRate: 2000 },
      { originRate: 80_000, supernodeRate: 80_000 },
    ]) {
      for (const seed of [1, 2]) {
        const point = scenario({ ...rates, seed, size: 6 * MIB, nodes: 4 });
        const { ratios } = new SwarmSim(point).run();
        expect(ratios[0]).toBeGreaterThan(1);
      }
    }
  });

  it('is the same for a seed, and another for another', () => {
    const run = (seed: number): readonly number[] => [...new SwarmSim(scenario({ seed, churn: 0.3 })).run().ratios];
    expect(run(1)).toEqual(run(1));
    expect(run(2)).not.toEqual(run(1));
  });

  it('ends also when nodes die, are slow, or the supernode is lost', () => {
    const churn = new SwarmSim(scenario({ churn: 0.5, size: 12 * MIB })).run();
    const slow = new SwarmSim(scenario({ slow: 0.3, size: 12 * MIB })).run();
    const lost = new SwarmSim(scenario({ lostAt: 1000 })).run();
    expect([churn.unfinished, slow.unfinished, lost.unfinished]).toEqual([0, 0, 0]);
    // The first supernode had a second of the origin's bytes, and the second one begins anew.
    expect(lost.originBytes).toBeGreaterThan(24 * MIB);
    expect(lost.originBytes).toBeLessThan(24 * MIB + 8000 * 1000 + MIB);
  });

  it('has the real grid where blocks are the real ones', () => {
    const lengths = blockLengths(scenario({ size: 48 * MIB }));
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(48 * MIB);
    expect(lengths[0]).toBe(256 * 1024);
    expect(Math.max(...lengths)).toBe(MIB);
  });

  it('knows which link bounds the time', () => {
    expect(lowerBound(scenario({ size: 8000, supernodeRate: 1000 }))).toBe(8);
    expect(lowerBound(scenario({ size: 8000, nodeRate: 1000, supernodeRate: 4000 }))).toBe(8);
    expect(lowerBound(scenario({ nodes: 16, size: 16_000, nodeRate: 2000, supernodeRate: 2000 }))).toBeCloseTo(8);
  });
});
