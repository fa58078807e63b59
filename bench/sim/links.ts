import { FlowHeap, larger } from './flow-heap';

/** How fast a host sends and receives, in bytes a millisecond. */
export interface LinkRates {
  readonly up: number;
  readonly down: number;
}

/** A host by the two directions of its link: the numbers of its ways out and in. */
export interface Host {
  readonly up: number;
  readonly down: number;
}

/** A way is as good as full above this part of what it can. */
const BUSY = 0.97;

/** What is gained by less than this part is left: the next change brings it. */
const WORTH = 1.005;

/** A flow whose share is all in others' hands for the moment has this part of it. */
const TRICKLE = 0.01;

/** What is known of a way, as places in its record: what it can carry, the most that one flow gets of it, what all have of it, bytes that went through. */
const WAY = 4;
const [CAPACITY, LEVEL, USED, CARRIED] = [0, 1, 2, 3];

/** And of a flow: bytes that are left as of a time, and bytes a millisecond since then. */
const FLOW = 4;
const [LEFT, RATE, AT] = [0, 1, 2];

/** Its ways, and the flows beside it in the lists of both. */
const TIES = 8;
const [FROM, TO] = [0, 1];
/** The next flow on the way out, the one before it, and the same on the way in: at the place of the way in a record, and two or four behind. */
const [NEXT, PREVIOUS] = [2, 4];

const NONE = -1;

/**
 * The links of all hosts, shared fairly: a flow has the smaller of what its sender and its receiver give to each of their flows, and a host
 * gives to the others what one of its flows cannot take (max-min fairness, brought up to date at both ends of a flow whenever one begins or
 * ends there). A way never carries more than it can.
 *
 * Ways and flows are numbers, and what is known of them lies in arrays of numbers: nearly all time goes into reaching them. The number of a flow
 * that is over is given to another.
 */
export class Links<T> {
  private readonly ends = new FlowHeap();
  private readonly cargoes: (T | undefined)[] = [];
  private readonly free: number[] = [];
  private flows = new Float64Array(64 * FLOW);
  private ties = new Int32Array(64 * TIES);
  private ways = new Float64Array(64 * WAY);
  /** The first flow of each way, and how many it has. */
  private readonly firsts: number[] = [];
  private readonly counts: number[] = [];
  private readonly areDirty: boolean[] = [];
  private readonly areQueued: boolean[] = [];
  private readonly dirty: number[] = [];

  add({ up, down }: LinkRates): Host {
    return { up: this.addWay(up), down: this.addWay(down) };
  }

  /** When the first flow ends; Infinity when none is there. True as of the last {@link settle}. */
  get nextEnd(): number {
    const { first } = this.ends;
    return first === NONE ? Infinity : this.ends.endOf(first);
  }

  /** Bytes that went through a way. */
  carried(way: number): number {
    return this.ofWay(way, CARRIED);
  }

  /** Whether packets wait before a way: it is full, and it is what holds a flow up. Of two ways in a row only the narrower has a queue. */
  isQueued(way: number): boolean {
    return this.areQueued[way] === true;
  }

  /** Bytes a millisecond that a flow has. */
  rate(flow: number): number {
    return this.of(flow, RATE);
  }

  /** Begins to bring bytes from one host to another. @param cargo what it is that comes. @returns the number of the flow. */
  begin(now: number, from: Host, to: Host, bytes: number, cargo: T): number {
    const flow = this.free.pop() ?? this.cargoes.length;
    if ((flow + 1) * FLOW > this.flows.length) {
      this.flows = larger(this.flows, new Float64Array(2 * this.flows.length));
      this.ties = larger(this.ties, new Int32Array(2 * this.ties.length));
    }
    this.cargoes[flow] = cargo;
    const base = flow * FLOW;
    this.flows[base + LEFT] = bytes;
    this.flows[base + RATE] = 0;
    this.flows[base + AT] = now;
    this.ends.push(flow, Infinity);
    this.tie(flow, FROM, from.up);
    this.tie(flow, TO, to.down);
    return flow;
  }

