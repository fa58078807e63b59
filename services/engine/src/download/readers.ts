import { createHash } from 'node:crypto';

import { fetchFrom } from '@cdk8s-dragonfly/origin';
import { isDigest, isMarked, isOfEdition } from '@cdk8s-dragonfly/protocol';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

import type { Intake } from './intake';
import type { DownloadTools } from './tools';
import { BlobUnavailable } from '../node/blob-request';
import { mismatch } from './unavailable';

/** How long a reader waits for its next bytes while no supernode answers, in milliseconds. */
const WAITS = 1000;

/**
 * So many bytes it gets then. Blocks are longer: all the readers of a swarm would fetch the same ones at once, and leave nothing of the origin's
 * rate to those who fetch the rest for all.
 */
const SIP = 64 * 1024;

/** How long a reader waits for the digest of the whole when its next block is here, and could be had attested too, in milliseconds. */
const DOUBT_WAITS = 200;

/** So many blocks that follow such a one are fetched with it. */
const DOUBTFUL_AHEAD = 8;

interface Cursor {
  /** The next byte. */
  readonly at: number;
  /** The block that it is in. */
  readonly block: number;
  /** Since when it waits for it, in milliseconds of the steady clock. */
  since: number;
  /** What came for it from the origin. */
  sip: Buffer | undefined;
}

/** What the rest of a download knows of a block. */
export interface ReadersView {
  /** Whether a block that is held may leave this node. */
  mayLeave(stored: StoredBlob, block: number): boolean;
  /** Whether a supernode or neighbour has a block attested. */
  offersAttested(block: number): boolean;
  /** A neighbour gave a block that the origin has otherwise. */
  lied(source: string): void;
  /** Bytes came from the origin. */
  count(bytes: number): void;
}

/** The readers of a download: where they are, and what is done for those that have waited for too long. */
export class Readers {
  private readonly cursors = new Map<object, Cursor>();
  /** What was given past the blocks: it has to be the same as what is in them. */
  private readonly given: { readonly at: number; readonly length: number; readonly sha256: string }[] = [];
  /** Whether that was checked: nothing more is given then. */
  private isChecked = false;
  private sipping: Promise<void> | undefined;

  constructor(
    private readonly intake: Intake,
    private readonly tools: Pick<DownloadTools, 'log' | 'origin' | 'policy'> & {
      readonly clock: { readonly now: number };
    },
    private readonly view: ReadersView,
  ) {}

  /** The blocks that they want next. */
  get blocks(): readonly number[] {
    return [...this.cursors.values()].map(({ block }) => block);
  }

  /** Tells where a reader is. @returns whether it wants another block than before. */
  move(reader: object, block: number, at: number): boolean {
    const before = this.cursors.get(reader);
    if (before?.at === at) return false;
    this.cursors.set(reader, { at, block, since: this.tools.clock.now, sip: undefined });
    return before?.block !== block;
  }

  remove(reader: object): void {
    this.cursors.delete(reader);
  }

  /** Bytes from byte `at` on, when they came past the blocks. The reader may have gone on meanwhile without them. */
  takeSip(reader: object, at: number): Buffer | undefined {
    const cursor = this.cursors.get(reader);
    const sip = cursor?.sip;
    if (cursor === undefined || sip === undefined) return undefined;
    cursor.sip = undefined;
    if (cursor.at !== at || this.isChecked) return undefined;
    this.given.push({ at: cursor.at, length: sip.length, sha256: sha256Of(sip) });
    return sip;
  }

  /**
   * While no supernode attests anything, blocks come in any order, and some wait for the digest of the whole. Runtimes give up a pull that
   * stands still: a reader that has waited for long gets its next bytes from the origin itself.
   *
   * @param isAlone whether no supernode answers.
   */
  keepGoing(stored: StoredBlob, isAlone: boolean, signal: AbortSignal): void {
    const { now } = this.tools.clock;
    for (const cursor of this.cursors.values()) {
      const { block, since } = cursor;
      if (now - since < DOUBT_WAITS) continue;
      const isDoubtful = stored.held.has(block);
      if (isDoubtful && this.view.mayLeave(stored, block)) continue;
      if (isDoubtful && this.view.offersAttested(block)) this.doubtNoMore(stored, block);
      else if (now - since >= WAITS && (isAlone || isDoubtful)) this.sip(stored, cursor, signal);
    }
  }

