import { randomInt } from 'node:crypto';

import { OriginError } from '@cdk8s-dragonfly/origin';
import { hexOf, isDigest, pieceSizeOf } from '@cdk8s-dragonfly/protocol';
import type { BlobId, SessionEvent, Share, TaskFailure } from '@cdk8s-dragonfly/protocol';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

import { LinkFailure } from '../links/failure';
import { fetchBlock } from '../links/fetch-block';
import type { SessionListener, SupernodeLink } from '../links/supernode-link';
import { BlobUnavailable } from '../node/blob-request';
import type { BlobRequest } from '../node/blob-request';
import { noTraffic } from '../node/traffic';
import type { TrafficSource } from '../node/traffic';
import { pick } from '../picker/picker';
import type { Flight } from '../picker/picker';
import { Bell } from './bell';
import { fetchGap } from './from-origin';
import { SUPERNODE, Sources } from './sources';
import type { DownloadTools } from './tools';
import { hashWhole } from './verify';

/** Blocks under way at a time, in one download. */
const MAX_FLIGHTS = 16;

/** How long the swarm may bring nothing before blocks outside the share are asked of the supernode, in milliseconds. */
const PATIENCE = 1000;

/** How often a running download looks whether something has stalled, in milliseconds. */
const TICK = 100;

/** A block is late when it takes so many times as long as blocks usually do, and at least {@link LATE}. */
const LATE_FACTOR = 4;
const LATE = 1000;

interface ActiveFlight extends Flight {
  readonly abort: AbortController;
}

/**
 * One blob on its way to this node, however many read it: joins the swarm, keeps blocks under way, falls back to the origin, and
 * checks the digest of the whole.
 */
export class Download {
  /** Rings at every change that a reader could wait for. */
  readonly bell = new Bell();
  readonly traffic = noTraffic();
  private blobOnDisk: StoredBlob | undefined;
  private problem: BlobUnavailable | undefined;
  private isVerified = false;
  private isSettled = false;
  private closed = false;
  private readonly sources: Sources;
  private readonly flights = new Map<number, ActiveFlight>();
  private nextFlight = 0;
  private share: Share | undefined;
  private expectedSha256: string | undefined;
  private link: SupernodeLink | undefined;
  private readonly cursors = new Map<object, number>();
  private swarmProgress = performance.now();
  private progress = performance.now();
  private blockMs = 0;
  private pumping = false;
  private fromOrigin: Promise<void> | undefined;
  private events: Promise<void> = Promise.resolve();
  private stopping = new AbortController();
  private work: Promise<void>;

  constructor(
    readonly request: BlobRequest,
    private readonly tools: DownloadTools,
  ) {
    this.sources = new Sources(request.blob, tools, () => this.pump());
    this.work = this.run(true);
  }

  get blob(): BlobId {
    return this.request.blob;
  }

  /** The blob on disk; undefined until its grid is known. */
  get stored(): StoredBlob | undefined {
    return this.blobOnDisk;
  }

  /** Whether it is whole and its digest is right. */
  get verified(): boolean {
    return this.isVerified;
  }

  /** Why it cannot be had. */
  get failure(): BlobUnavailable | undefined {
    return this.problem;
  }

  /** Whether the size is as known as it will be before the end: the origin has answered, or the blob is here. */
  get settled(): boolean {
    return this.isSettled || this.isVerified;
  }

  get finished(): boolean {
    return this.isVerified || this.problem !== undefined;
  }

  /** Resolves when it has ended, well or not, and nothing of it runs any more. */
  async ended(): Promise<void> {
    await this.work;
  }

  /** Tells where a reader is, so that what it needs comes first. */
  moveCursor(reader: object, block: number): void {
    this.cursors.set(reader, block);
    this.pump();
  }

  removeCursor(reader: object): void {
    this.cursors.delete(reader);
  }

  /** A block on disk turned out to be damaged: it is fetched anew. */
  repair(): void {
    if (!this.isVerified) {
      this.pump();
      return;
    }
    this.tools.log.warn({ blob: this.blob }, 'a block on disk was damaged and is fetched anew');
    this.isVerified = false;
    this.stopping = new AbortController();
    this.work = this.run(false);
  }