  /** Takes out the flow that ends first, and gives what it brought. */
  endFirst(now: number): T | undefined {
    const { first } = this.ends;
    if (first === NONE) return undefined;
    const cargo = this.cargoes[first];
    this.carry(first, this.of(first, LEFT));
    this.flows[first * FLOW + AT] = now;
    this.remove(first);
    return cargo;
  }

  /** Ends a flow that is not needed any more. @returns the bytes that did not come. */
  cancel(now: number, flow: number): number {
    this.progress(now, flow);
    const left = this.of(flow, LEFT);
    this.remove(flow);
    return left;
  }

  /** Shares anew what changed since the last call. To be called before time goes on. */
  settle(now: number): void {
    const { dirty } = this;
    if (dirty.length === 0) return;
    // Twice: what one end cannot take the other has for its other flows.
    for (let round = 0; round < 2; round += 1) {
      for (const way of dirty) this.ways[way * WAY + LEVEL] = this.levelOf(way);
    }
    for (const way of dirty) this.lower(now, way);
    for (const way of dirty) {
      this.raise(now, way);
      this.areDirty[way] = false;
      const isFull = this.ofWay(way, USED) > BUSY * this.ofWay(way, CAPACITY);
      this.areQueued[way] = isFull && this.holdsUp(way);
    }
    dirty.length = 0;
  }

  private addWay(capacity: number): number {
    const way = this.firsts.length;
    if ((way + 1) * WAY > this.ways.length) this.ways = larger(this.ways, new Float64Array(2 * this.ways.length));
    this.ways[way * WAY + CAPACITY] = capacity;
    this.ways[way * WAY + LEVEL] = capacity;
    this.firsts.push(NONE);
    this.counts.push(0);
    this.areDirty.push(false);
    this.areQueued.push(false);
    return way;
  }

  /** Takes from those flows of a way that have more than is fair now. */
  private lower(now: number, way: number): void {
    const side = sideOf(way);
    for (let flow = this.first(way); flow !== NONE; flow = this.tied(flow, NEXT + side)) {
      const fair = this.fair(flow);
      if (fair < this.of(flow, RATE)) this.setRate(now, flow, fair);
    }
  }

  /** Gives to those that have less, as far as there is room. */
  private raise(now: number, way: number): void {
    const side = sideOf(way);
    for (let flow = this.first(way); flow !== NONE; flow = this.tied(flow, NEXT + side)) {
      const fair = this.fair(flow);
      const rate = this.of(flow, RATE);
      if (fair <= rate * WORTH) continue;
      const room = Math.min(this.room(this.tied(flow, FROM)), this.room(this.tied(flow, TO)));
      const more = Math.max(Math.min(fair, rate + room), fair * TRICKLE);
      if (more > rate * WORTH) this.setRate(now, flow, more);
    }
  }

  /** Whether some flow of a way is held up there: of two ways alike, where it leaves. */
  private holdsUp(way: number): boolean {
    const side = sideOf(way);
    for (let flow = this.first(way); flow !== NONE; flow = this.tied(flow, NEXT + side)) {
      const [from, to] = [this.ofWay(this.tied(flow, FROM), LEVEL), this.ofWay(this.tied(flow, TO), LEVEL)];
      if (side === FROM ? from <= to : to < from) return true;
    }
    return false;
  }

  /** What each flow may have of a way at most, so that all of it is used as far as the other ends can. */
  private levelOf(way: number): number {
    const capacity = this.ofWay(way, CAPACITY);
    const count = this.counts[way] ?? 0;
    if (count === 0) return capacity;
    const side = sideOf(way);
    let level = capacity / count;
    let above = count;
    // Those that can not take so much leave it to the others: the level only rises.
    for (;;) {
      let taken = 0;
      let most = 0;
      let more = 0;
      for (let flow = this.first(way); flow !== NONE; flow = this.tied(flow, NEXT + side)) {
        const limit = this.ofWay(this.tied(flow, 1 - side), LEVEL);
        if (limit >= level) more += 1;
        else {
          taken += limit;
          if (limit > most) most = limit;
        }
      }
      // All are held up elsewhere: whoever comes to have more there may have it here.
      if (more === 0) return most + capacity - taken;
      if (more >= above) return level;
      above = more;
      level = (capacity - taken) / more;
    }
  }

