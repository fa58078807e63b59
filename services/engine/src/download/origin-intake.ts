import { fetchFrom, strongEtag } from '@cdk8s-dragonfly/origin';
import { FIRST_PIECE_BLOCK_SIZE, editionOf, isDigest, isOfEdition, pieceSizeOf } from '@cdk8s-dragonfly/protocol';
import type { Edition, EditionMarks } from '@cdk8s-dragonfly/protocol';
import { assembleBlocks } from '@cdk8s-dragonfly/store';
import type { AssembledBlock, StoredBlob } from '@cdk8s-dragonfly/store';

import { BlobUnavailable } from '../node/blob-request';
import type { Intake } from './intake';
import type { DownloadTools } from './tools';
import { Turns } from './turns';
import type { Run } from './turns';

/** When so many blocks that follow are here already, the connection is given up and the next gap is looked for. */
const SKIP = 8;

/** How long a neighbour may bring nothing of what is its turn, in milliseconds: at least this, and so many times as long as blocks take here. */
const TURN = 1000;
const TURN_FACTOR = 3;

/** What the swarm can bring, as the origin intake has to know it. */
export interface SwarmView {
  /** Whether a live neighbour has a block, and gives what it is asked for: those are not asked of the origin. */
  offers(block: number): boolean;
  /** Whether neighbours take what this node fetches, and it takes what they fetch. */
  readonly isShared: boolean;
  /** The names of the neighbours that answer. */
  readonly neighbours: readonly string[];
  /** Whether no supernode is there that brings what is missing. */
  readonly isAlone: boolean;
  /** A neighbour gave a block that the origin has otherwise. */
  lied(source: string): void;
}

/**
 * Blocks straight from the origin, when the swarm cannot bring them. They have no attestation: only the digest of the whole shows that they
 * are right. When neighbours share them, each fetches its part.
 */
export class OriginIntake {
  private running: Promise<void> | undefined;
  private readonly turns: Turns;
  /** Ends what runs only because nobody else was there; undefined when that is not why it runs. */
  private returning: AbortController | undefined;
  /** Begins anew for another reason that came while what runs may end. */
  private again: (() => void) | undefined;
  /** The longest that a block took lately, in milliseconds. */
  private slowest = 0;
  private lastReason: string | undefined;

  constructor(
    private readonly intake: Intake,
    private readonly tools: DownloadTools,
    private readonly swarm: SwarmView,
  ) {
    this.turns = new Turns(intake.request.blob, tools.cid);
  }

  /** Whether something is missing that is for this node to fetch. */
  get isNeeded(): boolean {
    const stored = this.intake.stored();
    return stored === undefined || this.nextRun(stored) !== undefined;
  }

  /** Fetches what nobody else has, unless it is at it. @param untilReturn whether it ends when a supernode brings it again. */
  start(reason: string, signal: AbortSignal, untilReturn = false): void {
    // What runs may be all that brings the rest, now that there is another reason for it. It may be about to end for the old one.
    const mayEnd = this.returning !== undefined;
    if (!untilReturn) this.returning = undefined;
    if (this.running !== undefined) {
      if (mayEnd && !untilReturn) this.again = () => this.start(reason, signal);
      return;
    }
    if (!this.mayStart(reason)) return;
    const returning = untilReturn ? new AbortController() : undefined;
    this.returning = returning;
    const until = returning === undefined ? signal : AbortSignal.any([signal, returning.signal]);
    this.running = this.fillGaps(until)
      .catch((error: unknown) => {
        if (returning?.signal.aborted !== true) this.intake.fail(error);
      })
      .finally(() => {
        this.running = undefined;
        const { again } = this;
        this.again = undefined;
        if (!signal.aborted) again?.();
      });
  }

  /** The swarm is there again, and brings what is missing. */
  swarmReturned(): void {
    this.returning?.abort(new Error('the swarm brings it'));
  }

  /** Fetches the first block, unless something is here or on its way: then the length is known, and readers can begin. */
  fetchFirst(reason: string, signal: AbortSignal): void {
    if (this.running !== undefined || this.intake.stored() !== undefined || !this.mayStart(reason)) return;
    this.running = this.read(undefined, { first: 0, end: 1 }, signal)
      .catch((error: unknown) => this.intake.fail(error))
      .finally(() => {
        this.running = undefined;
      });
  }

  /** Resolves when nothing of it runs. */
  async ended(): Promise<void> {
    while (this.running !== undefined) await this.running;
  }

  private mayStart(reason: string): boolean {
    if (this.intake.finished()) return false;
    if (!this.tools.policy.backToSource) {
      this.intake.fail(new BlobUnavailable('origin-forbidden', `${reason}, and the origin may not be asked`));
      return false;
    }
    if (reason !== this.lastReason) {
      const { blob, url } = this.intake.request;
      this.tools.log.warn({ blob, origin: url.host, reason }, 'asking the origin');
    }
    this.lastReason = reason;
    return true;
  }

  private async fillGaps(signal: AbortSignal): Promise<void> {
    while (!this.intake.finished() && !signal.aborted) {
      // Whoever is taken in shares no more: it would ask for all the rest, as would thousands in the moment in which a supernode is there again.
      if (this.returning !== undefined && !this.swarm.isAlone) return;
      const stored = this.intake.stored();
      const run = stored === undefined ? { first: 0, end: undefined } : this.nextRun(stored);
      if (stored?.whole === true || run === undefined) return;
      await this.read(stored, run, signal);
    }
  }

