import { Bell } from '@cdk8s-dragonfly/engine';
import { WaitingByClient } from '@cdk8s-dragonfly/store';

/**
 * So many blobs are fetched from one origin at a time, and in all: each has a connection, and up to 2 MiB outside the heap. More at once come no
 * sooner, and one slow origin leaves as many for the others.
 */
const EACH = 64;
const TOTAL = 128;

/**
 * Who has waited so long, in milliseconds, has its turn beside those, up to so many in all: a small image would wait for an hour behind the large layers
 * of many others, and a runtime gives up after minutes without a byte.
 */
const PATIENCE = 20_000;
const MOST = 256;

export interface OriginTurnsOptions {
  /** From one origin at a time. Default {@link EACH}. */
  readonly each?: number | undefined;
  /** From all origins at a time. Default {@link TOTAL}. */
  readonly total?: number | undefined;
  /** How long, in milliseconds, a turn is waited for while others have theirs. Default {@link PATIENCE}. */
  readonly patience?: number | undefined;
  /** From all origins at a time, when some have waited that long. Default {@link MOST}. */
  readonly most?: number | undefined;
}

/** The turn of one fetch to ask its origin. */
export interface OriginTurn {
  /** Whether it has come. */
  readonly has: boolean;
  /** Gives it back, or gives up waiting for it. */
  end(): void;
}

/**
 * Who may fetch from an origin, and who waits for that. Of one origin, who asked first is next; among origins, the one that has least; who
 * has waited for long comes before all. A turn is kept until the fetch has ended, whatever it takes in between.
 */
export class OriginTurns {
  private readonly each: number;
  private readonly total: number;
  private readonly patience: number;
  private readonly most: number;
  /** Turns by origin. */
  private readonly taken = new Map<string, number>();
  private readonly queue = new WaitingByClient();
  /** Those of the queue who have waited too long, the first first. */
  private readonly impatient = new Set<() => void>();
  private inUse = 0;

  constructor({ each = EACH, total = TOTAL, patience = PATIENCE, most = MOST }: OriginTurnsOptions = {}) {
    [this.each, this.total, this.patience, this.most] = [each, total, patience, Math.max(total, most)];
  }

  /** Turns that have come and have not ended. */
  get running(): number {
    return this.inUse;
  }

  /** How many wait for theirs. */
  get waiting(): number {
    return this.queue.size;
  }

  /**
   * Asks for a turn.
   *
   * @param host of the origin, with its port.
   * @param come is told when a turn comes that was not there at once.
   */
  ask(host: string, come: () => void): OriginTurn {
    const waiting: { patience?: NodeJS.Timeout } = {};
    const leave = (): void => {
      clearTimeout(waiting.patience);
      this.impatient.delete(begin);
      this.queue.delete(host, begin);
    };
    const turn = { has: false, end: leave };
    const take = (): void => {
      turn.has = true;
      turn.end = (): void => {
        turn.end = (): void => undefined;
        this.release(host);
      };
      this.inUse += 1;
      this.taken.set(host, this.of(host) + 1);
    };
    const begin = (): void => {
      leave();
      take();
      come();
    };
    if (this.hasRoomFor(host)) {
      take();
      return turn;
    }
    this.queue.add(host, begin);
    waiting.patience = setTimeout(() => {
      if (this.inUse < this.most) begin();
      else this.impatient.add(begin);
    }, this.patience);
    return turn;
  }

  /** Waits for a turn. @throws the signal's reason when it aborts first. */
  async take(host: string, signal: AbortSignal): Promise<OriginTurn> {
    const bell = new Bell();
    const turn = this.ask(host, () => bell.ring());
    try {
      while (!turn.has) await bell.next(signal);
      return turn;
    } catch (error) {
      turn.end();
      throw error;
    }
  }

  private of(host: string): number {
    return this.taken.get(host) ?? 0;
  }

  private hasRoomFor(host: string): boolean {
    return this.inUse < this.total && this.of(host) < this.each;
  }

  private release(host: string): void {
    this.inUse -= 1;
    const left = this.of(host) - 1;
    if (left === 0) this.taken.delete(host);
    else this.taken.set(host, left);
    const [impatient] = this.impatient;
    if (impatient !== undefined) {
      impatient();
      return;
    }
    const next = this.poorest;
    if (next !== undefined) this.queue.next(next)?.();
  }

  /** The origin whose turn it is: of those that wait and may have one, which has least. */
  private get poorest(): string | undefined {
    let poorest: string | undefined;
    for (const host of this.queue.clients) {
      if (!this.hasRoomFor(host) || (poorest !== undefined && this.of(host) >= this.of(poorest))) continue;
      poorest = host;
      if (this.of(host) === 0) break;
    }
    return poorest;
  }
}
