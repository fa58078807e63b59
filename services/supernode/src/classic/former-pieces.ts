/** So many clients of former contents are remembered. */
const MAX_CLIENTS = 10_000;

/**
 * What clients were told of a file before it was fetched anew. They keep the pieces they have: when the origin gives other bytes by now, such
 * a client would put the two together, and nothing in the protocol would tell it.
 */
export class FormerPieces {
  /** The `pieceMd5` of each piece that anybody was told of. */
  private offered: (string | undefined)[] = [];
  private readonly clients = new Map<string, readonly (string | undefined)[]>();
  private readonly mixed = new Set<string>();

  /**
   * A client is told of a piece.
   *
   * @returns false when it was once told of another one in that place: it must get no more of this file here.
   */
  mayHave(cid: string, piece: number, pieceMd5: string): boolean {
    this.offered[piece] = pieceMd5;
    const former = this.clients.get(cid)?.[piece];
    if (former !== undefined && former !== pieceMd5) this.mixed.add(cid);
    return !this.mixed.has(cid);
  }

  /** Whether a client has pieces of other bytes than the file has now. */
  isMixed(cid: string): boolean {
    return this.mixed.has(cid);
  }

  /** The file is fetched anew while these clients are in the middle of it. */
  beginAnew(cids: Iterable<string>): void {
    const { offered } = this;
    this.offered = [];
    if (offered.length === 0) return;
    for (const cid of cids) {
      if (this.clients.size < MAX_CLIENTS && !this.clients.has(cid)) this.clients.set(cid, offered);
    }
  }
}
