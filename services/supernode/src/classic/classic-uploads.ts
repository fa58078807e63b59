/** The pieces that a holder gives now, each to a client: a few. Kept by member, so that nothing is made anew for each of them. */
export class Uploads {
  private readonly cids: string[] = [];
  private readonly pieces: number[] = [];
  /** When each began, or was asked for anew: in ms, from any fixed time on. */
  private readonly since: number[] = [];

  get size(): number {
    return this.cids.length;
  }

  has(cid: string, piece: number): boolean {
    return this.placeOf(cid, piece) >= 0;
  }

  /** A client is told to fetch a piece, for the first time or again. */
  begin(cid: string, piece: number, now: number): void {
    const at = this.placeOf(cid, piece);
    if (at >= 0) {
      this.since[at] = now;
      return;
    }
    this.cids.push(cid);
    this.pieces.push(piece);
    this.since.push(now);
  }

  /** Answers whether there was one. */
  end(cid: string, piece: number): boolean {
    const at = this.placeOf(cid, piece);
    if (at >= 0) this.remove(at);
    return at >= 0;
  }

  /** Forgets those that began then or earlier. */
  forgetBefore(time: number): void {
    for (let at = this.size - 1; at >= 0; at -= 1) if ((this.since[at] ?? 0) <= time) this.remove(at);
  }

  private placeOf(cid: string, piece: number): number {
    for (let at = 0; at < this.size; at += 1) if (this.pieces[at] === piece && this.cids[at] === cid) return at;
    return -1;
  }

  private remove(at: number): void {
    this.cids.splice(at, 1);
    this.pieces.splice(at, 1);
    this.since.splice(at, 1);
  }
}
