import { Precedence } from '../src/node/precedence';
import { noTraffic } from '../src/node/traffic';

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
      this.precedence.gave(now);
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

  it('gives neighbours as much as own pulls receive when no time is left', () => {
    const node = new Node();
    node.give();
    let given = 0;
    for (let round = 0; round < 30; round += 1) {
      node.own.supernode += MIB;
      node.own.peer += MIB;
      node.pass(20, 1);
      given += node.give();
    }
    expect(given).toBe(60);
  });

  it('counts what own pulls read from the own store for a quarter', () => {
    const node = new Node();
    node.give();
    let given = 0;
    for (let round = 0; round < 30; round += 1) {
      node.own.local += 8 * MIB;
      node.pass(20, 1);
      given += node.give();
    }
    expect(given).toBe(60);
  });

  it('gives neighbours a block every 50 ms at least, however little own pulls receive', () => {
    const node = new Node();
    node.give();
    let given = 0;
    for (let round = 0; round < 50; round += 1) {
      node.own.origin += 1024;
      node.pass(20, 1);
      given += node.give();
    }
    // 1,000 ms, looked at every 20 ms.
    expect(given).toBe(16);
  });

  it('saves 8 MiB at most for later', () => {
    const node = new Node();
    node.give();
    node.own.peer += 100 * MIB;
    node.pass(20, 1);
    node.own.peer += 1;
    expect(node.give()).toBe(8);
  });

  it('ends when own pulls get nothing any more, and when nobody has looked for long', () => {
    const node = new Node();
    const short = (): void => {
      node.own.peer += 1;
      node.pass(20, 1);
    };
    node.give();
    short();
    expect(node.give()).toBe(0);
    for (let round = 0; round < 13; round += 1) {
      node.pass(20, 1);
      node.give(1);
    }
    expect(node.give()).toBe(100);
    short();
    node.give(1);
    expect(node.give()).toBe(0);
    node.pass(300, 1);
    expect(node.give()).toBe(100);
  });
});
