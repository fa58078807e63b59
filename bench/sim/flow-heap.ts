/** How many children a place has: few levels, and the children of one place lie side by side. */
const CHILDREN = 4;

/**
 * Flows, which are small numbers, by their end, the first on top. An end that moves costs a few steps up when it comes earlier, and nothing when it
 * comes later: the flow keeps its place until it is on top, and only then takes its new one. Most ends move to and fro and are on top once.
 *
 * What is compared lies in one array of numbers: with objects, each comparison would be another place in memory.
 */
export class FlowHeap {
  /** By what each place stands: never later than the end of its flow. */
  private keys = new Float64Array(64);
  private flows = new Int32Array(64);
  private count = 0;
  /** Of each flow when it ends, as things are, and its place. */
  private ends = new Float64Array(64);
  private places = new Int32Array(64);

  /** The flow that ends first; -1 when there is none. */
  get first(): number {
    for (;;) {
      if (this.count === 0) return -1;
      const flow = this.flows[0] ?? 0;
      const end = this.ends[flow] ?? 0;
      if (end <= (this.keys[0] ?? 0)) return flow;
      this.down(0, flow, end);
    }
  }

  /** When a flow ends that is in the heap. */
  endOf(flow: number): number {
    return this.ends[flow] ?? Infinity;
  }

  push(flow: number, end: number): void {
    if (this.count === this.keys.length) {
      this.keys = larger(this.keys, new Float64Array(2 * this.count));
      this.flows = larger(this.flows, new Int32Array(2 * this.count));
    }
    if (flow >= this.ends.length) {
      this.ends = larger(this.ends, new Float64Array(2 * flow));
      this.places = larger(this.places, new Int32Array(2 * flow));
    }
    this.ends[flow] = end;
    this.up(this.count++, flow, end);
  }

  /** Its end is another now. */
  move(flow: number, end: number): void {
    this.ends[flow] = end;
    const place = this.places[flow] ?? 0;
    if (end < (this.keys[place] ?? 0)) this.up(place, flow, end);
  }

  remove(flow: number): void {
    const place = this.places[flow] ?? 0;
    this.count -= 1;
    const last = this.flows[this.count] ?? 0;
    if (last === flow) return;
    const key = this.keys[this.count] ?? 0;
    if (key < (this.keys[place] ?? 0)) this.up(place, last, key);
    else this.down(place, last, key);
  }

  private up(from: number, flow: number, key: number): void {
    let place = from;
    while (place > 0) {
      const parent = Math.floor((place - 1) / CHILDREN);
      const above = this.keys[parent] ?? 0;
      if (above <= key) break;
      this.set(place, this.flows[parent] ?? 0, above);
      place = parent;
    }
    this.set(place, flow, key);
  }

  private down(from: number, flow: number, key: number): void {
    let place = from;
    for (;;) {
      const first = CHILDREN * place + 1;
      const end = Math.min(first + CHILDREN, this.count);
      let least = key;
      let child = -1;
      for (let other = first; other < end; other += 1) {
        const below = this.keys[other] ?? 0;
        if (below < least) [least, child] = [below, other];
      }
      if (child === -1) break;
      this.set(place, this.flows[child] ?? 0, least);
      place = child;
    }
    this.set(place, flow, key);
  }

  private set(place: number, flow: number, key: number): void {
    this.keys[place] = key;
    this.flows[place] = flow;
    this.places[flow] = place;
  }
}

/** The numbers of an array in one that has more room. */
export function larger<A extends Float64Array | Int32Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