  /** Reads on from block `first` to block `end`, or until what follows is here already, or comes from others. */
  private async read(
    known: StoredBlob | undefined,
    { first, end: endBlock }: Open<Run>,
    signal: AbortSignal,
  ): Promise<void> {
    const { request } = this.intake;
    const from = known?.grid.span(first).offset ?? 0;
    const end = endBlock === undefined ? undefined : this.endOf(known, endBlock - 1);
    const byDigest = isDigest(request.blob);
    const options = { from, end, signal, byDigest, ifRange: byDigest ? undefined : strongEtag(known?.edition?.etag) };
    const answer = await fetchFrom(this.tools.origin, request, options);
    let stored: StoredBlob;
    try {
      const pieceSize = known?.grid.pieceSize ?? pieceSizeOf(answer.size);
      stored = await this.intake.begin(pieceSize, answer.size, this.editionOf(known, answer));
    } catch (error) {
      answer.discard();
      throw error;
    }
    const edition = stored.edition?.id;
    let at = from;
    let last = performance.now();
    const { buffers } = this.tools.store;
    for await (const { index, chunks, length, hash } of assembleBlocks(stored.grid, first, answer.body, buffers)) {
      // A supernode has told another meanwhile, before anything was here.
      if (stored.edition?.id !== edition)
        throw new BlobUnavailable('changed', 'the origin gives another version than others');
      at += length;
      const now = performance.now();
      this.slowest = Math.max(now - last, 0.8 * this.slowest);
      last = now;
      // The short last block is read by its true length: the size has to be known before it is held.
      if (length < stored.grid.span(index).length) await stored.setSize(at);
      await this.keep(stored, { index, chunks, length, hash });
      if (endBlock === undefined && this.canStop(stored, index + 1)) return;
    }
    // Less came than was asked for: that is the end, which an origin that tells no length tells by it.
    if (end === undefined || at < end) await stored.setSize(at);
    this.intake.changed();
  }

  /**
   * The edition that the origin gives; undefined of a blob with a digest, and when it has to fit to what came from an original supernode, which
   * tells of no editions: then the digest of the whole, where somebody knows it, is what tells.
   */
  private editionOf(known: StoredBlob | undefined, answer: EditionMarks): Edition | undefined {
    if (isDigest(this.intake.request.blob)) return undefined;
    if (known?.edition !== undefined && isOfEdition(known.edition, answer)) return known.edition;
    return known !== undefined && known.edition === undefined && known.held.count > 0 ? undefined : editionOf(answer);
  }

  /** The byte behind a block. */
  private endOf(stored: StoredBlob | undefined, block: number): number {
    // The first block is as long in every grid.
    if (stored === undefined) return FIRST_PIECE_BLOCK_SIZE;
    const { grid, size } = stored;
    return grid.span(block).offset + grid.blockLength(block, size);
  }

  /** The block is right, as far as the origin is: it takes the place of another that a neighbour gave. */
  private async keep(stored: StoredBlob, { index, chunks, length, hash }: AssembledBlock): Promise<void> {
    const { doubts } = this.intake;
    let isNew = await stored.write(index, chunks, { hash });
    const other = stored.proofOf(index);
    if (!isNew && other !== undefined && doubts.isDoubtful(stored, index) && !other.hash.equals(hash)) {
      const giver = doubts.replace(stored, index);
      if (giver !== undefined) this.swarm.lied(giver);
      isNew = await stored.write(index, chunks, { hash });
    }
    if (isNew) this.intake.took('origin', length);
    const liar = doubts.confirm(index, hash);
    if (liar !== undefined) this.swarm.lied(liar);
    this.intake.changed();
  }

  private canStop(stored: StoredBlob, next: number): boolean {
    const end = stored.size === undefined ? Infinity : stored.grid.blockCount(stored.size);
    if (next + SKIP > end) return false;
    for (let block = next; block < next + SKIP; block += 1) if (!stored.held.has(block)) return false;
    return true;
  }

  /** What is for this node to fetch now: all that is missing, or its part when others fetch too. */
  private nextRun(stored: StoredBlob): Open<Run> | undefined {
    const { grid, size } = stored;
    if (!this.swarm.isShared || size === undefined) {
      const first = this.orphans(stored).next();
      return first.done === true ? undefined : { first: first.value, end: undefined };
    }
    return this.turns.next({
      grid,
      size,
      others: this.swarm.neighbours,
      orphans: [...this.orphans(stored)],
      now: performance.now(),
      patience: Math.max(TURN, TURN_FACTOR * this.slowest),
    });
  }

  /** The blocks that are missing and that nobody offers. */
  private *orphans({ held, grid, size }: StoredBlob): Generator<number, undefined> {
    const end = size === undefined ? Infinity : grid.blockCount(size);
    for (let block = held.firstMissing(); block < end; block = held.firstMissing(block + 1)) {
      if (!this.swarm.offers(block)) yield block;
    }
    return undefined;
  }
}

/** The same, but its end may be that of the blob. */
type Open<R extends Run> = Omit<R, 'end'> & { readonly end: number | undefined };
