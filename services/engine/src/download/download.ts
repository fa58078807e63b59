import { isDigest } from '@cdk8s-dragonfly/protocol';
import type { BlobId } from '@cdk8s-dragonfly/protocol';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

import { OriginalIntake } from '../classic/original-intake';
import { BlobUnavailable } from '../node/blob-request';
import type { BlobRequest } from '../node/blob-request';
import { noTraffic } from '../node/traffic';
import type { TrafficSource } from '../node/traffic';
import { Bell } from './bell';
import { Doubts } from './doubts';
import { Fallback } from './fallback';
import type { Intake } from './intake';
import { OnDisk } from './on-disk';
import { orAborted } from './or-aborted';
import { OriginIntake } from './origin-intake';
import type { SwarmView } from './origin-intake';
import { passThrough } from './pass-through';
import type { ReadRange } from './reader';
import { Readers } from './readers';
import { SwarmIntake } from './swarm-intake';
import type { DownloadTools } from './tools';
import { unavailable } from './unavailable';
import { Whole } from './whole';
import type { WholeView } from './whole';

/**
 * One blob on its way to this node, however many read it. It decides where bytes come from (the swarm, and the origin when
 * the swarm cannot go on) and checks the digest of the whole.
 */
export class Download {
  /** Rings at every change that a reader could wait for. */
  readonly bell = new Bell();
  /** Bytes by where they came from. */
  readonly traffic = noTraffic();
  private problem: BlobUnavailable | undefined;
  private isVerified = false;
  private readonly disk: OnDisk;
  private readonly whole: Whole;
  private readonly doubts = new Doubts();
  private readonly intake: Intake;
  private readonly readers: Readers;
  private swarm: SwarmIntake;
  private origin: OriginIntake;
  private original: OriginalIntake;
  private fallback: Fallback;
  private stopping = new AbortController();
  private work: Promise<void>;

  /** @param before the end of another download of the same blob: it may still put away what it had on disk. */
  constructor(
    private current: BlobRequest,
    private readonly tools: DownloadTools,
    before: Promise<void> = Promise.resolve(),
  ) {
    this.disk = new OnDisk(current.blob, tools, this.bell);
    this.whole = new Whole(current.blob, this.wholeView(), this.bell, this.doubts, tools.timeouts.swarmStall);
    this.intake = this.intakeOf();
    this.readers = new Readers(this.intake, tools, {
      mayLeave: (stored, block) => this.mayLeave(stored, block),
      offersAttested: (block) => this.swarm.offersAttested(block),
      lied: (source) => this.swarm.lied(source),
      count: (bytes) => this.count('origin', bytes),
    });
    [this.swarm, this.origin, this.original, this.fallback] = this.intakes();
    this.work = before.then(() => this.run());
  }

  /** The request of the client that came last: its credentials are the freshest. */
  get request(): BlobRequest {
    return this.current;
  }

  get blob(): BlobId {
    return this.current.blob;
  }

  /** Another client wants the same blob. Who brings no credentials takes none away. */
  renew(request: BlobRequest): void {
    if (hasCredentials(request) || !hasCredentials(this.current)) this.current = request;
  }

  /** The blob on disk; undefined until its grid is known. */
  get stored(): StoredBlob | undefined {
    return this.disk.stored;
  }

  /** Length in bytes; undefined while nobody has told it, and when it was told differently. */
  get size(): number | undefined {
    return this.disk.size;
  }

  /** Whether it is whole and its digest is right. */
  get verified(): boolean {
    return this.isVerified;
  }

  /** Why it cannot be had. */
  get failure(): BlobUnavailable | undefined {
    return this.problem;
  }

  /** Whether this node cannot store it and its readers get it all the same. */
  get goesPastDisk(): boolean {
    return this.problem?.reason === 'unstorable' && this.tools.policy.pastDisk;
  }

  /** How many bytes an earlier process had left on disk. */
  get resumed(): number {
    return this.disk.resumed;
  }

  /** Whether the size is as known as it will be before the end: the origin has answered, or the blob is here. */
  get settled(): boolean {
    return this.disk.isSettled || this.isVerified;
  }

  get finished(): boolean {
    return this.isVerified || this.problem !== undefined;
  }

