import { FlowHeap } from './flow-heap';
import type { Ending } from './flow-heap';

/** How fast a host sends and receives, in bytes a millisecond. */
export interface LinkRates {
  readonly up: number;
  readonly down: number;
}

/** A way is as good as full above this part of what it can. */
const BUSY = 0.97;

/** One direction of a host's link. */
class Way<T> {
  readonly flows: Flow<T>[] = [];
  /** The most that one flow gets of it. */
  level: number;
  /** What all flows have of it. */
  used = 0;
  /** Bytes that went through. */
  carried = 0;
  isDirty = false;
  /** Whether packets wait before it: it is full, and it is what holds a flow up. Of two ways in a row only the narrower has a queue. */
  isQueued = false;

  constructor(
    readonly capacity: number,
    /** Whether flows leave by it: they enter by the other. */
    readonly isUp: boolean,
  ) {
    this.level = capacity;
  }
}

/** A host by the two directions of its link. */
export interface Host<T> {
  readonly up: Way<T>;
  readonly down: Way<T>;
}

/** Bytes on their way from one host to another. */
export interface Flow<T> extends Ending {
  readonly from: Way<T>;
  readonly to: Way<T>;
  /** What it is that comes. */
  readonly cargo: T;
  left: number;
  rate: number;
  /** As of when `left` is true. */
  at: number;
  /** Its places among the flows of both ways. */
  fromPlace: number;
  toPlace: number;
}

/** What is gained by less than this part is left: the next change brings it. */
const WORTH = 1.005;

/** A flow whose share is all in others' hands for the moment has this part of it. */
const TRICKLE = 0.01;

/**
 * The links of all hosts, shared fairly: a flow has the smaller of what its sender and its receiver give to each of their flows, and a host
 * gives to the others what one of its flows cannot take (max-min fairness, brought up to date at both ends of a flow whenever one begins or
 * ends there). A way never carries more than it can.
 */
export class Links<T> {
  private readonly ends = new FlowHeap<Flow<T>>();
  private readonly dirty: Way<T>[] = [];
  private limits = new Float64Array(64);

  add({ up, down }: LinkRates): Host<T> {
    return { up: new Way<T>(up, true), down: new Way<T>(down, false) };
  }

  /** When the first flow ends; Infinity when none is there. True as of the last {@link settle}. */
  get nextEnd(): number {
    return this.ends.first?.end ?? Infinity;
  }

  begin(now: number, from: Host<T>, to: Host<T>, bytes: number, cargo: T): Flow<T> {
    const flow: Flow<T> = {
      from: from.up,
      to: to.down,
      cargo,
      left: bytes,
      rate: 0,
      at: now,
      end: Infinity,
      key: Infinity,
      place: -1,
      fromPlace: from.up.flows.length,
      toPlace: to.down.flows.length,
    };
    flow.from.flows.push(flow);
    flow.to.flows.push(flow);
    this.ends.push(flow);
    this.touch(flow);
    return flow;
  }

  /** Takes out the flow that ends first. */
  endFirst(now: number): Flow<T> | undefined {
    const { first } = this.ends;
    if (first === undefined) return undefined;
    progress(now, first);
    // What rounding left.
    first.from.carried += first.left;
    first.to.carried += first.left;
    first.left = 0;
    this.remove(first);
    return first;
  }

  /** Ends a flow that is not needed any more; `left` is what did not come. */
  cancel(now: number, flow: Flow<T>): void {
    if (flow.place === -1) return;
    progress(now, flow);
    this.remove(flow);
  }

  /** Shares anew what changed since the last call. To be called before time goes on. */
  settle(now: number): void {
    const { dirty } = this;
    if (dirty.length === 0) return;
    // Twice: what one end cannot take the other has for its other flows.
    for (let round = 0; round < 2; round += 1) for (const way of dirty) way.level = this.levelOf(way);
    for (const way of dirty) {
      for (const flow of way.flows) {
        const rate = Math.min(flow.from.level, flow.to.level);
        if (rate < flow.rate) this.setRate(now, flow, rate);
      }
    }
    for (const way of dirty) {
      for (const flow of way.flows) {
        const { from, to, rate } = flow;
        const fair = Math.min(from.level, to.level);
        if (fair <= rate * WORTH) continue;
        const free = Math.min(from.capacity - from.used, to.capacity - to.used);
        const more = Math.max(Math.min(fair, rate + free), fair * TRICKLE);
        if (more > rate * WORTH) this.setRate(now, flow, more);
      }
      way.isDirty = false;
      way.isQueued = way.used > BUSY * way.capacity && way.flows.some(way.isUp ? holdsUpFrom : holdsUpTo);
    }
    dirty.length = 0;
  }

  private remove(flow: Flow<T>): void {
    this.ends.remove(flow);
    const { from, to } = flow;
    const lastFrom = from.flows.pop();
    if (lastFrom !== undefined && lastFrom !== flow) {
      from.flows[flow.fromPlace] = lastFrom;
      lastFrom.fromPlace = flow.fromPlace;
    }
    const lastTo = to.flows.pop();
    if (lastTo !== undefined && lastTo !== flow) {
      to.flows[flow.toPlace] = lastTo;
      lastTo.toPlace = flow.toPlace;
    }
    // What rounding left of the others does not add up.
    from.used = from.flows.length === 0 ? 0 : from.used - flow.rate;
    to.used = to.flows.length === 0 ? 0 : to.used - flow.rate;
    flow.rate = 0;
    this.touch(flow);
  }

  private touch({ from, to }: Flow<T>): void {
    for (const way of [from, to]) {
      if (way.isDirty) continue;
      way.isDirty = true;
      this.dirty.push(way);
    }
  }

  private setRate(now: number, flow: Flow<T>, rate: number): void {
    progress(now, flow);
    flow.from.used += rate - flow.rate;
    flow.to.used += rate - flow.rate;
    flow.rate = rate;
    flow.end = now + flow.left / rate;
    this.ends.moved(flow);
  }

  /** What each flow may have of a way at most, so that all of it is used as far as the other ends can. */
  private levelOf({ capacity, flows, isUp }: Way<T>): number {
    const count = flows.length;
    if (count === 0) return capacity;
    if (count > this.limits.length) this.limits = new Float64Array(2 * count);
    const { limits } = this;
    const even = capacity / count;
    let least = Infinity;
    for (let index = 0; index < count; index += 1) {
      const flow = flows[index];
      if (flow === undefined) continue;
      const limit = isUp ? flow.to.level : flow.from.level;
      if (limit < least) least = limit;
      limits[index] = limit;
    }
    if (least >= even) return even;
    const sorted = limits.subarray(0, count).sort();
    let left = capacity;
    for (let index = 0; index < count; index += 1) {
      const equal = left / (count - index);
      const limit = sorted[index] ?? 0;
      if (limit >= equal) return equal;
      left -= limit;
    }
    // All are held up elsewhere: whoever comes to have more there may have it here.
    return (sorted[count - 1] ?? 0) + left;
  }
}

/** Whether a flow is held up where it leaves: of two ways alike, the first. */
function holdsUpFrom({ from, to }: Flow<unknown>): boolean {
  return from.level <= to.level;
}

function holdsUpTo({ from, to }: Flow<unknown>): boolean {
  return to.level < from.level;
}

function progress<T>(now: number, flow: Flow<T>): void {
  const bytes = Math.min(flow.left, flow.rate * (now - flow.at));
  flow.left -= bytes;
  flow.at = now;
  flow.from.carried += bytes;
  flow.to.carried += bytes;
}
