import { larger } from './flow-heap';

/**
 * Events by time. Most kinds come a fixed time after what they follow on, so that their events are put in in order: each kind has a queue of its
 * own, and what does not come in order is in a heap. Plain arrays of numbers, since millions go through them. Events of one time come in any order.
 */
export class EventQueue {
  private readonly lanes: Lane[];
  private readonly heap = new Heap();
  /** When the first of each kind is due, and of the heap. */
  private readonly heads: Float64Array;
  private next: number;

  /** @param kinds how many there are. */
  constructor(kinds: number) {
    this.lanes = Array.from({ length: kinds }, () => new Lane());
    this.heads = new Float64Array(kinds + 1).fill(Infinity);
    this.next = kinds;
  }

  get size(): number {
    return this.lanes.reduce((sum, { count }) => sum + count, this.heap.count);
  }

  /** When the earliest event is due; Infinity when there is none. */
  get nextTime(): number {
    return this.heads[this.next] ?? Infinity;
  }

  /** @param kind below the number of kinds. */
  push(time: number, kind: number, subject: number): void {
    const lane = this.lanes[kind];
    if (lane === undefined) throw new RangeError(`there is no kind ${kind} of events`);
    if (lane.push(time, subject)) {
      if (lane.count === 1) this.heads[kind] = time;
      if (time < this.nextTime) this.next = kind;
      return;
    }
    this.heap.push(time, kind, subject);
    this.heads[this.lanes.length] = this.heap.time;
    if (time < this.nextTime) this.next = this.lanes.length;
  }

  /** Takes the earliest event out and gives it to `take`; answers false when there is none. */
  pop(take: (time: number, kind: number, subject: number) => void): boolean {
    const { heap, lanes, next } = this;
    const time = this.nextTime;
    if (time === Infinity) return false;
    const lane = lanes[next];
    const kind = lane === undefined ? heap.kind : next;
    const subject = lane === undefined ? heap.subject : lane.subject;
    const from = lane ?? heap;
    from.drop();
    this.heads[next] = from.time;
    this.look();
    take(time, kind, subject);
    return true;
  }

  private look(): void {
    const { heads } = this;
    let earliest = Infinity;
    let found = heads.length - 1;
    for (let index = 0; index < heads.length; index += 1) {
      const head = heads[index] ?? Infinity;
      if (head < earliest) [earliest, found] = [head, index];
    }
    this.next = found;
  }
}

/** Events of one kind, in order: a ring. */
class Lane {
  count = 0;
  private times = new Float64Array(64);
  private subjects = new Int32Array(64);
  private from = 0;
  private last = -Infinity;

  /** When the first is due; Infinity when there is none. */
  get time(): number {
    return this.count === 0 ? Infinity : (this.times[this.from] ?? Infinity);
  }

  get subject(): number {
    return this.subjects[this.from] ?? 0;
  }

  /** Tells whether it was taken in: not when it is due before the last one. */
  push(time: number, subject: number): boolean {
    if (this.count > 0 && time < this.last) return false;
    if (this.count === this.times.length) this.grow();
    const place = (this.from + this.count) & (this.times.length - 1);
    this.times[place] = time;
    this.subjects[place] = subject;
    this.last = time;
    this.count += 1;
    return true;
  }

  /** Takes the first out. */
  drop(): void {
    this.from = (this.from + 1) & (this.times.length - 1);
    this.count -= 1;
  }

  private grow(): void {
    const { from, times, subjects } = this;
    const [newTimes, newSubjects] = [new Float64Array(2 * times.length), new Int32Array(2 * times.length)];
    newTimes.set(times.subarray(from));
    newTimes.set(times.subarray(0, from), times.length - from);
    newSubjects.set(subjects.subarray(from));
    newSubjects.set(subjects.subarray(0, from), times.length - from);
    [this.times, this.subjects, this.from] = [newTimes, newSubjects, 0];
  }
}

/** Events in any order: a binary heap. */
class Heap {
  count = 0;
  private times = new Float64Array(1024);
  private kinds = new Int32Array(1024);
  private subjects = new Int32Array(1024);

  get time(): number {
    return this.count === 0 ? Infinity : (this.times[0] ?? Infinity);
  }

  get kind(): number {
    return this.kinds[0] ?? 0;
  }

  get subject(): number {
    return this.subjects[0] ?? 0;
  }

  push(time: number, kind: number, subject: number): void {
    if (this.count === this.times.length) this.grow();
    let place = this.count++;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if ((this.times[parent] ?? 0) <= time) break;
      this.move(parent, place);
      place = parent;
    }
    this.set(place, time, kind, subject);
  }

  /** Takes the first out. */
  drop(): void {
    this.count -= 1;
    const last = this.count;
    const lastTime = this.times[last] ?? 0;
    let place = 0;
    for (let child = 1; child < last; child = 2 * place + 1) {
      if (child + 1 < last && (this.times[child + 1] ?? 0) < (this.times[child] ?? 0)) child += 1;
      if ((this.times[child] ?? 0) >= lastTime) break;
      this.move(child, place);
      place = child;
    }
    this.set(place, lastTime, this.kinds[last] ?? 0, this.subjects[last] ?? 0);
  }

  private set(place: number, time: number, kind: number, subject: number): void {
    this.times[place] = time;
    this.kinds[place] = kind;
    this.subjects[place] = subject;
  }

  private move(from: number, to: number): void {
    this.set(to, this.times[from] ?? 0, this.kinds[from] ?? 0, this.subjects[from] ?? 0);
  }

  private grow(): void {
    this.times = larger(this.times, new Float64Array(this.count * 2));
    this.kinds = larger(this.kinds, new Int32Array(this.count * 2));
    this.subjects = larger(this.subjects, new Int32Array(this.count * 2));
  }
}
