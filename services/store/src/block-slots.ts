import { Concurrency } from './concurrency';

interface Waiting {
  readonly client: string;
  readonly begin: () => void;
}

interface Serving {
  readonly since: number;
  isSlow: boolean;
}

/** Blocks that are sent at a time, to begin with. */
const LEAST = 5;

/** Who takes so many times as long as others do, and at least so many milliseconds, does not keep them waiting. */
const SLOW_FACTOR = 4;
const SLOW = 500;

/** How often it is looked for those while others wait, in milliseconds. */
const LOOK_EVERY = 100;

/**
 * The turns of clients that ask for blocks. Only as many are served at a time as fill the way ({@link Concurrency}); one client has not all
 * of them; and what is in memory for slow ones is bounded. Who has least is served next; among equals, who came first.
 */
export class BlockSlots {
  private readonly taken = new Map<string, number>();
  private readonly queue = new Set<Waiting>();
  /** Turns that have come, those among them that have not begun yet. */
  private inUse = 0;
  private readonly serving = new Set<Serving>();
  private readonly concurrency: Concurrency;
  private slow = 0;
  /** How long a block usually takes to be sent, in milliseconds. */
  private usual = 0;
  private timer: NodeJS.Timeout | undefined;

  /** @param total blocks at a time, those for slow clients among them. @param each of these for one client. */
  constructor(
    private readonly total = 128,
    private readonly each = 16,
  ) {
    this.concurrency = new Concurrency(LEAST, total);
  }

  /** How many wait. */
  get waiting(): number {
    return this.queue.size;
  }

  /**
   * Waits for a turn.
   *
   * @param client by its address.
   * @returns what ends the turn; to be called once, with the bytes of the block that were sent: 0 when it was refused or not taken whole.
   * @throws the signal's reason when it aborts first.
   */
  async take(client: string, signal: AbortSignal): Promise<(bytes: number) => void> {
    signal.throwIfAborted();
    if (!this.hasRoom || (this.taken.get(client) ?? 0) >= this.each) {
      await new Promise<void>((resolve, reject) => {
        const gone = (): void => {
          this.queue.delete(waiting);
          reject(signal.reason as Error);
        };
        const begin = (): void => {
          signal.removeEventListener('abort', gone);
          resolve();
        };
        const waiting: Waiting = { client, begin };
        this.queue.add(waiting);
        this.timer ??= setInterval(() => this.look(), LOOK_EVERY).unref();
        signal.addEventListener('abort', gone, { once: true });
      });
    } else this.count(client, 1);
    const turn: Serving = { since: performance.now(), isSlow: false };
    this.serving.add(turn);
    return (bytes) => this.end(client, turn, bytes);
  }

  private get hasRoom(): boolean {
    return this.inUse < this.total && this.inUse - this.slow < this.concurrency.limit;
  }

  private count(client: string, change: 1 | -1): void {
    this.inUse += change;
    const now = (this.taken.get(client) ?? 0) + change;
    if (now === 0) this.taken.delete(client);
    else this.taken.set(client, now);
  }

  private end(client: string, turn: Serving, bytes: number): void {
    const now = performance.now();
    this.serving.delete(turn);
    if (turn.isSlow) this.slow -= 1;
    else if (bytes > 0) {
      this.usual = this.usual === 0 ? now - turn.since : 0.9 * this.usual + 0.1 * (now - turn.since);
    }
    // A refusal says nothing of the way.
    if (bytes > 0) this.concurrency.sent(bytes, this.queue.size > 0, now);
    this.count(client, -1);
    this.next();
  }

  /** Finds those who are slow, so that others have their turn. */
  private look(): void {
    const before = performance.now() - Math.max(SLOW, SLOW_FACTOR * this.usual);
    for (const turn of this.serving) {
      if (turn.isSlow || turn.since > before) continue;
      turn.isSlow = true;
      this.slow += 1;
    }
    this.next();
  }

  /** Gives what is free to those who have least. */
  private next(): void {
    while (this.queue.size > 0 && this.hasRoom) {
      let poorest: Waiting | undefined;
      let least = this.each;
      for (const waiting of this.queue) {
        const has = this.taken.get(waiting.client) ?? 0;
        if (has < least) [poorest, least] = [waiting, has];
        if (least === 0) break;
      }
      if (poorest === undefined) break;
      this.queue.delete(poorest);
      this.count(poorest.client, 1);
      poorest.begin();
    }
    if (this.queue.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
