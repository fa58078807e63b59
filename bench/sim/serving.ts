import { Concurrency } from '../../services/store/src/concurrency';

/** As `BlockSlots` of the store has it. Times are in milliseconds. */
const LEAST = 8;
const MOST = 128;
const SLOW_FACTOR = 4;
const SLOW = 500;

/** A block that is given, or waits for its turn. */
export interface Turn {
  /** Whose it is. */
  readonly client: object;
  /** When its turn came. */
  servedSince: number;
  over: boolean;
}

/** The turns of those who ask one host for blocks: the real rule of how many are served at a time, on simulated time. */
export class Serving<T extends Turn> {
  private readonly concurrency = new Concurrency(LEAST, MOST);
  private readonly serving = new Set<T>();
  private readonly queue: T[] = [];
  private readonly taken = new Map<object, number>();
  private usual = 0;
  private waitedInVain = false;

  /** @param each blocks for one client at a time. @param begin is called when a turn comes. */
  constructor(
    private readonly each: number,
    private readonly begin: (turn: T) => void,
  ) {}

  /** All who are served or wait. */
  get turns(): readonly T[] {
    return [...this.serving, ...this.queue.filter(({ over }) => !over)];
  }

  ask(now: number, turn: T): void {
    // Most come while nobody waits.
    if (this.queue.length === 0 && this.hasRoom(now) && (this.taken.get(turn.client) ?? 0) < this.each) {
      this.serve(now, turn);
      return;
    }
    this.queue.push(turn);
    this.next(now);
  }

  /** @param bytes that were sent; 0 when the client went away. */
  end(now: number, turn: T, bytes: number): void {
    turn.over = true;
    if (!this.serving.delete(turn)) {
      this.waitedInVain = true;
      return;
    }
    const left = (this.taken.get(turn.client) ?? 1) - 1;
    if (left === 0) this.taken.delete(turn.client);
    else this.taken.set(turn.client, left);
    const took = now - turn.servedSince;
    if (bytes > 0 && took < this.slowAfter) this.usual = this.usual === 0 ? took : 0.9 * this.usual + 0.1 * took;
    if (bytes > 0) {
      this.concurrency.sent(bytes, this.queue.length > 0 || this.waitedInVain, now);
      this.waitedInVain = false;
    }
    this.next(now);
  }

  /** Lets others in beside those who are slow; to be called now and then. */
  next(now: number): void {
    while (this.queue.length > 0 && this.hasRoom(now)) {
      const at = this.poorest();
      if (at === -1) return;
      const [turn] = this.queue.splice(at, 1);
      if (turn !== undefined && !turn.over) this.serve(now, turn);
    }
  }

  private serve(now: number, turn: T): void {
    this.taken.set(turn.client, (this.taken.get(turn.client) ?? 0) + 1);
    this.serving.add(turn);
    turn.servedSince = now;
    this.begin(turn);
  }

  private get slowAfter(): number {
    return Math.max(SLOW, SLOW_FACTOR * this.usual);
  }

  private hasRoom(now: number): boolean {
    if (this.serving.size < this.concurrency.limit) return true;
    if (this.serving.size >= MOST) return false;
    const before = now - this.slowAfter;
    let prompt = 0;
    for (const { servedSince } of this.serving) if (servedSince > before) prompt += 1;
    return prompt < this.concurrency.limit;
  }

  /** Who waits and has least, the first of them. */
  private poorest(): number {
    let found = -1;
    let least = this.each;
    for (let index = 0; index < this.queue.length && least > 0; index += 1) {
      const turn = this.queue[index];
      const has = turn === undefined || turn.over ? 0 : (this.taken.get(turn.client) ?? 0);
      if (has < least) [found, least] = [index, has];
    }
    return found;
  }
}
