import type { KeyObject } from 'node:crypto';

import { BLOCK_SIZE } from '@cdk8s-dragonfly/protocol';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

import { LinkFailure } from '../links/failure';
import { fetchBlock } from '../links/fetch-block';
import { Ahead } from './ahead';
import type { Asking } from './flight-budget';
import { Flights } from './flights';
import type { ActiveFlight } from './flights';
import type { Intake } from './intake';
import { SUPERNODE } from './sources';
import type { Sources } from './sources';
import type { DownloadTools } from './tools';

/** Who asks, as its questions have to know it. */
export interface Asker extends Asking {
  /** Whether neighbours may bring what no supernode has attested. */
  readonly takesUnattested: boolean;
  /** Whether a block is of this node's share. */
  isOurs(block: number): boolean;
}

/** One block, and who is asked for it. */
export interface Question {
  readonly block: number;
  readonly source: string;
  /** The supernode's public key. */
  readonly key: KeyObject;
}

/** The blocks that a download asks of its sources: each is fetched, checked, written, and told of. */
export class Questions {
  readonly flights = new Flights();
  readonly ahead = new Ahead();
  private lastProgress = performance.now();

  constructor(
    private readonly intake: Intake,
    private readonly tools: DownloadTools,
    private readonly sources: Sources,
    private readonly asker: Asker,
  ) {}

  /** When a block last came from a peer or out of the share, or nobody could be asked. */
  get progress(): number {
    return this.lastProgress;
  }

  /** Asks for a block. @throws an error of this node; what others do is taken note of. */
  async ask(stored: StoredBlob, { block, source, key }: Question): Promise<void> {
    const origin = this.sources.originOf(source);
    if (origin === undefined) return;
    const { blob } = this.intake.request;
    const abort = new AbortController();
    const kind = source === SUPERNODE ? 'supernode' : 'peer';
    const isAhead = source === SUPERNODE && !this.sources.supernode.has.has(block);
    const flight: ActiveFlight = { block, source, kind, since: Infinity, isAhead, abort };
    this.flights.begin(flight);
    try {
      const { limit } = this.tools;
      if (limit !== undefined) {
        await limit.pass(stored.grid.blockLength(block, stored.size), abort.signal);
        // Nobody was asked meanwhile.
        this.lastProgress = performance.now();
        this.asker.pump();
      }
      flight.since = performance.now();
      this.tools.budget.began(this.asker, source);
      const unattested = source !== SUPERNODE && this.asker.takesUnattested;
      const { grid, size } = stored;
      const place = { blob, edition: stored.edition?.id, grid, size, index: block };
      const question = { ...place, key, unattested, arriving: isAhead };
      const { chunks, length, proof } = await fetchBlock(origin, question, this.tools.blocks, abort.signal);
      if (isAhead) this.ahead.gave();
      this.sources.gave(source, paceOf(flight, stored));
      if (stored.edition?.id !== place.edition)
        throw new LinkFailure('gone', 'it is of another version than what is fetched now');
      // Only the last block is short, and it is read by its true length: the size has to be known before it is held.
      const span = stored.grid.span(block);
      if (length < span.length) await stored.setSize(span.offset + length);
      if (await stored.write(block, chunks, proof)) {
        if (proof.signature === undefined) this.intake.doubts.gave(source, block);
        this.intake.took(source === SUPERNODE ? 'supernode' : 'peer', length);
      } else for (const chunk of chunks) this.tools.store.buffers.giveBack(chunk);
      this.arrived(flight, stored);
    } catch (error) {
      if (abort.signal.aborted) return;
      if (!(error instanceof LinkFailure)) throw error;
      this.tools.log.debug({ blob, source, kind: error.kind, reason: error.message }, 'a block did not come');
      this.flights.failed();
      // What was refused took nothing of the limit.
      const isRefused = error.kind === 'missing' || error.kind === 'busy';
      if (isRefused) this.tools.limit?.giveBack(stored.grid.blockLength(block, stored.size));
      if (isAhead) this.ahead.refused();
      else this.sources.failed(source, error, block);
    } finally {
      this.flights.end(flight);
      // Who did not come to ask has taken no room.
      if (flight.since === Infinity) this.asker.pump();
      else this.tools.budget.ended(this.asker, source);
    }
  }

  private arrived(flight: ActiveFlight, stored: StoredBlob): void {
    const { block, source } = flight;
    if (source !== SUPERNODE || this.asker.isOurs(block)) this.lastProgress = performance.now();
    for (const { other, isLate } of this.flights.arrived(flight)) {
      if (isLate) this.sources.tooSlow(other.source, paceOf(other, stored));
      other.abort.abort(new Error('another source was faster'));
    }
  }
}

/** How many milliseconds a MiB of a block takes so far. */
function paceOf({ block, since }: ActiveFlight, { grid }: StoredBlob): number {
  return ((performance.now() - since) * BLOCK_SIZE) / grid.span(block).length;
}