  /** Whether each of its blocks is here, or at a supernode or neighbour that answers. */
  get isWithinReach(): boolean {
    if (this.isVerified) return true;
    const { stored, size } = this;
    if (stored === undefined || size === undefined) return false;
    for (let block = 0; block < stored.grid.blockCount(size); block += 1) {
      if (!stored.held.has(block) && !this.swarm.has(block)) return false;
    }
    return true;
  }

  /** Resolves when it has ended, well or not, and nothing of it runs any more. */
  async ended(): Promise<void> {
    await this.work;
  }

  /** Tells where a reader is, so that what it needs comes first. @param at its next byte. */
  moveCursor(reader: object, block: number, at: number): void {
    if (!this.finished && this.readers.move(reader, block, at)) this.swarm.cursorMoved();
  }

  /** Bytes from byte `at` on for a reader, when they came past the blocks. */
  takeSip(reader: object, at: number): Buffer | undefined {
    return this.finished ? undefined : this.readers.takeSip(reader, at);
  }

  /** Whether a block that is held may leave this node: only the digest of the whole tells of some whether they are right. */
  mayLeave(stored: StoredBlob, block: number): boolean {
    return this.isVerified || !this.doubts.isDoubtful(stored, block);
  }

  removeCursor(reader: object): void {
    this.readers.remove(reader);
    // Another reader is the one that blocks are chosen for now.
    if (!this.finished) this.swarm.cursorMoved();
  }

  /** A part of the blob straight from the origin: what is left when this node cannot store it. */
  passThrough(range: ReadRange, signal: AbortSignal): AsyncGenerator<Buffer> {
    const { blob, request, stored } = this;
    const sha256 = this.whole.expected;
    this.tools.log.warn({ blob, from: range.from }, 'past the disk, straight from the origin');
    const took = (bytes: number): void => this.count('origin', bytes);
    const mayLeave = (one: StoredBlob, block: number): boolean => this.mayLeave(one, block);
    return passThrough({ request, stored, sha256, mayLeave, took }, this.tools.origin, range, signal);
  }

  /** A block on disk turned out to be damaged: it is fetched anew. */
  repair(): void {
    if (!this.isVerified) {
      this.swarm.pump();
      return;
    }
    this.tools.log.warn({ blob: this.blob }, 'a block on disk was damaged and is fetched anew');
    this.isVerified = false;
    this.doubts.reopen();
    this.stopping = new AbortController();
    [this.swarm, this.origin, this.original, this.fallback] = this.intakes();
    // The end of the last run may still look for stalls, and sees no other time than this.
    this.fallback.begin();
    this.work = this.work.then(() => this.run());
  }

  /** Gives up; readers get a failure. */
  stop(): void {
    this.fail(new BlobUnavailable('origin-unreachable', 'the daemon is stopping'));
  }

  /** Lets go of the files, once it has ended and nobody reads. */
  async close(): Promise<void> {
    await this.disk.close(this.ended());
  }

  private wholeView(): WholeView {
    return {
      request: () => this.current,
      told: () => this.swarm.sha256,
      mayBeTold: () => !this.original.isUsed && !this.swarm.isLost,
      isUnvouched: () => this.disk.isUnvouched,
      refetch: (reason) => this.origin.start(reason, this.stopping.signal),
      lastWord: () => this.original.lastWord(),
    };
  }

  private intakeOf(): Intake {
    const latest = (): BlobRequest => this.current;
    return {
      get request() {
        return latest();
      },
      stored: () => this.stored,
      begin: (pieceSize, size, edition) => this.disk.begin(pieceSize, size, edition),
      cursor: (stored) => stored.held.firstMissing(Math.min(...this.readers.blocks, stored.held.last + 1)),
      doubts: this.doubts,
      took: (source, bytes) => {
        this.count(source, bytes);
        this.fallback.progressed();
      },
      finished: () => this.finished,
      fail: (error) => this.fail(error),
      changed: () => this.bell.ring(),
    };
  }

