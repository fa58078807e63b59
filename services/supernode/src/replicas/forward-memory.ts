import type { Replica } from './replica-set';

/** So many clients are remembered. */
const MAX_FORWARDED = 50_000;

/** A client that has asked nothing for this long, in ms, is forgotten. */
export const IDLE_FORWARDED = 300_000;

/** A client's download. */
export interface ForwardedClient {
  readonly taskId: string;
  readonly cid: string;
}

interface Remembered {
  readonly replica: Replica;
  readonly usedAt: number;
}

/**
 * Which replica serves the clients that came here. Bounded: who was silent for the longest time is forgotten first; such a client is told
 * that it is not known, and registers again.
 */
export class ForwardMemory {
  /** In the order of their last use. */
  private readonly clients = new Map<string, Remembered>();

  /**
   * @param now in ms, from any fixed time on.
   * @param limit how many are remembered. Default {@link MAX_FORWARDED}.
   */
  constructor(
    private readonly now: () => number,
    private readonly limit = MAX_FORWARDED,
  ) {}

  get size(): number {
    return this.clients.size;
  }

  remember(client: ForwardedClient, replica: Replica): void {
    const key = keyOf(client);
    const now = this.now();
    this.clients.delete(key);
    this.clients.set(key, { replica, usedAt: now });
    for (const [oldest, { usedAt }] of this.clients) {
      if (this.clients.size <= this.limit && now - usedAt < IDLE_FORWARDED) return;
      this.clients.delete(oldest);
    }
  }

  /** Who serves the client; undefined when it is not served elsewhere. */
  find(client: ForwardedClient): Replica | undefined {
    const found = this.clients.get(keyOf(client));
    if (found === undefined) return undefined;
    this.remember(client, found.replica);
    return found.replica;
  }

  forget(client: ForwardedClient): void {
    this.clients.delete(keyOf(client));
  }
}

function keyOf({ taskId, cid }: ForwardedClient): string {
  return `${taskId} ${cid}`;
}
