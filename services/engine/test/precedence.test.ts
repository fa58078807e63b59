import { Precedence } from '../src/node/precedence';
import { noTraffic } from '../src/node/traffic';
import type { Traffic } from '../src/node/traffic';

const MIB = 1024 * 1024;

/** A node whose time passes as the test says. */
class Node {
  readonly own = noTraffic();
  private readonly precedence = new Precedence();
  private now = 1000;
  private busy = 0;
  private cpu = 0;

  /**
   * @param busy the part of the time in which the event loop works.
   * @param cpu the part of the time in which the process has a CPU.
   */
  pass(ms: number, busy: number, cpu = busy): void {
    this.now += ms;
    this.busy += busy * ms;
    this.cpu += cpu * ms;
  }

  /** How many blocks neighbours are given at once. */
  give(most = 100): number {
    let count = 0;
    const { now, busy, cpu } = this;
    while (count < most && this.precedence.isOpen({ now, busy, cpu, own: { ...this.own } })) {
      this.precedence.gave();
      count += 1;
    }
    return count;
  }
}

describe('the precedence of own pulls before neighbours', () => {
  it('holds nothing back while the event loop has time left', () => {
    const node = new Node();
    for (let round = 0; round < 50; round += 1) {
      node.own.supernode += MIB;
      node.pass(20, 0.85);
      expect(node.give()).toBe(100);
    }
  });

  it('holds nothing back while others have the CPU, though the event loop has no time left', () => {
    const node = new Node();
    for (let round = 0; round < 50; round += 1) {
      node.own.supernode += 1;
      node.pass(20, 1, 0.65);
      expect(node.give()).toBe(100);
    }
  });

  it('holds nothing back of a node that only gives', () => {
    const node = new Node();
    for (let round = 0; round < 50; round += 1) {
      node.pass(20, 1);
      expect(node.give()).toBe(100);
    }
  });

  /** How many blocks neighbours get in a second, when this has gone on for a while. */
  function given(node: Node, each: (own: Traffic) => void): number {
    let blocks = 0;
    for (let round = 0; round < 150; round += 1) {
      each(node.own);
      node.pass(20, 1);
      const now = node.give();
      if (round >= 100) blocks += now;
    }
    return blocks;
  }

  it('gives neighbours as much as own pulls receive from neighbours, and a block every 50 ms, when no time is left', () => {
    expect(given(new Node(), (own) => (own.peer += 2 * MIB))).toBe(100 + 20);
  });

  it.each(['local', 'supernode', 'origin'] as const)(
    'counts what own pulls get elsewhere (%s) for a quarter',
    (source) => {
      expect(given(new Node(), (own) => (own[source] += 8 * MIB))).toBe(100 + 20);
    },
  );

  it('gives neighbours a block every 50 ms at least, however little own pulls receive', () => {
    expect(given(new Node(), (own) => (own.origin += 1))).toBe(20);
  });

  it('gives so much that some time is left, evenly', () => {
    const node = new Node();
    const busy: number[] = [];
    let blocks = 0;
    for (let round = 0; round < 1000; round += 1) {
      // Own pulls take half of the time, and a block a tenth of a sample.
      node.own.supernode += 1024;
      busy.push(Math.min(1, 0.5 + 0.1 * blocks));
      node.pass(20, busy.at(-1) ?? 0);
      blocks = node.give(8);
    }
    const later = busy.slice(500);
    const mean = later.reduce((sum, one) => sum + one, 0) / later.length;
    expect(mean).toBeGreaterThan(0.75);
    expect(mean).toBeLessThan(0.9);
    expect(later.filter((one) => one === 1).length).toBeLessThan(later.length / 10);
  });

  it('saves 4 MiB at most for later', () => {
    const node = new Node();
    node.give();
    node.own.peer += 100 * MIB;
    node.pass(20, 1);
    expect(node.give()).toBe(4);
  });

  it('ends when own pulls get nothing any more, when time is left for a second, and when nobody has looked for long', () => {
    const short = (node: Node): Node => {
      node.give(1);
      node.own.peer += 1;
      node.pass(20, 1);
      expect(node.give()).toBe(0);
      return node;
    };
    const without = short(new Node());
    for (let round = 0; round < 13; round += 1) {
      expect(without.give()).toBeLessThan(2);
      without.pass(20, 1);
    }
    expect(without.give()).toBe(100);

    const idle = short(new Node());
    for (let round = 0; round < 50; round += 1) {
      idle.own.peer += 1;
      idle.pass(20, 0.5);
      expect(idle.give()).toBeLessThan(5);
    }
    idle.own.peer += 1;
    idle.pass(20, 0.5);
    expect(idle.give()).toBe(100);

    const unseen = short(new Node());
    unseen.pass(300, 1);
    expect(unseen.give()).toBe(100);
  });
});
