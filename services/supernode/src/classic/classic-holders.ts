/** A holder gives at most so many pieces at once (Dragonfly 0.x protocol, 6.3). */
export const MAX_UPLOADS = 5;

/** A holder that failed so often in a row is asked no more (Dragonfly 0.x protocol, 6.3). */
export const MAX_HOLDER_FAILURES = 5;

/** An upload that nobody has reported for this long, in ms, is no longer counted: its client is gone. */
export const UPLOAD_LIFETIME = 60_000;

interface Holder {
  readonly pieces: Set<number>;
  /** When each upload in progress began, by client and piece. */
  readonly uploads: Map<string, number>;
  failures: number;
}

/** Who wants a piece, and whom it does not want it from. */
export interface HolderQuestion {
  readonly cid: string;
  readonly piece: number;
  readonly refused: ReadonlySet<string>;
  /** In ms, from any fixed time on. */
  readonly now: number;
  readonly random: () => number;
}

/** The clients that give pieces to others: what each has, and how busy and how reliable it is. Pure. */
export class ClassicHolders {
  private readonly holders = new Map<string, Holder>();
  private readonly byPiece = new Map<number, Set<string>>();

  /** How many have the piece. */
  count(piece: number): number {
    return this.byPiece.get(piece)?.size ?? 0;
  }

  /** A client has a piece on disk. */
  add(cid: string, piece: number): void {
    const holder = this.holders.get(cid) ?? { pieces: new Set(), uploads: new Map(), failures: 0 };
    this.holders.set(cid, holder);
    holder.pieces.add(piece);
    const having = this.byPiece.get(piece);
    if (having === undefined) this.byPiece.set(piece, new Set([cid]));
    else having.add(cid);
  }

  /** A client no longer has a piece. */
  drop(cid: string, piece: number): void {
    this.holders.get(cid)?.pieces.delete(piece);
    const having = this.byPiece.get(piece);
    having?.delete(cid);
    if (having?.size === 0) this.byPiece.delete(piece);
  }

  /** A client gives nothing any more. */
  remove(cid: string): void {
    for (const piece of this.holders.get(cid)?.pieces ?? []) this.drop(cid, piece);
    this.holders.delete(cid);
  }

  /** Whether this holder may give the piece to this client now; an upload in progress between the two counts as free. */
  mayGive(cid: string, question: HolderQuestion): boolean {
    const holder = this.holders.get(cid);
    if (holder?.pieces.has(question.piece) !== true || question.refused.has(cid)) return false;
    if (holder.failures >= MAX_HOLDER_FAILURES) return false;
    for (const [upload, since] of holder.uploads) {
      if (question.now - since >= UPLOAD_LIFETIME) holder.uploads.delete(upload);
    }
    return holder.uploads.size < MAX_UPLOADS || holder.uploads.has(uploadOf(question));
  }

  /** The least busy holder that may give the piece; undefined when there is none. Ties are random. */
  choose(question: HolderQuestion): string | undefined {
    let best: string[] = [];
    let load = Infinity;
    for (const cid of this.byPiece.get(question.piece) ?? []) {
      if (!this.mayGive(cid, question)) continue;
      const uploads = this.holders.get(cid)?.uploads.size ?? 0;
      if (uploads < load) best = [cid];
      else if (uploads === load) best.push(cid);
      load = Math.min(load, uploads);
    }
    return best[Math.floor(question.random() * best.length)];
  }

  /** An upload begins, or is asked for anew. */
  begin(cid: string, question: HolderQuestion): void {
    this.holders.get(cid)?.uploads.set(uploadOf(question), question.now);
  }

  /** An upload ended, was given up, or failed. */
  end(
    cid: string,
    upload: { readonly cid: string; readonly piece: number },
    outcome: 'arrived' | 'failed' | 'left',
  ): void {
    const holder = this.holders.get(cid);
    if (holder?.uploads.delete(uploadOf(upload)) !== true || outcome === 'left') return;
    holder.failures = outcome === 'arrived' ? 0 : holder.failures + 1;
  }
}

function uploadOf({ cid, piece }: { readonly cid: string; readonly piece: number }): string {
  return `${piece} ${cid}`;
}