  /** Gives up; readers get a failure. */
  stop(): void {
    this.fail(new BlobUnavailable('origin-unreachable', 'the daemon is stopping'));
  }

  /** Lets go of the files, once it has ended and nobody reads. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.blobOnDisk?.release();
  }

  /** Never rejects: what goes wrong is the download's failure. */
  private async run(anew: boolean): Promise<void> {
    const { store, log } = this.tools;
    const began = performance.now();
    const ticking = setInterval(() => this.tick(), TICK);
    try {
      if (anew) await this.open();
      if (!this.isVerified) {
        await this.joinSwarm();
        const stored = await this.whenStored();
        await this.check(stored, await hashWhole(stored, this.bell, this.stopping.signal));
        await stored.finish();
        this.isVerified = true;
        const ms = Math.round(performance.now() - began);
        log.info({ blob: this.blob, size: stored.size, ms, bytes: this.traffic }, 'downloaded');
      }
    } catch (error) {
      this.fail(this.unavailable(error));
      this.logFailure(error);
      if (this.problem?.reason === 'digest-mismatch') await store.remove(this.blob);
    } finally {
      clearInterval(ticking);
      this.stopping.abort(new Error('the download has ended'));
      this.leaveSwarm();
      this.bell.ring();
      await this.fromOrigin;
    }
  }

  /** Takes up what is on disk. */
  private async open(): Promise<void> {
    const { store } = this.tools;
    const left = await store.find(this.blob);
    if (left === undefined) return;
    if (!isDigest(this.blob)) {
      // Other content may stand at that URL by now.
      await left.release();
      await store.remove(this.blob);
      return;
    }
    this.adopt(left);
    this.isVerified = left.finished;
  }

  private async joinSwarm(): Promise<void> {
    const { supernodes, log } = this.tools;
    for (const link of supernodes) {
      try {
        const joined = await link.join(this.request, this.listener(link));
        this.link = link;
        this.sources.supernodeJoined(joined);
        this.pump();
        return;
      } catch (error) {
        log.warn({ supernode: link.name, err: error }, 'a supernode could not be joined');
      }
    }
    this.goToOrigin(supernodes.length === 0 ? 'no supernode is configured' : 'no supernode could be joined');
  }

  private readonly swarmListener: SessionListener = {
    event: (event) => {
      this.events = this.events
        .then(() => this.hear(event))
        .catch((error: unknown) => this.fail(this.unavailable(error)));
    },
    lost: (reason) => {
      this.sources.supernodeLost();
      this.tools.log.debug({ blob: this.blob, reason: reason.message }, 'without the supernode');
      this.tick();
    },
  };

  private listener(link: SupernodeLink): SessionListener {
    this.link = link;
    return this.swarmListener;
  }

  private leaveSwarm(): void {
    this.link?.leave(this.blob, this.swarmListener);
    for (const { abort } of this.flights.values()) abort.abort(new Error('the download has ended'));
    this.sources.close();
  }

  private async hear(event: Exclude<SessionEvent, { type: 'ping' }>): Promise<void> {
    if (this.finished) return;
    this.sources.supernodeHeard();
    switch (event.type) {
      case 'task':
        await this.hearTask(event);
        break;
      case 'have':
      case 'added':
        for (const block of event.blocks) this.sources.supernodeHas.add(block);
        break;
      case 'neighbours':
        this.sources.setNeighbours(event.peers);
        break;
      case 'share':
        this.share = event.share;
        break;
    }
    this.pump();
  }

  private async hearTask(event: Extract<SessionEvent, { type: 'task' }>): Promise<void> {
    if (event.state === 'failed' && event.failure !== undefined) {
      this.supernodeFailed(event.failure);
      return;
    }
    if (event.pieceSize !== undefined && event.state !== 'waiting') await this.create(event.pieceSize, event.size);
    if (event.state === 'complete') this.expectedSha256 = event.sha256;
    this.bell.ring();
  }

