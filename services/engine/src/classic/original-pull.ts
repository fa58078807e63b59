import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { rawLengthOf } from '@cdk8s-dragonfly/protocol';
import type { PeerTaskAnswer, PeerTaskRequest, PieceOutcome, PieceSource } from '@cdk8s-dragonfly/protocol';
import { assembleBlocks } from '@cdk8s-dragonfly/store';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

import { Bell } from '../download/bell';
import type { Intake } from '../download/intake';
import type { DownloadTools } from '../download/tools';
import { LinkFailure } from '../links/failure';
import { DamagedPiece, fetchPiece } from './fetch-piece';
import type { FetchedPiece } from './fetch-piece';
import type { OriginalPlace } from './original-supernode';

/** After an answer that brings nothing, the same is asked again after so many milliseconds: the first time, and then as original clients do. */
const FIRST_WAIT = 200;
const WAIT_AT_LEAST = 600;
const WAIT_AT_MOST = 2000;

/** A failed piece is reported after this time, in milliseconds, as original clients do: a supernode that gives it again at once is not asked in a loop. */
const FAILED_AFTER = 20;

/** When so many pieces in a row did not come, the supernode is of no use. Go supernodes name a dead client six times and more. */
const MAX_FAILURES = 24;

/** A client that could not be reached is not tried for this long, in milliseconds, however often it is named. */
const AVOID_FOR = 10_000;

/** A piece that is here is reported so often: a supernode that does not take that in must not make us report it for ever. */
const MAX_REPORTS = 3;

/** The code of 602 answers; clients hang on others that say nothing. */
const WAIT = 602;

/** The clients whose names begin so are the supernode itself. */
const SUPERNODE_PREFIX = 'cdnnode:';

/** One download's dealings with one original supernode: asks for pieces, fetches and reports them (Dragonfly 0.x protocol, 4.3 and 4.4). */
export class OriginalPull {
  /** The MD5 of the whole in lower case, as the supernode told at the end; undefined: not at all. */
  md5: string | undefined;
  /** Whom each piece came from. */
  readonly from = new Map<number, string>();
  private readonly running = new Map<number, AbortController>();
  private readonly reports: PieceOutcome[] = [];
  private readonly reported = new Map<number, number>();
  private readonly avoided = new Map<string, number>();
  private readonly bell = new Bell();
  private supernodeCid: string | undefined;
  private failures = 0;
  /** What went wrong at this node. */
  private fault: Error | undefined;

  constructor(
    private readonly place: OriginalPlace,
    private readonly intake: Intake,
    private readonly tools: DownloadTools,
  ) {}

  /**
   * Fetches all that is missing.
   *
   * @returns why the supernode is of no use any more; undefined when all is here.
   * @throws Unstorable; an error of the disk; the signal's reason when it aborts.
   */
  async run(signal: AbortSignal): Promise<string | undefined> {
    try {
      return this.unfit() ?? (await this.converse(signal));
    } finally {
      for (const abort of this.running.values()) abort.abort(new Error('the supernode is not asked any more'));
    }
  }

  private async converse(signal: AbortSignal): Promise<string | undefined> {
    const { cid: srcCid, registration, supernode } = this.place;
    const { taskId, length, pieceSize } = registration;
    // Of an unknown length nothing is certain before the first piece: an original supernode tells so of a file that does not exist.
    if (length !== undefined) await this.intake.begin(pieceSize, length);
    let question: PeerTaskRequest = { kind: 'start', srcCid, taskId, outcome: undefined };
    for (let waits = 0; ;) {
      const answer: PeerTaskAnswer = await supernode.ask(question, signal);
      this.throwFault();
      switch (answer.kind) {
        case 'finish':
          return this.finish(answer);
        case 'failed':
        case 'unusable': {
          const other = this.withoutPeer(question);
          if (other === undefined)
            return answer.kind === 'failed' ? `code ${answer.code}: ${answer.msg}` : answer.fault;
          question = other;
          continue;
        }
        case 'continue': {
          if (answer.sources.some((source) => source.pieceSize !== pieceSize)) return 'it names pieces of another size';
          waits = this.begin(answer.sources, signal) ? 0 : waits + 1;
          break;
        }
        case 'wait':
          if (answer.code !== WAIT && this.running.size === 0) return `code ${answer.code}, with which nothing comes`;
          waits += 1;
      }
      const outcome = await this.nextReport(waits, signal);
      this.throwFault();
      if (this.failures >= MAX_FAILURES) return `${this.failures} pieces in a row did not come`;
      if (outcome !== undefined) question = { kind: 'report', srcCid, taskId, outcome };
    }
  }

