/** Work on one thing follows one another; on different things it goes on side by side. */
export class Turns<Thing> {
  private readonly last = new Map<Thing, Promise<unknown>>();

  /** Whether something is being done with it, or waits. */
  has(thing: Thing): boolean {
    return this.last.has(thing);
  }

  /** Does the work when all that was given before for the same thing has ended, well or not. */
  async run<Result>(thing: Thing, work: () => Promise<Result>): Promise<Result> {
    const before = this.last.get(thing) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.last.set(thing, mine);
    try {
      return await mine;
    } finally {
      if (this.last.get(thing) === mine) this.last.delete(thing);
    }
  }

  /** Resolves when nothing that was given before is being done any more. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.last.values());
  }
}
