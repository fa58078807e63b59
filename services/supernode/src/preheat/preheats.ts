import type { Closeable } from '@cdk8s-dragonfly/command';
import type { PreheatDocument, PreheatSummary } from '@cdk8s-dragonfly/protocol';

import type { PreheatOrder } from './order';
import { Preheat } from './preheat';
import type { PreheatTools } from './preheat';

/** How many preheats there may be. */
export interface PreheatLimits {
  /** Remembered, those under way included; the ones that ended longest ago are forgotten first. Default 500. */
  readonly most: number;
  /** Under way at once; others wait. Default 4. */
  readonly running: number;
  /** For how long one that has ended is remembered, in ms. Default 24 hours. */
  readonly keep: number;
}

const LIMITS: PreheatLimits = { most: 500, running: 4, keep: 24 * 3_600_000 };

/** What became of an order. */
export type OrderOutcome =
  /** It waits or runs, or did so already. */
  | 'taken'
  /** The same has been done; it has to be deleted first. */
  | 'finished'
  /** Too many wait. */
  | 'full';

/** All preheats, by the ids of their orders. In memory only, credentials and all. */
export class Preheats implements Closeable {
  private readonly byId = new Map<string, Preheat>();
  private readonly waiting: Preheat[] = [];
  private readonly running = new Map<Preheat, Promise<void>>();
  private readonly limits: PreheatLimits;
  private stopped = false;

  constructor(
    private readonly tools: PreheatTools,
    limits: Partial<PreheatLimits> = {},
  ) {
    this.limits = { ...LIMITS, ...limits };
  }

  order(order: PreheatOrder): OrderOutcome {
    this.forget(1);
    const before = this.byId.get(order.id);
    if (before !== undefined) return before.finishedAt === undefined ? 'taken' : 'finished';
    if (this.stopped || this.byId.size >= this.limits.most) return 'full';
    const preheat = new Preheat(order, this.tools);
    this.byId.set(order.id, preheat);
    // What another replica waits for has its place in the queue there.
    if (order.here) this.start(preheat);
    else this.waiting.push(preheat);
    this.startNext();
    return 'taken';
  }

  /** The oldest first. */
  all(): PreheatSummary[] {
    this.forget();
    return [...this.byId.values()].map(({ summary }) => summary);
  }

  find(id: string): PreheatDocument | undefined {
    this.forget();
    return this.byId.get(id)?.document;
  }

  /** Forgets one, and ends it when it is under way. @returns false when there is none. */
  remove(id: string): boolean {
    const preheat = this.byId.get(id);
    if (preheat === undefined) return false;
    this.byId.delete(id);
    const place = this.waiting.indexOf(preheat);
    if (place >= 0) this.waiting.splice(place, 1);
    preheat.cancel('it was deleted');
    return true;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.waiting.length = 0;
    for (const preheat of this.running.keys()) preheat.cancel('the supernode is stopping');
    await Promise.all(this.running.values());
  }

  private get ownRunning(): number {
    return [...this.running.keys()].filter(({ order }) => !order.here).length;
  }

  private startNext(): void {
    while (this.ownRunning < this.limits.running) {
      const next = this.waiting.shift();
      if (next === undefined) return;
      this.start(next);
    }
  }

  private start(preheat: Preheat): void {
    const over = preheat.run().then(() => {
      this.running.delete(preheat);
      this.startNext();
    });
    this.running.set(preheat, over);
  }

  /** Forgets what is old, and as much more as makes room for `room` new ones. */
  private forget(room = 0): void {
    const { most, keep } = this.limits;
    const before = Date.now() - keep;
    let tooMany = this.byId.size - most + room;
    for (const [id, { finishedAt }] of this.byId) {
      if (finishedAt === undefined || (finishedAt > before && tooMany <= 0)) continue;
      this.byId.delete(id);
      tooMany -= 1;
    }
  }
}
