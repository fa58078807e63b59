import { BlockSet } from '@cdk8s-dragonfly/protocol';

/** A holder gives at most so many pieces at once (Dragonfly 0.x protocol, 6.3). */
export const MAX_UPLOADS = 5;

/** A holder that failed so often in a row is asked no more (Dragonfly 0.x protocol, 6.3). */
export const MAX_HOLDER_FAILURES = 5;

/** An upload that nobody has reported for this long, in ms, is no longer counted: its client is gone. */
export const UPLOAD_LIFETIME = 60_000;

/** A piece that a holder gives to a client. */
interface Upload {
  readonly cid: string;
  readonly piece: number;
  /** When it began, or was asked for anew. */
  since: number;
}

interface Holder {
  readonly pieces: BlockSet;
  /** In progress: a few. */
  readonly uploads: Upload[];
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
    const holder = this.holders.get(cid) ?? { pieces: new BlockSet(), uploads: [], failures: 0 };
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
    for (const piece of [...(this.holders.get(cid)?.pieces ?? [])]) this.drop(cid, piece);
    this.holders.delete(cid);
  }

  /** Whether this holder may give the piece to this client now; an upload in progress between the two counts as free. */
  mayGive(cid: string, question: HolderQuestion): boolean {
    const holder = this.holders.get(cid);
    if (holder?.pieces.has(question.piece) !== true || question.refused.has(cid)) return false;
    if (holder.failures >= MAX_HOLDER_FAILURES) return false;
    const { uploads } = holder;
    for (let at = uploads.length - 1; at >= 0; at -= 1) {
      if (question.now - (uploads[at]?.since ?? 0) >= UPLOAD_LIFETIME) uploads.splice(at, 1);
    }
    return uploads.length < MAX_UPLOADS || placeOf(uploads, question) >= 0;
  }

  /** The least busy holder that may give the piece; undefined when there is none. Ties are random. */
  choose(question: HolderQuestion): string | undefined {
    let best: string[] = [];
    let load = Infinity;
    for (const cid of this.byPiece.get(question.piece) ?? []) {
      if (!this.mayGive(cid, question)) continue;
      const uploads = this.holders.get(cid)?.uploads.length ?? 0;
      if (uploads < load) best = [cid];
      else if (uploads === load) best.push(cid);
      load = Math.min(load, uploads);
    }
    return best[Math.floor(question.random() * best.length)];
  }

  /** An upload begins, or is asked for anew. */
  begin(holderCid: string, { cid, piece, now }: HolderQuestion): void {
    const uploads = this.holders.get(holderCid)?.uploads;
    if (uploads === undefined) return;
    const upload = uploads[placeOf(uploads, { cid, piece })];
    if (upload === undefined) uploads.push({ cid, piece, since: now });
    else upload.since = now;
  }

  /** An upload ended, was given up, or failed. */
  end(
    cid: string,
    upload: { readonly cid: string; readonly piece: number },
    outcome: 'arrived' | 'failed' | 'left',
  ): void {
    const holder = this.holders.get(cid);
    const at = holder === undefined ? -1 : placeOf(holder.uploads, upload);
    if (holder === undefined || at < 0) return;
    holder.uploads.splice(at, 1);
    if (outcome !== 'left') holder.failures = outcome === 'arrived' ? 0 : holder.failures + 1;
  }
}

/** Where the upload of a piece to a client stands; -1 when there is none. */
function placeOf(uploads: readonly Upload[], { cid, piece }: { readonly cid: string; readonly piece: number }): number {
  return uploads.findIndex((upload) => upload.piece === piece && upload.cid === cid);
}
