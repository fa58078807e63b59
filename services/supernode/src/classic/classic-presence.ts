/** A client that has been silent for this long, in ms, is forgotten (Dragonfly 0.x protocol, 6.4). */
export const IDLE_CLIENT = 180_000;

/** A client that has said that it leaves is forgotten after this time, in ms (Dragonfly 0.x protocol, 6.4). */
export const LEFT_CLIENT = 120_000;

/** When each client of a file was heard of, and which have left: whom to forget, and when. Pure. */
export class ClassicPresence {
  private readonly heardAt = new Map<string, number>();
  private readonly leftAt = new Map<string, number>();

  /** A client begins. Times are in ms, from any fixed time on. */
  came(cid: string, now: number): void {
    this.leftAt.delete(cid);
    this.heardAt.set(cid, now);
  }

  /** A client that came says something, or another one had something of it. */
  heard(cid: string, now: number): void {
    if (this.heardAt.has(cid)) this.heardAt.set(cid, now);
  }

  /** A client gives nothing to others any more. */
  left(cid: string, now: number): void {
    if (this.heardAt.has(cid) && !this.leftAt.has(cid)) this.leftAt.set(cid, now);
  }

  /** Those whose time is over; they are forgotten here. */
  gone(now: number): string[] {
    const gone = [...this.heardAt].flatMap(([cid, heard]) => {
      const left = this.leftAt.get(cid) ?? Infinity;
      return now - heard >= IDLE_CLIENT || now - left >= LEFT_CLIENT ? [cid] : [];
    });
    for (const cid of gone) {
      this.heardAt.delete(cid);
      this.leftAt.delete(cid);
    }
    return gone;
  }

  clear(): void {
    this.heardAt.clear();
    this.leftAt.clear();
  }
}
