import { BlockSet } from '@cdk8s-dragonfly/protocol';

import { Uploads } from './classic-uploads';

/** A holder gives at most so many pieces at once (Dragonfly 0.x protocol, 6.3). */
export const MAX_UPLOADS = 5;

/** A holder that failed so often in a row is asked no more (Dragonfly 0.x protocol, 6.3). */
export const MAX_HOLDER_FAILURES = 5;

/** An upload that nobody has reported for this long, in ms, is no longer counted: its client is gone. */
export const UPLOAD_LIFETIME = 60_000;

/** Of those who have a piece so many are looked at, drawn at random: the least busy of them is busy by little more than that of thousands. */
const CANDIDATES = 64;

/** What is known of a holder: of thousands, and changed at each request, so that nothing is made anew for an upload. */
interface Holder {
  readonly cid: string;
  /** Where it stands among all. */
  place: number;
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
  private readonly all: Holder[] = [];
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
      holder = { cid, place: this.all.length, pieces: new BlockSet(), uploads: new Uploads(), failures: 0 };
      this.holders.set(cid, holder);
      this.all.push(holder);
    }
    if (holder.pieces.add(piece)) this.counts[piece] = this.count(piece) + 1;
  }

  /** A client no longer has a piece. */
  drop(cid: string, piece: number): void {
    if (this.holders.get(cid)?.pieces.delete(piece) === true) this.counts[piece] = this.count(piece) - 1;
  }

  /** A client gives nothing any more. */
  remove(cid: string): void {
    const holder = this.holders.get(cid);
    if (holder === undefined) return;
    for (const piece of holder.pieces) this.counts[piece] = this.count(piece) - 1;
    this.holders.delete(cid);
    // The last one moves to the free place.
    const last = this.all.pop();
    if (last === undefined || last === holder) return;
    this.all[holder.place] = last;
    last.place = holder.place;
  }

  /** Whether this holder may give the piece to this client now; an upload in progress between the two counts as free. */
  mayGive(cid: string, question: HolderQuestion): boolean {
    const holder = this.holders.get(cid);
    return holder !== undefined && isFree(holder, question);
  }

  /** The least busy holder that may give the piece, of as many as are looked at; undefined when there is none. Ties are random. */
  choose(question: HolderQuestion): string | undefined {
    const { all } = this;
    let best: Holder | undefined;
    let looked = Math.min(CANDIDATES, this.count(question.piece));
    const start = Math.floor(question.random() * all.length);
    for (let step = 0; looked > 0 && step < all.length; step += 1) {
      const holder = all[(start + step) % all.length];
      if (holder?.pieces.has(question.piece) !== true || isGivenUp(holder, question)) continue;
      looked -= 1;
      if (!isFree(holder, question)) continue;
      if (holder.uploads.size === 0) return holder.cid;
      if (best === undefined || holder.uploads.size < best.uploads.size) best = holder;
    }
    return best?.cid;
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
function isFree({ cid, pieces, uploads, failures }: Holder, question: HolderQuestion): boolean {
  if (!pieces.has(question.piece) || isGivenUp({ cid, failures }, question)) return false;
  uploads.forgetBefore(question.now - UPLOAD_LIFETIME);
  return uploads.size < MAX_UPLOADS || uploads.has(question.cid, question.piece);
}

/** Whether a holder gives nothing: to anybody, or to this client. Those are not worth a look: all that are gone may stand together. */
function isGivenUp({ cid, failures }: Pick<Holder, 'cid' | 'failures'>, { refused }: HolderQuestion): boolean {
  return failures >= MAX_HOLDER_FAILURES || refused.has(cid);
}
