import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';

import { timeoutSignal } from '@cdk8s-dragonfly/command';
import { OriginError, fetchFrom } from '@cdk8s-dragonfly/origin';
import type { OriginFetch } from '@cdk8s-dragonfly/origin';
import { attest, editionOf, hexOf, isDigest, isMarked, isOfEdition, pieceSizeOf } from '@cdk8s-dragonfly/protocol';
import type { BlobId } from '@cdk8s-dragonfly/protocol';
import { DamagedBlock, assembleBlocks } from '@cdk8s-dragonfly/store';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

import type { Holders } from '../holders/holders';
import type { ArrivingBlocks } from './arriving-blocks';
import { DigestMismatch } from './failure';
import type { OriginTurn } from './origin-turns';
import { revalidate } from './revalidate';
import type { TaskSource, TaskTools } from './task';

/** What a fetch brought. */
export interface Fetched {
  /** SHA-256 of the whole in hex. */
  readonly sha256: string;
  /** Bytes that came from the origin. */
  readonly fetched: number;
}

/** What to fetch, and how. */
export interface FetchOrder {
  readonly blob: BlobId;
  readonly source: TaskSource;
  readonly tools: TaskTools;
  readonly signal: AbortSignal;
  /** Is told the stored blob, to release it, as soon as its grid is known. */
  readonly began: (stored: StoredBlob) => void;
  /** Daemons that hold it, whole or in part. */
  readonly holders: Holders;
  /** Is told of blocks while they arrive from the origin. */
  readonly arriving: ArrivingBlocks;
}

/** How long the origin may take to tell the length of a blob that daemons hold, in ms. */
const SIZE_WITHIN = 2000;

const OTHER_VERSION = 'the origin has another version than what is here';
const NOT_WHOLE = 'an earlier process left only a part, without a digest to check it by';
const UNKNOWN_VERSION =
  'the origin sends neither ETag nor Last-Modified: nobody knows whether it still has what was begun';

/** What is on disk, or what daemons tell of the blob, is not what its origin has. */
class OtherContent extends Error {
  override readonly name = 'OtherContent';

  /** @param pieceSize which the origin's length of the blob gives its pieces; undefined: as here. */
  constructor(
    message: string,
    readonly pieceSize?: number,
  ) {
    super(message);
  }
}

/**
 * Brings a blob into the store. What is on disk is kept; what daemons hold comes from them, attested as it was; the rest is asked of the
 * origin, block by block hashed, attested and written as it arrives. The whole is checked against its digest, or the MD5 of its source,
 * and given its final name. When what was kept, or came from daemons, does not fit, all comes anew: from those daemons whose pieces are of the
 * size that the origin's length gives them, if it is that, else from the origin. A file that is named by its URL is kept when the origin says
 * that it is still the same.
 *
 * @throws OriginError, DigestMismatch; Unstorable when the disk cannot take it.
 */
export async function fetchBlob(order: FetchOrder): Promise<Fetched> {
  const { blob, holders, source, tools } = order;
  let believed: Believed = isDigest(blob) ? 'all' : 'nobody';
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await fetchOnce(order, believed);
    } catch (error) {
      if (!(error instanceof OtherContent) || (believed === 'nobody' && !isFirst)) throw error;
      tools.log.info({ blob, origin: source.url.host, why: error.message }, 'fetched anew from the beginning');
      await tools.store.remove(blob);
      believed = believed === 'all' && error.pieceSize !== undefined ? error.pieceSize : 'nobody';
      if (believed === 'nobody') holders.forget();
    }
  }
}

/** Which of the daemons that hold a blob are believed: the number is the size of their pieces. */
type Believed = 'all' | 'nobody' | number;

async function fetchOnce(order: FetchOrder, believed: Believed): Promise<Fetched> {
  const { holders, signal } = order;
  const ended = new AbortController();
  const abort = (): void => ended.abort(signal.reason);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    if (believed !== 'nobody') holders.open(believed === 'all' ? undefined : believed);
    return await new BlobFetch({ ...order, signal: ended.signal }).run();
  } finally {
    holders.close();
    signal.removeEventListener('abort', abort);
    ended.abort(new Error('the fetch has ended'));
  }
}

