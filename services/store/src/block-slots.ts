interface Waiting {
  readonly client: string;
  readonly begin: () => void;
}

/**
 * Bounds the blocks that are in memory for clients: in all, so that many slow ones do not fill it, and for each of them, so that one does
 * not keep the others from theirs. Who has least is served next; among equals, who came first.
 */
export class BlockSlots {
  private readonly taken = new Map<string, number>();
  private readonly queue = new Set<Waiting>();
  private inUse = 0;

  /** @param total blocks at a time. @param each of these for one client. */
  constructor(
    private readonly total = 128,
    private readonly each = 16,
  ) {}

  /** How many wait. */
  get waiting(): number {
    return this.queue.size;
  }

  /**
   * Waits for a place.
   *
   * @param client by its address.
   * @returns what gives the place back; to be called once.
   * @throws the signal's reason when it aborts first.
   */
  async take(client: string, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (!this.hasRoom(client)) {
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
        signal.addEventListener('abort', gone, { once: true });
      });
    } else this.count(client, 1);
    return () => {
      this.count(client, -1);
      this.next();
    };
  }

  private hasRoom(client: string): boolean {
    return this.inUse < this.total && (this.taken.get(client) ?? 0) < this.each;
  }

  private count(client: string, change: 1 | -1): void {
    this.inUse += change;
    const now = (this.taken.get(client) ?? 0) + change;
    if (now === 0) this.taken.delete(client);
    else this.taken.set(client, now);
  }

  /** Gives what is free to those who have least. */
  private next(): void {
    while (this.inUse < this.total) {
      let poorest: Waiting | undefined;
      let least = this.each;
      for (const waiting of this.queue) {
        const has = this.taken.get(waiting.client) ?? 0;
        if (has < least) [poorest, least] = [waiting, has];
      }
      if (poorest === undefined) return;
      this.queue.delete(poorest);
      this.count(poorest.client, 1);
      poorest.begin();
    }
  }
}