  /** The supernode cannot have it. What it says of the origin is passed on before the first byte; after it, we try ourselves. */
  private supernodeFailed({ status, message }: TaskFailure): void {
    const nothingYet = (this.blobOnDisk?.held.count ?? 0) === 0;
    if (status !== undefined && nothingYet) this.fail(new BlobUnavailable('origin-status', message, status));
    else this.goToOrigin(`the supernode failed: ${message}`);
  }

  private async create(pieceSize: number, size: number | undefined): Promise<StoredBlob> {
    if (this.blobOnDisk === undefined) this.adopt(await this.tools.store.create(this.blob, pieceSize, size));
    const stored = this.blobOnDisk;
    if (stored === undefined) throw new Error(`${this.blob} was not made`);
    if (stored.grid.pieceSize !== pieceSize) throw new Error(`${this.blob} has another piece size at the supernode`);
    if (size !== undefined) await stored.setSize(size);
    this.isSettled = true;
    this.bell.ring();
    return stored;
  }

  private adopt(stored: StoredBlob): void {
    this.blobOnDisk = stored;
    stored.watch(() => this.bell.ring());
    this.bell.ring();
  }

  private async whenStored(): Promise<StoredBlob> {
    while (this.blobOnDisk === undefined) {
      await this.bell.next(this.stopping.signal);
      if (this.problem !== undefined) throw this.problem;
    }
    return this.blobOnDisk;
  }

  private async check(stored: StoredBlob, sha256: string): Promise<void> {
    const expected = isDigest(this.blob) ? hexOf(this.blob) : this.expectedSha256;
    if (expected === undefined || sha256 === expected) return;
    const message = `the ${stored.size ?? 0} bytes of ${this.blob} have the SHA-256 ${sha256}; they were thrown away`;
    await Promise.reject(new BlobUnavailable('digest-mismatch', message));
  }

  /** Asks sources for blocks as far as there is room; at most once a turn of the event loop. */
  private pump(): void {
    if (this.pumping || this.finished) return;
    this.pumping = true;
    setImmediate(() => {
      this.pumping = false;
      if (!this.finished) this.pickAndAsk();
    });
  }

  private pickAndAsk(): void {
    const stored = this.blobOnDisk;
    const { key } = this.sources;
    if (stored === undefined || key === undefined || stored.whole) return;
    const now = performance.now();
    const flights = [...this.flights.values()];
    const picks = pick({
      now,
      seed: randomInt(2 ** 32),
      held: stored.held,
      flights,
      sources: this.sources.toPick(flights, now),
      cursor: this.cursor(stored),
      share: this.share,
      swarmProgress: this.swarmProgress,
      limits: { flights: MAX_FLIGHTS, patience: PATIENCE, hedgeAfter: Math.max(LATE, LATE_FACTOR * this.blockMs) },
    });
    for (const { block, source } of picks) {
      this.ask(stored, block, source, key).catch((error: unknown) => this.fail(this.unavailable(error)));
    }
  }

  /** Where the reader that is least far on is; it must not starve. */
  private cursor(stored: StoredBlob): number {
    const least = Math.min(...this.cursors.values());
    return stored.held.firstMissing(Number.isFinite(least) ? least : 0);
  }

  private async ask(
    stored: StoredBlob,
    index: number,
    source: string,
    key: NonNullable<Sources['key']>,
  ): Promise<void> {
    const origin = this.sources.originOf(source);
    if (origin === undefined) return;
    const since = performance.now();
    const id = this.nextFlight++;
    const abort = new AbortController();
    this.flights.set(id, { block: index, source, since, abort });
    try {
      const question = { blob: this.blob, grid: stored.grid, size: stored.size, index, key };
      const { chunks, length, proof } = await fetchBlock(origin, question, this.tools.blocks, abort.signal);
      this.sources.succeeded(source);
      if (await stored.write(index, chunks, proof)) this.took(source === SUPERNODE ? 'supernode' : 'peer', length);
      this.blockArrived(index, source, since);
    } catch (error) {
      if (abort.signal.aborted) return;
      if (!(error instanceof LinkFailure)) throw error;
      this.tools.log.debug(
        { blob: this.blob, source, kind: error.kind, reason: error.message },
        'a block did not come',
      );
      this.sources.failed(source, error, index);
    } finally {
      this.flights.delete(id);
      this.pump();
    }
  }