  private fair(flow: number): number {
    return Math.min(this.ofWay(this.tied(flow, FROM), LEVEL), this.ofWay(this.tied(flow, TO), LEVEL));
  }

  private room(way: number): number {
    return this.ofWay(way, CAPACITY) - this.ofWay(way, USED);
  }

  private setRate(now: number, flow: number, rate: number): void {
    this.progress(now, flow);
    const more = rate - this.of(flow, RATE);
    this.addTo(this.tied(flow, FROM), USED, more);
    this.addTo(this.tied(flow, TO), USED, more);
    this.flows[flow * FLOW + RATE] = rate;
    this.ends.move(flow, now + this.of(flow, LEFT) / rate);
  }

  private progress(now: number, flow: number): void {
    const left = this.of(flow, LEFT);
    const bytes = Math.min(left, this.of(flow, RATE) * (now - this.of(flow, AT)));
    this.flows[flow * FLOW + LEFT] = left - bytes;
    this.flows[flow * FLOW + AT] = now;
    this.carry(flow, bytes);
  }

  private carry(flow: number, bytes: number): void {
    this.addTo(this.tied(flow, FROM), CARRIED, bytes);
    this.addTo(this.tied(flow, TO), CARRIED, bytes);
  }

  private remove(flow: number): void {
    this.ends.remove(flow);
    this.untie(flow, FROM);
    this.untie(flow, TO);
    this.cargoes[flow] = undefined;
    this.free.push(flow);
  }

  /** Puts a flow first in the list of one of its ways. */
  private tie(flow: number, side: number, way: number): void {
    const base = flow * TIES + side;
    const first = this.first(way);
    this.ties[base] = way;
    this.ties[base + NEXT] = first;
    this.ties[base + PREVIOUS] = NONE;
    if (first !== NONE) this.ties[first * TIES + side + PREVIOUS] = flow;
    this.firsts[way] = flow;
    this.counts[way] = (this.counts[way] ?? 0) + 1;
    this.touch(way);
  }

  private untie(flow: number, side: number): void {
    const way = this.tied(flow, side);
    const next = this.tied(flow, NEXT + side);
    const previous = this.tied(flow, PREVIOUS + side);
    if (previous === NONE) this.firsts[way] = next;
    else this.ties[previous * TIES + side + NEXT] = next;
    if (next !== NONE) this.ties[next * TIES + side + PREVIOUS] = previous;
    const count = (this.counts[way] ?? 0) - 1;
    this.counts[way] = count;
    // What rounding left of the others does not add up.
    this.ways[way * WAY + USED] = count === 0 ? 0 : this.ofWay(way, USED) - this.of(flow, RATE);
    this.touch(way);
  }

  private touch(way: number): void {
    if (this.areDirty[way] === true) return;
    this.areDirty[way] = true;
    this.dirty.push(way);
  }

  private first(way: number): number {
    return this.firsts[way] ?? NONE;
  }

  private of(flow: number, what: number): number {
    return this.flows[flow * FLOW + what] ?? 0;
  }

  private ofWay(way: number, what: number): number {
    return this.ways[way * WAY + what] ?? 0;
  }

  private addTo(way: number, what: number, more: number): void {
    this.ways[way * WAY + what] = this.ofWay(way, what) + more;
  }

  private tied(flow: number, what: number): number {
    return this.ties[flow * TIES + what] ?? NONE;
  }
}

/** Ways out and in take turns: a host has both. */
function sideOf(way: number): number {
  return way & 1;
}
