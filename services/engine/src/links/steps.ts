/** One timer for all who wait in steps of one length: a timer for each would wake the process as often as there are waiters. */
export class Steps {
  private readonly takers = new Set<() => void>();
  private timer: NodeJS.Timeout | undefined;

  /** @param ms how long a step takes, in milliseconds. */
  constructor(private readonly ms: number) {}

  /** Whether a step is under way: who begins now has less than a whole one before the first ends. */
  get areUnderWay(): boolean {
    return this.timer !== undefined;
  }

  /** Calls `take` at the end of each step from now on, until {@link end}. Between two calls the process has read what came. */
  begin(take: () => void): void {
    this.takers.add(take);
    this.timer ??= setInterval(() => {
      // Whoever begins meanwhile has not had a whole step, and whoever has ended has no use for one.
      for (const each of [...this.takers]) if (this.takers.has(each)) each();
    }, this.ms);
  }

  end(take: () => void): void {
    if (!this.takers.delete(take) || this.takers.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