  private intakes(): [SwarmIntake, OriginIntake, OriginalIntake, Fallback] {
    const { intake } = this;
    const swarm: SwarmIntake = new SwarmIntake(
      intake,
      this.tools,
      (failure) => this.fallback.supernodeFailed(failure),
      (place) => original.start(place),
    );
    const original = new OriginalIntake(intake, this.tools, {
      rejoin: (passOver) => swarm.join(passOver),
      gaveUp: (reason) => this.origin.start(reason, this.stopping.signal),
    });
    const view: SwarmView = {
      offers: (block) => swarm.offers(block),
      get isShared() {
        return swarm.takesUnattested && swarm.neighbours.length > 0;
      },
      get neighbours() {
        return swarm.neighbours;
      },
      get isAlone() {
        return swarm.isAlone;
      },
      lied: (source) => swarm.lied(source),
    };
    const origin = new OriginIntake(intake, this.tools, view);
    return [swarm, origin, original, new Fallback(intake, this.tools, swarm, origin, this.stopping.signal)];
  }

  /** Never rejects: what goes wrong is the download's failure. */
  private async run(): Promise<void> {
    const { log, supernodes } = this.tools;
    const began = performance.now();
    this.fallback.begin();
    const endTicks = this.tools.clock.every(() => this.tick());
    const { swarm, origin, original, stopping } = this;
    // At once: it may be waiting for its turn at a supernode.
    stopping.signal.addEventListener('abort', () => swarm.leave(), { once: true });
    try {
      stopping.signal.throwIfAborted();
      if (this.stored === undefined) this.isVerified = await this.disk.takeUp(this.current);
      if (this.isVerified) return;
      // A supernode that is slow to answer keeps nothing open that has ended.
      if (!(await orAborted(swarm.join(), stopping.signal)) && !this.finished) {
        await this.disk.goUnvouched();
        // What has no digest would be mixed of what the origin has now and what the supernode has.
        if (supernodes.any && isDigest(this.blob)) swarm.keepSeeking();
        this.fallback.goAlone(supernodes.any ? 'no supernode answers' : 'no supernode is configured');
      }
      const stored = await this.disk.whenStored(stopping.signal);
      await this.whole.check(stored, stopping.signal);
      await this.readers.check(stored);
      // Readers get the last block now; that it is on disk for good matters to the next process only.
      this.isVerified = true;
      this.bell.ring();
      await this.disk.keep(stored);
      original.shareWhole();
      if (isDigest(this.blob)) this.tools.holds(this.blob);
      const ms = Math.round(performance.now() - began);
      log.info({ blob: this.blob, size: stored.size, ms, bytes: this.traffic }, 'downloaded');
    } catch (error) {
      this.fail(error);
      this.logFailure(error);
      const reason = this.problem?.reason;
      if (reason === 'digest-mismatch') original.distrust();
      // Blocks of a blob that is named by its digest are right, whatever its origin gives now.
      const isOther = reason === 'digest-mismatch' || (reason === 'changed' && !isDigest(this.blob));
      if (isOther) await this.disk.throwAway();
    } finally {
      endTicks();
      stopping.abort(new Error('the download has ended'));
      swarm.leave();
      original.stop();
      this.bell.ring();
      await Promise.all([origin.ended(), original.ended(), this.readers.ended()]);
    }
  }

  private count(source: TrafficSource, bytes: number): void {
    this.traffic[source] += bytes;
    this.tools.traffic[source] += bytes;
  }

  /** Looks for stalls: patience and hedges need time to pass. */
  private tick(): void {
    if (this.finished) return;
    if (this.disk.isUnvouched) this.bell.ring();
    this.fallback.look();
    const { stored, swarm, readers, stopping } = this;
    if (stored !== undefined) readers.keepGoing(stored, swarm.takesUnattested || swarm.isSparing, stopping.signal);
    swarm.tick();
  }

  private fail(error: unknown): void {
    if (this.finished) return;
    this.problem = unavailable(error);
    this.stopping.abort(this.problem);
    this.bell.ring();
  }

  /** The fronts tell their clients what an origin refused; a fault of this node is told with its cause. */
  private logFailure(error: unknown): void {
    const { blob, problem, tools } = this;
    const fields = { blob, reason: problem?.reason, why: problem?.message };
    if (problem?.reason === 'unstorable') tools.log.warn({ ...fields, err: error }, 'not downloaded');
    else tools.log.debug(fields, 'not downloaded');
  }
}

function hasCredentials({ headers }: BlobRequest): boolean {
  return headers.some(([name]) => name.toLowerCase() === 'authorization');
}