  private throwFault(): void {
    if (this.fault !== undefined) throw this.fault;
  }

  /** Why its pieces cannot be put together with what is here. */
  private unfit(): string | undefined {
    const stored = this.intake.stored();
    const { length, pieceSize } = this.place.registration;
    if (stored === undefined) return undefined;
    if (stored.edition !== undefined && stored.held.count > 0)
      return 'it does not say which version of the file it has, and some of one is here';
    if (stored.grid.pieceSize !== pieceSize)
      return `it cuts the file into pieces of ${pieceSize} bytes, others did not`;
    const isOther = length !== undefined && stored.size !== undefined && stored.size !== length;
    return isOther ? `it has a file of ${length} bytes instead of ${stored.size}` : undefined;
  }

  /** Takes up pieces that it is told to fetch; answers whether there is anything to do about them. */
  private begin(sources: readonly PieceSource[], signal: AbortSignal): boolean {
    let isNew = false;
    for (const source of sources) {
      const { pieceNum, cid } = source;
      if (cid.startsWith(SUPERNODE_PREFIX)) this.supernodeCid = cid;
      if (this.running.has(pieceNum)) continue;
      if (this.holds(pieceNum)) {
        const times = (this.reported.get(pieceNum) ?? 0) + 1;
        if (times > MAX_REPORTS) continue;
        this.reported.set(pieceNum, times);
        this.report(source, true);
      } else {
        const abort = new AbortController();
        this.running.set(pieceNum, abort);
        void this.fetch(source, AbortSignal.any([signal, abort.signal]));
      }
      isNew = true;
    }
    return isNew;
  }

