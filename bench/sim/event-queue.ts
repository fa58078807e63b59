/** Events by time: a binary heap over plain arrays of numbers, since millions go through it. Events of one time come in any order. */
export class EventQueue {
  private times = new Float64Array(1024);
  private kinds = new Int32Array(1024);
  private subjects = new Int32Array(1024);
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** When the earliest event is due; Infinity when there is none. */
  get nextTime(): number {
    return this.count === 0 ? Infinity : (this.times[0] ?? Infinity);
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

  /** Takes the earliest event out and gives it to `take`; answers false when there is none. */
  pop(take: (time: number, kind: number, subject: number) => void): boolean {
    if (this.count === 0) return false;
    const time = this.times[0] ?? 0;
    const kind = this.kinds[0] ?? 0;
    const subject = this.subjects[0] ?? 0;
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
    take(time, kind, subject);
    return true;
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
    const times = new Float64Array(this.count * 2);
    times.set(this.times);
    this.times = times;
    for (const name of ['kinds', 'subjects'] as const) {
      const larger = new Int32Array(this.count * 2);
      larger.set(this[name]);
      this[name] = larger;
    }
  }
}