/** One try. */
class BlobFetch {
  private readonly whole = createHash('sha256');
  private readonly md5: Hash | undefined;
  private fetched = 0;
  private stored: StoredBlob | undefined;
  /** The first block that is not yet part of {@link whole}. */
  private at = 0;
  /** Whether {@link FetchOrder.began} was told of {@link stored}. */
  private hasBegun = false;
  /** An answer of the origin that is there already. */
  private answer: OriginFetch | undefined;
  /** From when the origin is needed to the end of the fetch. */
  private turn: OriginTurn | undefined;
  /** Whether the origin gives parts of the blob; else it is read to its end at once. */
  private givesParts = true;

  constructor(private readonly order: FetchOrder) {
    if (order.source.md5 !== undefined) this.md5 = createHash('md5');
  }

  async run(): Promise<Fetched> {
    const { holders, signal } = this.order;
    try {
      await this.takeUp();
      for (;;) {
        await this.hashHeld();
        if (this.isAtEnd) break;
        if (this.hasBegun && holders.brings(this.at)) await holders.bell.next(signal);
        else if (await this.endsHere()) break;
        else if (await this.isToAskOrigin()) await this.readOrigin();
        else if (!this.hasBegun) await this.beginWithHolders();
      }
      return await this.finish();
    } finally {
      this.answer?.discard();
      this.turn?.end();
      if (!this.hasBegun) await this.stored?.release();
    }
  }

  /** Waits until others who may bring what is missing have come, or its turn to ask the origin has. @returns whether that is to be asked now. */
  private async isToAskOrigin(): Promise<boolean> {
    const { holders, signal } = this.order;
    if (await holders.othersMayCome(signal)) return false;
    if (this.askForTurn().has) return true;
    await holders.bell.next(signal);
    return false;
  }

  private askForTurn(): OriginTurn {
    const { holders, source, tools } = this.order;
    return (this.turn ??= tools.turns.ask(source.url.host, () => holders.bell.ring()));
  }

  /** Waits until its turn to ask the origin has come. */
  private async haveTurn(): Promise<void> {
    const { holders, signal } = this.order;
    while (!this.askForTurn().has) await holders.bell.next(signal);
  }

  private get isAtEnd(): boolean {
    const { stored, at } = this;
    return stored?.size !== undefined && at === stored.grid.blockCount(stored.size);
  }

  /** Whether what is here in order is the whole blob, of which nobody has told how long it is: its digest shows that. */
  private async endsHere(): Promise<boolean> {
    const { at, stored, whole } = this;
    const { blob } = this.order;
    if (at === 0 || stored === undefined || stored.size !== undefined || !isDigest(blob)) return false;
    if (whole.copy().digest('hex') !== hexOf(blob)) return false;
    await stored.setSize(stored.grid.span(at).offset);
    return true;
  }

  /** What an earlier process left, and what daemons hold. */
  private async takeUp(): Promise<void> {
    const { blob, holders, signal, tools } = this.order;
    this.stored = await tools.store.find(blob);
    if (this.stored !== undefined && !isDigest(blob)) await this.keepIfSame(this.stored);
    if (!holders.any || !isDigest(blob)) return;
    await holders.haveTold(signal);
    await this.beginWithHolders();
  }

  /** A URL without a digest may name other content by now. What is left of that is not gone on with. */
  private async keepIfSame(left: StoredBlob): Promise<void> {
    const { blob, source, tools, signal } = this.order;
    await this.haveTurn();
    this.answer = await revalidate(left, source, tools.origin, signal);
    if (this.answer === undefined) {
      tools.log.info({ blob, origin: source.url.host, size: left.size }, 'unchanged at its origin');
      return;
    }
    if (left.held.count > 0) {
      const told = left.edition !== undefined && isMarked(left.edition) ? OTHER_VERSION : UNKNOWN_VERSION;
      const why = left.finished ? told : NOT_WHOLE;
      tools.log.info({ blob, origin: source.url.host, why }, 'fetched anew from the beginning');
    }
    this.stored = undefined;
    await left.release();
    await tools.store.remove(blob);
  }

