import { Bell } from '@cdk8s-dragonfly/engine';
import { WaitingByClient } from '@cdk8s-dragonfly/store';

/**
 * So many blobs are fetched from one origin at a time, and in all: each has a connection, and up to 2 MiB outside the heap. More at once come no
 * sooner, and one slow origin leaves as many for the others.
 */
const EACH = 64;
const TOTAL = 128;

export interface OriginTurnsOptions {
  /** From one origin at a time. Default {@link EACH}. */
  readonly each?: number | undefined;
  /** From all origins at a time. Default {@link TOTAL}. */
  readonly total?: number | undefined;
}

/** The turn of one fetch to ask its origin. */
export interface OriginTurn {
  /** Whether it has come. */
  readonly has: boolean;
  /** Gives it back, or gives up waiting for it. */
  end(): void;
}

/**
 * Who may fetch from an origin, and who waits for that. Of one origin, who asked first is next; among origins, the one that has least. A turn is
 * kept until the fetch has ended, whatever it takes in between.
 */
export class OriginTurns {
  private readonly each: number;
  private readonly total: number;
  /** Turns by origin. */
  private readonly taken = new Map<string, number>();
  private readonly queue = new WaitingByClient();
  private inUse = 0;

  constructor({ each = EACH, total = TOTAL }: OriginTurnsOptions = {}) {
    [this.each, this.total] = [each, total];
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
    const turn = { has: false, end: (): void => this.queue.delete(host, begin) };
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
      take();
      come();
    };
    if (this.hasRoomFor(host)) take();
    else this.queue.add(host, begin);
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
