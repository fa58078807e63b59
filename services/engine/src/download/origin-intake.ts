import { fetchFrom } from '@cdk8s-dragonfly/origin';
import { isDigest, pieceSizeOf } from '@cdk8s-dragonfly/protocol';
import { assembleBlocks } from '@cdk8s-dragonfly/store';
import type { AssembledBlock, StoredBlob } from '@cdk8s-dragonfly/store';

import { BlobUnavailable } from '../node/blob-request';
import type { Intake } from './intake';
import type { DownloadTools } from './tools';

/** When so many blocks that follow are here already, the connection is given up and the next gap is looked for. */
const SKIP = 8;

/** The same when neighbours share what they fetch: what one of them has begun is not fetched twice. */
const SKIP_SHARED = 1;

/** What the swarm can bring, as the origin intake has to know it. */
export interface SwarmView {
  /** Whether a live neighbour has a block, and gives what it is asked for: those are not asked of the origin. */
  offers(block: number): boolean;
  /** Whether neighbours take what this node fetches, and it takes what they fetch. */
  readonly isShared: boolean;
  /** A neighbour gave a block that the origin has otherwise. */
  lied(source: string): void;
}

/**
 * Blocks straight from the origin, when the swarm cannot bring them. They have no attestation: only the digest of the whole shows that they
 * are right. When neighbours share them, each begins at another place.
 */
export class OriginIntake {
  private running: Promise<void> | undefined;
  private fetchingOne: Promise<void> | undefined;

  /** @param random from 0 (inclusive) to 1 (exclusive) */
  constructor(
    private readonly intake: Intake,
    private readonly tools: DownloadTools,
    private readonly swarm: SwarmView,
    private readonly random: () => number = Math.random,
  ) {}

  /** Whether something is missing that no live neighbour has. */
  get isNeeded(): boolean {
    const stored = this.intake.stored();
    return stored?.size === undefined || this.orphans(stored).next().done !== true;
  }

  /** Fetches what nobody else has, unless it is at it. */
  start(reason: string, signal: AbortSignal): void {
    if (this.running !== undefined || this.intake.finished()) return;
    if (!this.tools.policy.backToSource) {
      this.intake.fail(new BlobUnavailable('origin-forbidden', `${reason}, and the origin may not be asked`));
      return;
    }
    this.tools.log.warn({ blob: this.intake.request.blob, reason }, 'asking the origin');
    this.running = this.fillGaps(signal)
      .catch((error: unknown) => this.intake.fail(error))
      .finally(() => {
        this.running = undefined;
      });
  }

  /** Fetches one block that a reader has waited for too long, whoever offers it, unless it is at one. */
  fetchOne(block: number, signal: AbortSignal): void {
    const stored = this.intake.stored();
    if (this.fetchingOne !== undefined || this.intake.finished() || !this.tools.policy.backToSource) return;
    if (stored?.size === undefined) return;
    const { offset } = stored.grid.span(block);
    const end = offset + stored.grid.blockLength(block, stored.size);
    this.fetchingOne = this.read(stored, block, end, signal)
      .catch((error: unknown) => {
        this.tools.log.debug({ blob: this.intake.request.blob, block, err: error }, 'a block did not come');
      })
      .finally(() => {
        this.fetchingOne = undefined;
        this.intake.changed();
      });
  }

  /** Resolves when nothing of it runs. */
  async ended(): Promise<void> {
    await Promise.all([this.running, this.fetchingOne]);
  }

  private async fillGaps(signal: AbortSignal): Promise<void> {
    while (!this.intake.finished()) {
      const stored = this.intake.stored();
      const first = stored === undefined ? 0 : this.orphanToFetch(stored);
      if (stored?.whole === true || first === undefined) return;
      await this.read(stored, first, undefined, signal);
      this.intake.changed();
    }
  }

  /** Reads on from block `first` to byte `until`, or until what follows is here already, or comes from others. */
  private async read(
    known: StoredBlob | undefined,
    first: number,
    until: number | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { request } = this.intake;
    const from = known?.grid.span(first).offset ?? 0;
    const options = { from, end: until, signal, byDigest: isDigest(request.blob) };
    const answer = await fetchFrom(this.tools.origin, request, options);
    let stored: StoredBlob;
    try {
      stored = await this.intake.begin(known?.grid.pieceSize ?? pieceSizeOf(answer.size), answer.size);
    } catch (error) {
      answer.discard();
      throw error;
    }
    let end = from;
    for await (const { index, chunks, length, hash } of assembleBlocks(
      stored.grid,
      first,
      answer.body,
      this.tools.store.buffers,
    )) {
      end += length;
      // The short last block is read by its true length: the size has to be known before it is held.
      if (length < stored.grid.span(index).length) await stored.setSize(end);
      await this.keep(stored, { index, chunks, length, hash });
      if (until === undefined && this.canStop(stored, index + 1)) return;
    }
    if (until === undefined) await stored.setSize(end);
  }

  /** The block is right, as far as the origin is: it takes the place of another that a neighbour gave. */
  private async keep(stored: StoredBlob, { index, chunks, length, hash }: AssembledBlock): Promise<void> {
    const { doubts } = this.intake;
    let isNew = await stored.write(index, chunks, { hash });
    const other = stored.proofOf(index);
    if (!isNew && other !== undefined && doubts.isDoubtful(stored, index) && !other.hash.equals(hash)) {
      const giver = doubts.giverOf(index);
      if (giver !== undefined) this.swarm.lied(giver);
      stored.held.delete(index);
      isNew = await stored.write(index, chunks, { hash });
    }
    if (isNew) this.intake.took('origin', length);
    const liar = doubts.confirm(index, hash);
    if (liar !== undefined) this.swarm.lied(liar);
    this.intake.changed();
  }

  private canStop(stored: StoredBlob, next: number): boolean {
    const end = stored.size === undefined ? Infinity : stored.grid.blockCount(stored.size);
    const last = next + (this.swarm.isShared ? SKIP_SHARED : SKIP);
    if (last > end) return false;
    for (let block = next; block < last; block += 1) {
      if (!stored.held.has(block) && !(this.swarm.isShared && this.swarm.offers(block))) return false;
    }
    return true;
  }

  /** Any of the blocks that nobody offers when others fetch them too, else the first. */
  private orphanToFetch(stored: StoredBlob): number | undefined {
    if (!this.swarm.isShared || stored.size === undefined) {
      const first = this.orphans(stored).next();
      return first.done === true ? undefined : first.value;
    }
    const all = [...this.orphans(stored)];
    return all[Math.floor(this.random() * all.length)];
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