  /**
   * Goes on with what daemons hold, if they hold anything that fits. Nobody is believed who only says how long the blob is: room is kept on the disk,
   * for which others have to go.
   */
  private async beginWithHolders(): Promise<void> {
    const { blob, holders, signal, tools } = this.order;
    const { pieceSize } = holders;
    if (pieceSize === undefined || (this.stored?.grid.pieceSize ?? pieceSize) !== pieceSize) return;
    const stored = (this.stored ??= await tools.store.create(blob, pieceSize, undefined));
    await stored.reserve();
    holders.follow(stored, signal);
    while (stored.size === undefined && holders.bringsEnd(stored)) await holders.bell.next(signal);
    if (stored.size === undefined) await this.askSize(stored);
    this.begin(stored);
  }

  /** Asks the origin how long the blob is. What daemons hold can be had without it, when it does not say. */
  private async askSize(stored: StoredBlob): Promise<void> {
    const { source, tools, signal } = this.order;
    await this.haveTurn();
    const limited = AbortSignal.any([signal, timeoutSignal(SIZE_WITHIN)]);
    try {
      const answer = await tools.origin.open({ ...source, from: 0, end: 1 }, limited);
      answer.discard();
      if (answer.size === undefined) return;
      if (!continues(stored, answer.size))
        throw new OtherContent('daemons tell of pieces of another size', otherPieces(stored, answer.size));
      await stored.setSize(answer.size);
    } catch (error) {
      signal.throwIfAborted();
      if (!limited.aborted && !(error instanceof OriginError)) throw error;
    } finally {
      // They may bring all the rest.
      this.turn?.end();
      this.turn = undefined;
    }
  }

  private begin(stored: StoredBlob): void {
    if (this.hasBegun) return;
    this.hasBegun = true;
    const { began, holders, signal } = this.order;
    // Also when the origin was asked first: daemons may tell what they have at any time, and what they bring is waited for.
    holders.follow(stored, signal);
    began(stored);
  }

  /** Hashes what is on disk, in order, as far as it is here and intact. */
  private async hashHeld(): Promise<void> {
    const { stored } = this;
    for (; stored?.held.has(this.at) === true; this.at += 1) {
      try {
        const { bytes, done } = await stored.lend(this.at);
        this.whole.update(bytes);
        this.md5?.update(bytes);
        done();
      } catch (error) {
        if (error instanceof DamagedBlock) return;
        throw error;
      }
      this.order.signal.throwIfAborted();
    }
  }

  /** Reads the origin from block {@link at} to the end, or to the next block that is here or that a daemon brings. */
  private async readOrigin(): Promise<void> {
    const { arriving, blob, source, tools, signal } = this.order;
    const known = this.stored;
    const first = this.at;
    const from = known?.grid.span(first).offset ?? 0;
    const end = this.nextOffset();
    const options = { from, end, signal, byDigest: isDigest(blob) };
    const answer =
      this.answer ??
      (await fetchFrom(tools.origin, source, options).catch((error: unknown) => {
        const isBehindItsEnd = from > 0 && error instanceof OriginError && error.status === 416;
        throw isBehindItsEnd ? new OtherContent('what is here is longer than what the origin has') : error;
      }));
    this.answer = undefined;
    if (from > 0 && !answer.acceptsRanges) this.givesParts = false;
    let stored: StoredBlob;
    try {
      if (known !== undefined && !continues(known, answer.size)) {
        const pieceSize = otherPieces(known, answer.size);
        throw new OtherContent('what is here is of another length than what the origin has', pieceSize);
      }
      if (known?.edition !== undefined && !isOfEdition(known.edition, answer)) {
        throw new OtherContent(isMarked(known.edition) ? OTHER_VERSION : UNKNOWN_VERSION);
      }
      stored = known ?? (await tools.store.create(blob, pieceSizeOf(answer.size), answer.size));
      this.stored = stored;
      const isFresh = stored.edition === undefined && stored.held.count === 0;
      if (isFresh && !isDigest(blob)) await stored.setEdition(editionOf(answer));
      if (answer.size !== undefined) await stored.setSize(answer.size);
      await stored.reserve();
    } catch (error) {
      answer.discard();
      throw error;
    }
    // Of unknown length, any block may turn out to be the last, and shorter than whoever follows it was told.
    if (stored.size !== undefined) arriving.begin(first, stored.grid.blockCount(stored.size));
    try {
      this.begin(stored);
      const length = await this.takeIn(stored, first, answer.body);
      if (end === undefined && length !== undefined) await stored.setSize(from + length);
    } finally {
      arriving.end();
    }
  }