  /** Never rejects: what is no fault of the source is the pull's. */
  private async fetch(source: PieceSource, signal: AbortSignal): Promise<void> {
    const { pieceNum, peerIp, peerPort } = source;
    try {
      const until = this.avoided.get(`${peerIp}:${peerPort}`);
      if (until !== undefined && performance.now() < until)
        throw new LinkFailure('missing', 'it could not be reached just now');
      const stored = await this.intake.begin(source.pieceSize, this.place.registration.length);
      await this.tools.limit?.pass(rawLength(stored, pieceNum) ?? stored.grid.pieceLength, signal);
      const done = await this.tools.pieceMemory.take(source.pieceSize, signal);
      try {
        await this.keep(
          stored,
          source,
          await fetchPiece(source, rawLength(stored, pieceNum), this.tools.pieces, signal),
        );
      } finally {
        done();
      }
      this.failures = 0;
      this.running.delete(pieceNum);
      this.report(source, true);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof LinkFailure) await this.failed(source, error);
      else {
        this.fault = error instanceof Error ? error : new Error(String(error));
        this.bell.ring();
      }
    }
  }

  private async keep(stored: StoredBlob, source: PieceSource, piece: FetchedPiece): Promise<void> {
    const { pieceNum, cid } = source;
    const { grid } = stored;
    const start = pieceNum * grid.pieceLength;
    // Only the last piece is shorter, and its last block is read by its true length.
    if (piece.length < grid.pieceLength) await stored.setSize(start + piece.length);
    const from = cid.startsWith(SUPERNODE_PREFIX) ? 'supernode' : 'peer';
    if (piece.length > 0) {
      for await (const { index, chunks, length, hash } of assembleBlocks(
        grid,
        grid.blockAt(start),
        each(piece.chunks),
        this.tools.store.buffers,
      )) {
        if (await stored.write(index, chunks, { hash })) this.intake.took(from, length);
      }
    }
    this.intake.changed();
    this.from.set(pieceNum, cid);
    if (piece.isChecked) this.tools.shares.share(stored, this.place, pieceNum, cid);
  }

  private async failed(source: PieceSource, error: LinkFailure): Promise<void> {
    const { supernode, cid: srcCid, registration } = this.place;
    const { pieceNum, pieceSize, cid: dstCid, peerIp, peerPort } = source;
    const { blob } = this.intake.request;
    this.tools.log.debug({ blob, source: dstCid, kind: error.kind, reason: error.message }, 'a piece did not come');
    this.failures += 1;
    const about = { taskId: registration.taskId, srcCid, dstCid };
    if (error instanceof DamagedPiece) {
      const { realMd5, expectedMd5 } = error;
      const piece = { pieceNum, pieceSize };
      supernode.pieceFailed({ ...about, errorType: 'FILE_MD5_NOT_MATCH', dstIp: peerIp, piece, realMd5, expectedMd5 });
    } else if (error.kind === 'missing' && dstCid.startsWith(SUPERNODE_PREFIX)) {
      const unsaid = { dstIp: undefined, piece: undefined, realMd5: undefined, expectedMd5: undefined };
      supernode.pieceFailed({ ...about, ...unsaid, errorType: 'FILE_NOT_EXIST' });
    } else if (error.kind === 'gone' && !dstCid.startsWith(SUPERNODE_PREFIX)) {
      this.avoided.set(`${peerIp}:${peerPort}`, performance.now() + AVOID_FOR);
    }
    await delay(FAILED_AFTER);
    this.running.delete(pieceNum);
    this.report(source, false);
  }

  private report({ pieceNum, pieceSize, cid: dstCid }: PieceSource, arrived: boolean): void {
    this.reports.push({ pieceNum, pieceSize, dstCid, arrived });
    this.bell.ring();
  }

  /** What to report next; undefined: nothing, and the same is to be asked again. */
  private async nextReport(waits: number, signal: AbortSignal): Promise<PieceOutcome | undefined> {
    const patience = new AbortController();
    const until = AbortSignal.any([signal, patience.signal]);
    const wait = waits === 1 ? FIRST_WAIT : randomInt(WAIT_AT_LEAST, WAIT_AT_MOST);
    const timer = waits === 0 && this.running.size > 0 ? undefined : setTimeout(() => patience.abort(), wait);
    try {
      while (this.reports.length === 0 && this.fault === undefined) await this.bell.next(until);
    } catch {
      signal.throwIfAborted();
    } finally {
      clearTimeout(timer);
    }
    return this.reports.shift();
  }

  /** A Go supernode answers a report that names a client that has left with an error: then the piece is said to be from itself. */
  private withoutPeer(question: PeerTaskRequest): PeerTaskRequest | undefined {
    const { supernodeCid } = this;
    if (question.kind !== 'report' || supernodeCid === undefined) return undefined;
    if (question.outcome.dstCid?.startsWith(SUPERNODE_PREFIX) !== false) return undefined;
    return { ...question, outcome: { ...question.outcome, dstCid: supernodeCid } };
  }

  private async finish({
    md5,
    framedLength,
  }: Extract<PeerTaskAnswer, { kind: 'finish' }>): Promise<string | undefined> {
    const { registration } = this.place;
    const raw = framedLength === undefined ? registration.length : rawLengthOf(framedLength, registration.pieceSize);
    const stored = this.intake.stored() ?? (await this.intake.begin(registration.pieceSize, raw));
    if (raw !== undefined) await stored.setSize(raw);
    if (raw !== stored.size || !stored.whole) return 'it says that all is here, but something is missing';
    this.md5 = md5;
    this.intake.changed();
    return undefined;
  }

  private holds(piece: number): boolean {
    const stored = this.intake.stored();
    if (stored === undefined) return false;
    const { first, end } = stored.grid.blocksOfPiece(piece, stored.size ?? Number.MAX_SAFE_INTEGER);
    for (let block = first; block < end; block += 1) if (!stored.held.has(block)) return false;
    return true;
  }
}

/** How many bytes of content a piece has; undefined when that is not known. */
function rawLength({ grid, size }: StoredBlob, piece: number): number | undefined {
  if (size === undefined) return undefined;
  return Math.max(0, Math.min(grid.pieceLength, size - piece * grid.pieceLength));
}

async function* each(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
  await Promise.resolve();
}