  /**
   * Checks what was given past the blocks.
   *
   * @param stored whole, with the right digest.
   * @throws BlobUnavailable when the origin gave a reader something else.
   */
  async check(stored: StoredBlob): Promise<void> {
    for (let next = this.given.shift(); next !== undefined; next = this.given.shift()) {
      const { at, length, sha256 } = next;
      const block = stored.grid.blockAt(at);
      const from = at - stored.grid.span(block).offset;
      const bytes = (await stored.read(block)).subarray(from, from + length);
      if (sha256Of(bytes) !== sha256) throw mismatch(this.intake.request.blob, length, sha256);
    }
    this.isChecked = true;
  }

  /** Resolves when nothing of it runs. */
  async ended(): Promise<void> {
    await this.sipping;
  }

  /** Makes room for attested blocks: a supernode that is there again has them, and readers need not wait for the digest of the whole. */
  private doubtNoMore(stored: StoredBlob, first: number): void {
    for (let block = first; block < first + DOUBTFUL_AHEAD; block += 1) {
      const isDoubtful = stored.held.has(block) && !this.view.mayLeave(stored, block);
      if (isDoubtful && this.view.offersAttested(block)) this.intake.doubts.replace(stored, block);
    }
  }

  /** One at a time. The last block is for nobody before the digest of the whole is known. */
  private sip(stored: StoredBlob, cursor: Cursor, signal: AbortSignal): void {
    const { grid, size } = stored;
    const { at, block } = cursor;
    const last = size === undefined ? stored.held.last : grid.blockCount(size) - 1;
    if (this.sipping !== undefined || !this.tools.policy.backToSource || cursor.sip !== undefined || block >= last)
      return;
    const { offset, length } = grid.span(block);
    const end = Math.min(at + SIP, offset + length);
    cursor.since = this.tools.clock.now;
    this.sipping = this.fetch(stored, { from: at, end }, signal)
      .then(async (bytes) => {
        if (bytes.length !== end - at) return;
        cursor.sip = bytes;
        await this.compare(stored, block, at - offset, bytes);
      })
      .catch((error: unknown) => {
        if (error instanceof BlobUnavailable) this.intake.fail(error);
        this.tools.log.debug({ blob: this.intake.request.blob, at, err: error }, 'the next bytes did not come');
      })
      .finally(() => {
        this.sipping = undefined;
        this.intake.changed();
      });
  }

  /** Throws a block away that a neighbour gave and that the origin has otherwise. */
  private async compare(stored: StoredBlob, block: number, from: number, bytes: Buffer): Promise<void> {
    const isDoubtful = (): boolean => stored.held.has(block) && !this.view.mayLeave(stored, block);
    if (!isDoubtful()) return;
    const held = await stored.read(block);
    if (held.subarray(from, from + bytes.length).equals(bytes) || !isDoubtful()) return;
    const giver = this.intake.doubts.replace(stored, block);
    if (giver !== undefined) this.view.lied(giver);
  }

  private async fetch(
    { edition }: StoredBlob,
    range: { readonly from: number; readonly end: number },
    signal: AbortSignal,
  ): Promise<Buffer> {
    const { request } = this.intake;
    const options = { ...range, signal, byDigest: isDigest(request.blob) };
    const answer = await fetchFrom(this.tools.origin, request, options);
    // What cannot be told by the origin's word is told by the bytes, when the whole is here.
    if (edition !== undefined && isMarked(edition) && !isOfEdition(edition, answer)) {
      answer.discard();
      throw new BlobUnavailable(
        'changed',
        `another version of ${request.blob} stands at its URL than when it was begun`,
      );
    }
    const parts: Buffer[] = [];
    for await (const part of answer.body) parts.push(Buffer.from(part));
    const bytes = Buffer.concat(parts);
    this.view.count(bytes.length);
    return bytes;
  }
}

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