  /** Takes in what comes from block `first` on. @returns how many bytes came; undefined when what follows is here, or comes from others. */
  private async takeIn(stored: StoredBlob, first: number, bytes: AsyncIterable<Buffer>): Promise<number | undefined> {
    const { arriving, blob, tools } = this.order;
    const { grid } = stored;
    const edition = stored.edition?.id;
    const start = grid.span(first).offset;
    let size = start;
    const grew = (index: number, part: Buffer): void => arriving.grew(index, part);
    for await (const { index, chunks, length, hash } of assembleBlocks(grid, first, bytes, tools.store.buffers, grew)) {
      for (const chunk of chunks) {
        this.whole.update(chunk);
        this.md5?.update(chunk);
      }
      const attestation = attest({ blob, edition, pieceSize: grid.pieceSize, index, length, hash }, tools.key);
      arriving.came(index, chunks[0], attestation);
      // The short last block is read by its true length: the size has to be known before it is held.
      if (length < grid.span(index).length) await stored.setSize(size + length);
      await stored.write(index, chunks, attestation);
      size += length;
      this.fetched += length;
      this.at = index + 1;
      if (this.givesParts && this.isAvailable(this.at)) return undefined;
    }
    return size - start;
  }

  private isAvailable(block: number): boolean {
    return this.stored?.held.has(block) === true || (this.hasBegun && this.order.holders.brings(block));
  }

  /** Where the next block begins that is here or that a daemon brings; undefined when all that follows is missing. */
  private nextOffset(): number | undefined {
    const { stored } = this;
    if (stored === undefined || !this.givesParts) return undefined;
    const last = Math.max(stored.held.last, this.order.holders.last);
    const end = stored.size === undefined ? last + 1 : stored.grid.blockCount(stored.size);
    for (let block = this.at + 1; block < end; block += 1) {
      if (this.isAvailable(block)) return stored.grid.span(block).offset;
    }
    return undefined;
  }

  private async finish(): Promise<Fetched> {
    const { stored, fetched } = this;
    const { blob, source, tools } = this.order;
    if (stored === undefined) throw new Error(`nothing of ${blob} is here`);
    const sha256 = this.whole.digest('hex');
    if (isDigest(blob) && sha256 !== hexOf(blob)) {
      if (fetched < (stored.size ?? 0)) throw new OtherContent('what was here does not fit to the digest of the whole');
      await tools.store.remove(blob);
      throw new DigestMismatch(blob, 'SHA-256', sha256);
    }
    const md5 = this.md5?.digest('hex');
    if (md5 !== source.md5) {
      await tools.store.remove(blob);
      throw new DigestMismatch(blob, 'MD5', md5 ?? '');
    }
    this.begin(stored);
    await stored.finish();
    return { sha256, fetched };
  }
}

/** Whether what the origin gives now can be what an earlier process began. */
function continues(left: StoredBlob, size: number | undefined): boolean {
  const sameSize = left.size === undefined || size === undefined || left.size === size;
  return sameSize && left.grid.pieceSize === pieceSizeOf(size);
}

/** The size of the pieces of what the origin gives, when it is another than that of what is here. */
function otherPieces({ grid }: StoredBlob, size: number | undefined): number | undefined {
  const pieceSize = pieceSizeOf(size);
  return pieceSize === grid.pieceSize ? undefined : pieceSize;
}