  private blockArrived(index: number, source: string, since: number): void {
    const now = performance.now();
    this.blockMs = this.blockMs === 0 ? now - since : 0.8 * this.blockMs + 0.2 * (now - since);
    const { share } = this;
    const ours = share !== undefined && share !== null && index % share.count === share.index;
    if (source !== SUPERNODE || ours) this.swarmProgress = now;
    for (const flight of this.flights.values()) {
      if (flight.block === index && flight.since !== since) flight.abort.abort(new Error('another source was faster'));
    }
  }

  private took(source: TrafficSource, bytes: number): void {
    this.traffic[source] += bytes;
    this.tools.traffic[source] += bytes;
    this.progress = performance.now();
  }

  /** Looks for stalls: the picker's patience and hedges need time to pass, and the swarm may have nothing left to give. */
  private tick(): void {
    if (this.finished || this.fromOrigin !== undefined) return;
    const quiet = performance.now() - this.progress;
    if (quiet > this.tools.timeouts.swarmStall) {
      this.goToOrigin(`the swarm brought nothing for ${Math.round(quiet)} ms`);
    } else if (this.sources.supernodeIsLost && this.flights.size === 0 && this.hasOrphan()) {
      this.goToOrigin('the supernode is lost, and no neighbour has what is missing');
    }
    this.pump();
  }

  /** Whether something is missing that no live neighbour has. */
  private hasOrphan(): boolean {
    const stored = this.blobOnDisk;
    return stored?.size === undefined || this.orphan(stored) !== undefined;
  }

  private orphan(stored: StoredBlob): number | undefined {
    const end = stored.size === undefined ? Infinity : stored.grid.blockCount(stored.size);
    for (let block = stored.held.firstMissing(); block < end; block = stored.held.firstMissing(block + 1)) {
      if (!this.sources.offered(block)) return block;
    }
    return undefined;
  }

  private goToOrigin(reason: string): void {
    if (this.fromOrigin !== undefined || this.finished) return;
    this.tools.log.warn({ blob: this.blob, reason }, 'asking the origin');
    this.fromOrigin = this.fetchFromOrigin()
      .catch((error: unknown) => this.fail(this.unavailable(error)))
      .finally(() => {
        this.fromOrigin = undefined;
      });
  }

  /** Fills what no live neighbour has. */
  private async fetchFromOrigin(): Promise<void> {
    const { signal } = this.stopping;
    while (!this.finished && this.blobOnDisk?.whole !== true) {
      const stored = this.blobOnDisk;
      const first = stored === undefined ? 0 : this.orphan(stored);
      if (first === undefined) return;
      const gap = {
        request: this.request,
        first,
        stored,
        begin: (size: number | undefined) => this.create(stored?.grid.pieceSize ?? pieceSizeOf(size), size),
        wrote: (bytes: number) => this.took('origin', bytes),
      };
      await fetchGap(gap, this.tools.origin, signal);
      this.bell.ring();
    }
  }

  private fail(problem: BlobUnavailable): void {
    if (this.finished) return;
    this.problem = problem;
    this.stopping.abort(problem);
    this.bell.ring();
  }

  /** The fronts tell their clients what an origin refused; a fault of this node is told with its cause. */
  private logFailure(error: unknown): void {
    const { blob, problem, tools } = this;
    const fields = { blob, reason: problem?.reason, why: problem?.message };
    if (problem?.reason === 'unstorable') tools.log.warn({ ...fields, err: error }, 'not downloaded');
    else tools.log.debug(fields, 'not downloaded');
  }

  private unavailable(error: unknown): BlobUnavailable {
    if (this.problem !== undefined) return this.problem;
    if (error instanceof BlobUnavailable) return error;
    const message = error instanceof Error ? error.message : String(error);
    const options = { cause: error };
    if (!(error instanceof OriginError)) return new BlobUnavailable('unstorable', message, undefined, options);
    if (error.kind === 'status') return new BlobUnavailable('origin-status', message, error.status, options);
    return new BlobUnavailable(
      error.kind === 'forbidden' ? 'origin-forbidden' : 'origin-unreachable',
      message,
      undefined,
      options,
    );
  }
}
