import { Concurrency } from './concurrency';
import { WaitingByClient } from './waiting-by-client';

interface Serving {
  readonly client: string;
  readonly since: number;
  readonly cut: () => void;
  isSlow: boolean;
}

/** How many are served, and for how long. Times are in milliseconds. */
export interface BlockSlotsOptions {
  /** Blocks at a time, those for slow clients among them. Default 128. */
  readonly total?: number;
  /** Of these for one client. Default 16. */
  readonly each?: number;
  /** How long one of too many slow turns may take while others wait. Default 10,000: 100 KB a second. */
  readonly patience?: number;
}

/**
 * Blocks that are sent at a time, to begin with: about as many as a node asks for at a time, so that in a swarm few wait. All that a node asked for
 * is then on its way, and how long it takes tells how busy each sender is.
 */
const LEAST = 8;

/** Who takes so many times as long as others do, and at least so many milliseconds, does not keep them waiting. */
const SLOW_FACTOR = 4;
const SLOW = 500;

/** How often it is looked for those while others wait, in milliseconds. */
const LOOK_EVERY = 100;

/** The part of all places that slow clients have while others wait. */
const SLOW_PART = 0.5;

/** No turn takes longer than so many times the patience while others wait. */
const LONGEST = 12;

/** So many clients are remembered as slow: those that were so last. */
const SLOW_CLIENTS = 10_000;

/**
 * The turns of clients that ask for blocks. Only as many are served at a time as fill the way ({@link Concurrency}); one client has not all
 * of them; and what is in memory for slow ones is bounded. Who has least is served next; among equals, who came first.
 *
 * Slow clients, however many, have half of the places while others wait: one that was slow waits until there is such a place, and of
 * those that turn out to be slow, the ones that came last are cut off.
 */
export class BlockSlots {
  private readonly taken = new Map<string, number>();
  private readonly queue = new WaitingByClient();
  /** Turns that have come, those among them that have not begun yet. */
  private inUse = 0;
  /** In the order in which they began. */
  private readonly serving = new Set<Serving>();
  private readonly concurrency: Concurrency;
  private readonly slowClients = new Set<string>();
  private slow = 0;
  /** Whether somebody who waited has gone away since the last block went out. */
  private waitedInVain = false;
  /** How long a block usually takes to be sent, in milliseconds. */
  private usual = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly total: number;
  private readonly each: number;
  private readonly patience: number;

  constructor({ total = 128, each = 16, patience = 10_000 }: BlockSlotsOptions = {}) {
    [this.total, this.each, this.patience] = [total, each, patience];
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
   * @param cut is called at most once, when others wait and this one has been slow for too long: ends the answer, and with it the turn.
   * @returns what ends the turn; to be called once, with the bytes of the block that were sent: 0 when it was refused or not taken whole.
   * @throws the signal's reason when it aborts first.
   */
  async take(client: string, signal: AbortSignal, cut: () => void): Promise<(bytes: number) => void> {
    signal.throwIfAborted();
    const free = this.takeFree(client, cut);
    if (free !== undefined) return free;
    await new Promise<void>((resolve, reject) => {
      const gone = (): void => {
        this.queue.delete(client, begin);
        this.waitedInVain = true;
        reject(signal.reason as Error);
      };
      const begin = (): void => {
        signal.removeEventListener('abort', gone);
        resolve();
      };
      this.queue.add(client, begin);
      this.timer ??= setInterval(() => this.look(), LOOK_EVERY).unref();
      signal.addEventListener('abort', gone, { once: true });
    });
    return this.begin(client, cut);
  }

  /** As {@link take}, for a turn that can begin at once; undefined when there is none. */
  takeFree(client: string, cut: () => void): ((bytes: number) => void) | undefined {
    if (!this.hasRoom || !this.mayHaveAnother(client)) return undefined;
    this.count(client, 1);
    return this.begin(client, cut);
  }

  private begin(client: string, cut: () => void): (bytes: number) => void {
    const turn: Serving = { client, since: performance.now(), cut, isSlow: this.slowClients.has(client) };
    if (turn.isSlow) this.slow += 1;
    this.serving.add(turn);
    return (bytes) => this.end(turn, bytes);
  }

  private get hasRoom(): boolean {
    return this.inUse < this.total && this.inUse - this.slow < this.concurrency.limit;
  }

  private get mostSlow(): number {
    return Math.max(1, Math.floor(this.total * SLOW_PART));
  }

  private mayHaveAnother(client: string): boolean {
    if ((this.taken.get(client) ?? 0) >= this.each) return false;
    return this.slow < this.mostSlow || !this.slowClients.has(client);
  }

  private count(client: string, change: 1 | -1): void {
    this.inUse += change;
    const now = (this.taken.get(client) ?? 0) + change;
    if (now === 0) this.taken.delete(client);
    else this.taken.set(client, now);
  }

  private end(turn: Serving, bytes: number): void {
    const now = performance.now();
    const took = now - turn.since;
    this.serving.delete(turn);
    // A refusal says nothing of the way.
    if (bytes > 0) {
      this.concurrency.sent(bytes, this.queue.size > 0 || this.waitedInVain, now);
      this.waitedInVain = false;
      if (took < this.slowAfter) this.slowClients.delete(turn.client);
      // When all become slower, that is soon the usual; a few do not change it.
      const counted = Math.min(took, this.slowAfter);
      this.usual = this.usual === 0 ? counted : 0.9 * this.usual + 0.1 * counted;
    }
    if (turn.isSlow) this.slow -= 1;
    this.count(turn.client, -1);
    this.next();
  }

  private get slowAfter(): number {
    return Math.max(SLOW, SLOW_FACTOR * this.usual);
  }

  /** Finds those who are slow, so that others have their turn. */
  private look(): void {
    const now = performance.now();
    for (const turn of this.serving) if (!turn.isSlow && now - turn.since >= this.slowAfter) this.markSlow(turn);
    if (this.inUse >= this.total) this.cutOff(now);
    this.next();
  }

  private markSlow(turn: Serving): void {
    turn.isSlow = true;
    this.slow += 1;
    this.slowClients.delete(turn.client);
    this.slowClients.add(turn.client);
    if (this.slowClients.size <= SLOW_CLIENTS) return;
    const [oldest] = this.slowClients;
    if (oldest !== undefined) this.slowClients.delete(oldest);
  }

  /** All places are taken and others wait: ends what has taken too long, and of too many slow ones those that came last. */
  private cutOff(now: number): void {
    const slow = [...this.serving].filter(({ isSlow }) => isSlow);
    for (const [place, turn] of slow.entries()) {
      const most = place < this.mostSlow ? LONGEST * this.patience : this.patience;
      if (now - turn.since >= most) turn.cut();
    }
  }

  /** Gives what is free to those who have least. */
  private next(): void {
    while (this.queue.size > 0 && this.hasRoom) {
      let poorest: string | undefined;
      let least = Infinity;
      for (const client of this.queue.clients) {
        const has = this.taken.get(client) ?? 0;
        if (has < least && this.mayHaveAnother(client)) [poorest, least] = [client, has];
        if (least === 0) break;
      }
      if (poorest === undefined) break;
      this.count(poorest, 1);
      this.queue.next(poorest)?.();
    }
    if (this.queue.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
