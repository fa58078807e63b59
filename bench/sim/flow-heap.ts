/** What a heap of flows orders: by when each ends. */
export interface Ending {
  /** When it ends, as things are. */
  end: number;
  /** By what it stands in the heap: never later than its end. */
  key: number;
  /** Its place in the heap; -1 while it is in none. */
  place: number;
}

/**
 * Flows by their end, the first on top. An end that moves costs a few steps up when it comes earlier, and nothing when it comes later: the flow
 * keeps its place until it is on top, and only then takes its new one. Most ends move to and fro and are on top once.
 */
export class FlowHeap<T extends Ending> {
  private readonly heap: T[] = [];

  get first(): T | undefined {
    const { heap } = this;
    let [top] = heap;
    while (top !== undefined && top.end > top.key) {
      top.key = top.end;
      this.down(top);
      [top] = heap;
    }
    return top;
  }

  push(flow: T): void {
    flow.key = flow.end;
    flow.place = this.heap.length;
    this.heap.push(flow);
    this.up(flow);
  }

  /** Its end has changed. */
  moved(flow: T): void {
    if (flow.end >= flow.key) return;
    flow.key = flow.end;
    this.up(flow);
  }

  remove(flow: T): void {
    const last = this.heap.pop();
    if (last !== undefined && last !== flow) {
      last.place = flow.place;
      this.heap[flow.place] = last;
      if (!this.up(last)) this.down(last);
    }
    flow.place = -1;
  }

  private up(flow: T): boolean {
    const { heap } = this;
    const { key } = flow;
    const before = flow.place;
    let place = before;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above.key <= key) break;
      heap[place] = above;
      above.place = place;
      place = parent;
    }
    heap[place] = flow;
    flow.place = place;
    return place !== before;
  }

  private down(flow: T): void {
    const { heap } = this;
    const { key } = flow;
    let { place } = flow;
    for (;;) {
      let child = 2 * place + 1;
      let below = heap[child];
      if (below === undefined) break;
      const other = heap[child + 1];
      if (other !== undefined && other.key < below.key) [child, below] = [child + 1, other];
      if (below.key >= key) break;
      heap[place] = below;
      below.place = place;
      place = child;
    }
    heap[place] = flow;
    flow.place = place;
  }
}
