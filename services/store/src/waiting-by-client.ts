/** Those who wait, by client: who is next among many of one client is found without a look at the others. */
export class WaitingByClient {
  /** Clients in the order in which they began to wait, or were served last; of each, those that came first before others. */
  private readonly byClient = new Map<string, Set<() => void>>();
  private count = 0;

  /** How many wait. */
  get size(): number {
    return this.count;
  }

  /** Whose turn it is among equals first. */
  get clients(): IterableIterator<string> {
    return this.byClient.keys();
  }

  add(client: string, begin: () => void): void {
    const waiting = this.byClient.get(client);
    if (waiting === undefined) this.byClient.set(client, new Set([begin]));
    else waiting.add(begin);
    this.count += 1;
  }

  /** No-op when it does not wait any more. */
  delete(client: string, begin: () => void): void {
    const waiting = this.byClient.get(client);
    if (waiting?.delete(begin) !== true) return;
    this.count -= 1;
    if (waiting.size === 0) this.byClient.delete(client);
  }

  /** Takes the one of a client that has waited longest. The client's others come after all who wait now. */
  next(client: string): (() => void) | undefined {
    const waiting = this.byClient.get(client);
    const [first] = waiting ?? [];
    if (waiting === undefined || first === undefined) return undefined;
    this.delete(client, first);
    if (waiting.size > 0) {
      this.byClient.delete(client);
      this.byClient.set(client, waiting);
    }
    return first;
  }
}
