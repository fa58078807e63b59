/** A read is worth its work when it brings so much, in bytes. */
const WORTH = 64 * 1024;

/** How long the two kinds of rounds take, in milliseconds: for connections on which so much takes longer than that. */
const LONG = 20;
const SHORT = 4;

/**
 * When connections that bring little at a time are read again. On a narrow link, or one that many use, bytes come in small parts, and a process that
 * wakes up for each of them spends most of its CPU on waking up. So such connections are left alone for a moment, and all of them for the same one.
 * One that brings {@link WORTH} bytes within a few milliseconds is not kept waiting.
 */
export class ReadRounds {
  private readonly long = new Round(LONG);
  private readonly short = new Round(SHORT);

  /**
   * Calls `read` when it is worth a look at a connection that has brought `taken` bytes in `ms` milliseconds and is to bring `left` more.
   *
   * @returns takes that back; undefined: it is to be read on at once, and `read` is not called.
   */
  join(read: () => void, taken: number, ms: number, left: number): (() => void) | undefined {
    if (taken === 0) return undefined;
    const worth = (Math.min(WORTH, left) * ms) / taken;
    if (worth >= LONG) return this.long.join(read);
    return worth >= SHORT ? this.short.join(read) : undefined;
  }
}

/** Connections that are read again at the same moment. */
class Round {
  private waiting = new Set<() => void>();
  private isOn = false;

  constructor(private readonly ms: number) {}

  join(read: () => void): () => void {
    if (!this.isOn) setTimeout(() => this.end(), this.ms);
    this.isOn = true;
    const { waiting } = this;
    waiting.add(read);
    return () => waiting.delete(read);
  }

  private end(): void {
    const { waiting } = this;
    // Whoever joins while it is read is of the next round.
    this.waiting = new Set();
    this.isOn = false;
    for (const read of waiting) read();
  }
}
