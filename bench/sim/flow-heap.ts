/** What a heap of flows orders: by when each ends. */
export interface Ending {
  /** When it ends, as things are. */
  end: number;
  /** Its place in the heap; -1 while it is in none. */
  place: number;
}

/** Flows by their end, the first on top: an end that moves costs a few steps up or down, and no second entry. */
export class FlowHeap<T extends Ending> {
  private readonly heap: T[] = [];

  get first(): T | undefined {
    return this.heap[0];
  }

  push(flow: T): void {
    flow.place = this.heap.length;
    this.heap.push(flow);
    this.up(flow);
  }

  /** Its end has changed. */
  moved(flow: T): void {
    if (!this.up(flow)) this.down(flow);
  }

  remove(flow: T): void {
    const last = this.heap.pop();
    if (last !== undefined && last !== flow) {
      last.place = flow.place;
      this.heap[flow.place] = last;
      this.moved(last);
    }
    flow.place = -1;
  }

  private up(flow: T): boolean {
    const { heap } = this;
    const { end } = flow;
    const before = flow.place;
    let place = before;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above.end <= end) break;
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
    const { end } = flow;
    let { place } = flow;
    for (;;) {
      let child = 2 * place + 1;
      let below = heap[child];
      if (below === undefined) break;
      const other = heap[child + 1];
      if (other !== undefined && other.end < below.end) [child, below] = [child + 1, other];
      if (below.end >= end) break;
      heap[place] = below;
      below.place = place;
      place = child;
    }
    heap[place] = flow;
    flow.place = place;
  }
}
