import { fetchFrom } from '@cdk8s-dragonfly/origin';
import { isDigest, pieceSizeOf } from '@cdk8s-dragonfly/protocol';
import { assembleBlocks } from '@cdk8s-dragonfly/store';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

import { BlobUnavailable } from '../node/blob-request';
import type { Intake } from './intake';
import type { DownloadTools } from './tools';

/** When so many blocks that follow are here already, the connection is given up and the next gap is looked for. */
const SKIP = 8;

/**
 * Blocks straight from the origin, when the swarm cannot bring them. They have no attestation: they are not given to peers, and only
 * the digest of the whole shows that they are right.
 */
export class OriginIntake {
  private running: Promise<void> | undefined;

  /** @param offered whether a live neighbour has a block: those are not asked of the origin. */
  constructor(
    private readonly intake: Intake,
    private readonly tools: DownloadTools,
    private readonly offered: (block: number) => boolean,
  ) {}

  /** Whether something is missing that no live neighbour has. */
  get isNeeded(): boolean {
    const stored = this.intake.stored();
    return stored?.size === undefined || this.orphan(stored) !== undefined;
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

  /** Resolves when nothing of it runs. */
  async ended(): Promise<void> {
    await this.running;
  }

  private async fillGaps(signal: AbortSignal): Promise<void> {
    while (!this.intake.finished()) {
      const stored = this.intake.stored();
      const first = stored === undefined ? 0 : this.orphan(stored);
      if (stored?.whole === true || first === undefined) return;
      await this.fillGap(stored, first, signal);
      this.intake.changed();
    }
  }

  /** Reads on from block `first` until the end, or until what follows is here already. */
  private async fillGap(known: StoredBlob | undefined, first: number, signal: AbortSignal): Promise<void> {
    const { request } = this.intake;
    const from = known?.grid.span(first).offset ?? 0;
    const answer = await fetchFrom(this.tools.origin, request, { from, signal, byDigest: isDigest(request.blob) });
    let stored: StoredBlob;
    try {
      stored = await this.intake.begin(known?.grid.pieceSize ?? pieceSizeOf(answer.size), answer.size);
    } catch (error) {
      answer.discard();
      throw error;
    }
    let end = from;
    for await (const { index, chunks, length, hash } of assembleBlocks(stored.grid, first, answer.body)) {
      end += length;
      // The short last block is read by its true length: the size has to be known before it is held.
      if (length < stored.grid.span(index).length) await stored.setSize(end);
      if (await stored.write(index, chunks, { hash })) this.intake.took('origin', length);
      if (stored.held.firstMissing(index) > index + SKIP) return;
    }
    await stored.setSize(end);
  }

  private orphan(stored: StoredBlob): number | undefined {
    const end = stored.size === undefined ? Infinity : stored.grid.blockCount(stored.size);
    for (let block = stored.held.firstMissing(); block < end; block = stored.held.firstMissing(block + 1)) {
      if (!this.offered(block)) return block;
    }
    return undefined;
  }
}
