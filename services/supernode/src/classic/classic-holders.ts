import { BlockSet } from '@cdk8s-dragonfly/protocol';

import { Uploads } from './classic-uploads';

/** A holder gives at most so many pieces at once (Dragonfly 0.x protocol, 6.3). */
export const MAX_UPLOADS = 5;

/** A holder that failed so often in a row is asked no more (Dragonfly 0.x protocol, 6.3). */
export const MAX_HOLDER_FAILURES = 5;

/** An upload that nobody has reported for this long, in ms, is no longer counted: its client is gone. */
export const UPLOAD_LIFETIME = 60_000;

/** What is known of a holder: of thousands, and changed at each request, so that nothing is made anew for an upload. */
interface Holder {
  readonly pieces: BlockSet;
  readonly uploads: Uploads;
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
  /** How many have each piece. */
  private readonly counts: number[] = [];

  /** How many have the piece. */
  count(piece: number): number {
    return this.counts[piece] ?? 0;
  }

  /** A client has a piece on disk. */
  add(cid: string, piece: number): void {
    let holder = this.holders.get(cid);
    if (holder === undefined) {
      holder = { pieces: new BlockSet(), uploads: new Uploads(), failures: 0 };
      this.holders.set(cid, holder);
    }
    if (holder.pieces.add(piece)) this.counts[piece] = this.count(piece) + 1;
  }

  /** A client no longer has a piece. */
  drop(cid: string, piece: number): void {
    if (this.holders.get(cid)?.pieces.delete(piece) === true) this.counts[piece] = this.count(piece) - 1;
  }

  /** A client gives nothing any more. */
  remove(cid: string): void {
    for (const piece of this.holders.get(cid)?.pieces ?? []) this.counts[piece] = this.count(piece) - 1;
    this.holders.delete(cid);
  }

  /** Whether this holder may give the piece to this client now; an upload in progress between the two counts as free. */
  mayGive(cid: string, question: HolderQuestion): boolean {
    const holder = this.holders.get(cid);
    return holder !== undefined && isFree(cid, holder, question);
  }

  /** The least busy holder that may give the piece; undefined when there is none. Ties are random. */
  choose(question: HolderQuestion): string | undefined {
    let best: string[] = [];
    let load = Infinity;
    if (this.count(question.piece) === 0) return undefined;
    for (const [cid, holder] of this.holders) {
      if (!isFree(cid, holder, question)) continue;
      const { size } = holder.uploads;
      if (size < load) best = [cid];
      else if (size === load) best.push(cid);
      load = Math.min(load, size);
    }
    return best[Math.floor(question.random() * best.length)];
  }

  /** An upload begins, or is asked for anew. */
  begin(holderCid: string, { cid, piece, now }: HolderQuestion): void {
    this.holders.get(holderCid)?.uploads.begin(cid, piece, now);
  }

  /** An upload ended, was given up, or failed. */
  end(
    cid: string,
    upload: { readonly cid: string; readonly piece: number },
    outcome: 'arrived' | 'failed' | 'left',
  ): void {
    const holder = this.holders.get(cid);
    if (holder?.uploads.end(upload.cid, upload.piece) !== true) return;
    if (outcome !== 'left') holder.failures = outcome === 'arrived' ? 0 : holder.failures + 1;
  }
}

/** Whether a holder gives the piece to the client, and has room for it. */
function isFree(cid: string, { pieces, uploads, failures }: Holder, question: HolderQuestion): boolean {
  if (!pieces.has(question.piece) || question.refused.has(cid) || failures >= MAX_HOLDER_FAILURES) return false;
  uploads.forgetBefore(question.now - UPLOAD_LIFETIME);
  return uploads.size < MAX_UPLOADS || uploads.has(question.cid, question.piece);
}
