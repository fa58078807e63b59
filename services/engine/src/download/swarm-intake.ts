import { randomInt } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { isDigest } from '@cdk8s-dragonfly/protocol';
import type { Share, TaskFailure } from '@cdk8s-dragonfly/protocol';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

import type { OriginalPlace } from '../classic/original-supernode';
import { LinkFailure, linkFailure } from '../links/failure';
import { fetchBlock } from '../links/fetch-block';
import type { SupernodeLink } from '../links/supernode-link';
import type { BlobEvent, SessionListener } from '../links/supernode-session';
import { mayPick, pick } from '../picker/picker';
import { Ahead } from './ahead';
import { Flights } from './flights';
import type { ActiveFlight } from './flights';
import type { Intake } from './intake';
import { SUPERNODE, Sources } from './sources';
import type { DownloadTools } from './tools';

/**
 * The swarm may bring nothing for so many times as long as blocks usually take, and at least {@link PATIENCE} milliseconds, before blocks
 * outside the share are asked of the supernode.
 */
const PATIENCE_FACTOR = 6;
const PATIENCE = 2000;

/** How often a lost supernode is looked for, in milliseconds. */
const SEEK_EVERY = 1000;

/** Blocks from the supernode and from neighbours: joins the blob's swarm and keeps blocks under way. */
export class SwarmIntake implements SessionListener {
  private readonly sources: Sources;
  private readonly flights = new Flights();
  private readonly ahead = new Ahead();
  private share: Share | undefined;
  private link: SupernodeLink | undefined;
  private whole: string | undefined;
  /** When a block last came from a peer or out of the share. */
  private progress = performance.now();
  private pumping = false;
  private readonly left = signalling();
  private seeking = false;
  private rejoining = false;
  private gaveUp = false;
  /** How far the supernode said it is; undefined while it has said nothing. */
  private state: Extract<BlobEvent, { type: 'task' }>['state'] | undefined;
  private hasLeft = false;
  /** How often the supernode was lost. */
  private losses = 0;
  /** Whether none took us in at the last try, and whether one was there and silent; since when that is so. */
  private refused: { readonly isSilent: boolean; readonly since: number } | undefined;
  /** What the supernode said is taken in one after the other. */
  private hearing: Promise<void> = Promise.resolve();

  /**
   * @param supernodeFailed is told that the supernode cannot have the blob.
   * @param original is told that an original supernode has taken it in: there blocks come as pieces, and not from here.
   */
  constructor(
    private readonly intake: Intake,
    private readonly tools: DownloadTools,
    private readonly supernodeFailed: (failure: TaskFailure) => void,
    private readonly original: (place: OriginalPlace) => void,
  ) {
    const changed = (): void => this.pump();
    const { blob } = intake.request;
    const gone = (cid: string): void => void this.link?.report({ blob, peers: [cid] });
    this.sources = new Sources(blob, tools, changed, () => blockCount(intake.stored()), gone);
    tools.budget.open(this);
  }

  /** SHA-256 of the whole in hex, as the supernode found it; undefined until it has all. */
  get sha256(): string | undefined {
    return this.whole;
  }

  /**
   * Whether the supernode has gone silent or has given the blob up, and nothing is under way to a neighbour that is not late: what no live
   * neighbour has will not come.
   */
  get isLost(): boolean {
    if (!this.isAlone) return false;
    const late = new Set(this.flights.late());
    const fromSupernode = !this.sources.supernodeAnswers;
    return [...this.flights].every((flight) => late.has(flight) || (fromSupernode && flight.source === SUPERNODE));
  }

  /**
   * Whether the supernode lives, is asking the origin, and has given all that it has: whoever asked the origin too would fetch a second copy.
   * Its own waits for the origin are bounded; then it says that it failed.
   */
  get isWaitingForOrigin(): boolean {
    const { state } = this;
    // An original supernode says nothing here, and what it does not give is the origin's to give.
    if (this.sources.supernodeIsLost || state === undefined || state === 'complete' || state === 'failed') return false;
    const held = this.intake.stored()?.held;
    for (const block of this.sources.supernodeHas) if (held?.has(block) !== true) return false;
    return true;
  }

  /** Whether neighbours may bring what they fetched themselves: no supernode attests anything, and the digest of the whole will tell. */
  get takesUnattested(): boolean {
    return this.isAlone && this.intake.doubts.areTaken && isDigest(this.intake.request.blob);
  }

  /**
   * Whether there is only a supernode that is silent, and has not been so for long. It may be short of CPU, and would be so for all daemons: as
   * long as this lasts, no more is asked of the origin than readers wait for.
   */
  get isSparing(): boolean {
    const { refused } = this;
    if (!this.isAlone || refused?.isSilent !== true) return false;
    const { clock, supernodes, timeouts } = this.tools;
    return clock.now - (supernodes.silentSince ?? refused.since) < timeouts.busy;
  }

  /** Whether a supernode has taken us in, answers, and has the blob or is at it. */
  get isServed(): boolean {
    return !this.isAlone && this.sources.supernodeAnswers && this.state !== undefined && this.state !== 'failed';
  }

  /** The names of the neighbours that answer. */
  get neighbours(): readonly string[] {
    return this.sources.namesAlive;
  }

  /** A neighbour gave a block that the origin has otherwise. */
  lied(source: string): void {
    this.sources.lied(source);
  }

  private get isAlone(): boolean {
    const isLost = this.sources.supernodeIsLost || this.refused !== undefined;
    return (isLost || this.gaveUp) && !this.rejoining;
  }

  /** Whether it brings nothing because the limit of the rate keeps it from asking. */
  get isHeldBack(): boolean {
    return this.flights.areHeldBack && !this.flights.areFruitless;
  }

  /** Whether a live neighbour has the block, and gives what it is asked for. */
  offers(block: number): boolean {
    return this.sources.offered(block, new Set(this.flights.late().map(({ source }) => source)), this.takesUnattested);
  }

  /** Whether the supernode, or a live neighbour, has the block as a supernode attests it. */
  offersAttested(block: number): boolean {
    const late = new Set(this.flights.late().map(({ source }) => source));
    return this.sources.supernodeOffers(block) || this.sources.offered(block, late, false);
  }

  /** Whether the supernode, or a live neighbour, has the block. */
  has(block: number): boolean {
    return this.sources.supernodeOffers(block) || this.offers(block);
  }

  /** Joins the swarm at a supernode; tells whether one took us in. @param passOver names of supernodes that are not asked. */
  async join(passOver?: ReadonlySet<string>): Promise<boolean> {
    const { blob } = this.intake.request;
    try {
      const resumes = this.losses > 0 || (this.intake.stored()?.held.count ?? 0) > 0;
      const at = await this.tools.supernodes.join({ ...this.intake.request, resumes }, this, passOver);
      this.refused = undefined;
      if ('place' in at) {
        if (!this.isOver) this.original(at.place);
        return true;
      }
      const { link, joined } = at;
      if (this.isOver) {
        link.leave(blob, this);
        return true;
      }
      this.link = link;
      this.sources.supernodeJoined(joined);
      this.pump();
      return true;
    } catch (error) {
      const isSilent = linkFailure(error, 'the supernode').kind === 'silent';
      this.refused = { isSilent, since: this.refused?.since ?? this.tools.clock.now };
      this.tools.log.debug({ blob, err: error }, 'no swarm');
      return false;
    }
  }

  /** Joins as soon as a supernode takes us in, which it did not when it was asked first. */
  keepSeeking(): void {
    this.seek({ decides: false, after: SEEK_EVERY });
  }

  /** Whether nothing more is wanted of it. Another may have taken its place when a block turned out to be damaged. */
  private get isOver(): boolean {
    return this.hasLeft || this.intake.finished();
  }

  leave(): void {
    this.hasLeft = true;
    this.left.resolve();
    this.tools.budget.close(this);
    this.link?.leave(this.intake.request.blob, this);
    this.flights.abort(new Error('the download has ended'));
    this.sources.close();
  }

  event(event: BlobEvent): void {
    this.sources.supernodeHeard();
    const { losses } = this;
    // What was said before the supernode was lost is no longer true of the one that is there now.
    const hear = async (): Promise<void> => (losses === this.losses ? this.hear(event) : undefined);
    this.hearing = this.hearing.then(hear).catch((error: unknown) => this.intake.fail(error));
  }

  lost(reason: LinkFailure): void {
    if (this.isOver) return;
    this.losses += 1;
    this.sources.supernodeLost();
    this.tools.log.debug({ blob: this.intake.request.blob, reason: reason.message }, 'without the supernode');
    this.pump();
    const isSilent = reason.kind === 'silent';
    if (isSilent) this.refused ??= { isSilent, since: this.tools.clock.now };
    // A silent one has had its time: what is needed next is not to wait for another try.
    this.seek({ decides: !isSilent, after: 0 });
  }

  /** @param how whether the first try decides if the swarm is lost, and after how many milliseconds it comes. */
  private seek(how: { readonly decides: boolean; readonly after: number }): void {
    if (this.seeking) return;
    this.seeking = true;
    this.rejoining = how.decides;
    this.seekSupernode(how.after)
      .catch((error: unknown) => this.intake.fail(error))
      .finally(() => {
        this.seeking = false;
      });
  }

  /** Joins again at whichever supernode answers: another replica at once, the same one when it is back. */
  private async seekSupernode(after: number): Promise<void> {
    this.link?.leave(this.intake.request.blob, this);
    for (let wait = after; ; wait = SEEK_EVERY) {
      // Ends early, with nothing to tell, when the download has ended.
      if (wait > 0) await Promise.race([delay(wait, undefined, { ref: false }), this.left.promise]);
      if (this.isOver) return;
      const joined = await this.join();
      this.rejoining = false;
      if (joined) return;
    }
  }

  /** Asks sources for blocks as far as there is room; at most once a turn of the event loop. */
  pump(): void {
    if (this.pumping || this.isOver) return;
    this.pumping = true;
    setImmediate(() => {
      this.pumping = false;
      if (!this.isOver) this.pickAndAsk();
    });
  }

  private async hear(event: BlobEvent): Promise<void> {
    if (this.isOver) return;
    this.ahead.heard();
    switch (event.type) {
      case 'task':
        await this.hearTask(event);
        break;
      case 'have':
        this.sources.supernodeHas = event.blocks;
        this.intake.changed();
        break;
      case 'added':
        for (const block of event.blocks) this.sources.supernodeHas.add(block);
        break;
      case 'neighbours':
        if (this.tools.policy.trade) this.sources.setNeighbours(event.peers);
        break;
      case 'share':
        this.share = event.share;
        break;
      case 'credentials':
        await this.bringCredentials();
        break;
    }
    this.pump();
  }

  /** Registers again, with the credentials of the client that came last. */
  private async bringCredentials(): Promise<void> {
    if (!(await this.join())) this.tools.log.debug({ blob: this.intake.request.blob }, 'nobody took the credentials');
  }

  private async hearTask({
    state,
    failure,
    pieceSize,
    size,
    sha256,
  }: Extract<BlobEvent, { type: 'task' }>): Promise<void> {
    this.gaveUp = state === 'failed';
    this.state = state;
    if (state === 'failed') {
      if (failure !== undefined) this.supernodeFailed(failure);
      return;
    }
    if (state === 'complete') this.whole = sha256;
    // Before the origin has answered, what the supernode still has of an earlier try says nothing of this one.
    if (pieceSize !== undefined && state !== 'waiting') await this.intake.begin(pieceSize, size);
    this.intake.changed();
  }

  private pickAndAsk(): void {
    const stored = this.intake.stored();
    const { key } = this.sources;
    if (stored === undefined || key === undefined || stored.whole) return;
    // One at a time waits for the limit of the rate: so all downloads have a turn, and what is asked next is chosen late.
    if (this.flights.areHeldBack) return;
    const now = performance.now();
    const { budget, limit } = this.tools;
    const { alivePeers } = this.sources;
    const slots = { supernode: budget.supernode(this, alivePeers), peers: budget.peers(this) };
    const flights = [...this.flights];
    const choice = {
      now,
      flights,
      share: this.share,
      swarmProgress: this.progress,
      limits: {
        flights: limit === undefined ? Infinity : 1 + flights.length,
        peerFlights: slots.peers,
        patience: Math.max(PATIENCE, PATIENCE_FACTOR * this.flights.usual),
        hedgeAfter: this.flights.lateAfter,
      },
    };
    if (!mayPick(this.flights.roomIn(slots), choice, alivePeers > 0)) return;
    const picks = pick({
      ...choice,
      seed: randomInt(2 ** 32),
      held: stored.held,
      end: blockCount(stored),
      sources: this.sources.toPick(flights, now, slots.supernode, {
        unattested: this.takesUnattested,
        ahead: this.blocksAhead(stored),
      }),
      cursor: this.intake.cursor(stored),
    });
    for (const { block, source } of picks) {
      this.ask(stored, block, source, key).catch((error: unknown) => this.intake.fail(error));
    }
  }

  /** What the supernode does not have and may be asked for all the same: while there is nobody else to ask, and the origin gives. */
  private blocksAhead(stored: StoredBlob): readonly number[] {
    const end = blockCount(stored);
    if (end === undefined || this.state !== 'fetching' || this.sources.alivePeers > 0) return [];
    return this.ahead.blocks(this.sources.supernodeHas, stored.held, end);
  }

  private async ask(stored: StoredBlob, index: number, source: string, key: KeyObject): Promise<void> {
    const origin = this.sources.originOf(source);
    if (origin === undefined) return;
    const { blob } = this.intake.request;
    const abort = new AbortController();
    const kind = source === SUPERNODE ? 'supernode' : 'peer';
    const isAhead = source === SUPERNODE && !this.sources.supernodeHas.has(index);
    const flight: ActiveFlight = { block: index, source, kind, since: Infinity, isAhead, abort };
    this.flights.begin(flight);
    try {
      const { limit } = this.tools;
      if (limit !== undefined) {
        await limit.pass(stored.grid.blockLength(index, stored.size), abort.signal);
        // Nobody was asked meanwhile.
        this.progress = performance.now();
        this.pump();
      }
      flight.since = performance.now();
      this.tools.budget.began(this, source);
      const unattested = source !== SUPERNODE && this.takesUnattested;
      const question = { blob, grid: stored.grid, size: stored.size, index, key, unattested, arriving: isAhead };
      const { chunks, length, proof } = await fetchBlock(origin, question, this.tools.blocks, abort.signal);
      if (isAhead) this.ahead.gave();
      this.sources.succeeded(source);
      // Only the last block is short, and it is read by its true length: the size has to be known before it is held.
      const span = stored.grid.span(index);
      if (length < span.length) await stored.setSize(span.offset + length);
      if (await stored.write(index, chunks, proof)) {
        if (proof.signature === undefined) this.intake.doubts.gave(source, index);
        this.intake.took(source === SUPERNODE ? 'supernode' : 'peer', length);
      } else for (const chunk of chunks) this.tools.store.buffers.giveBack(chunk);
      this.arrived(flight);
    } catch (error) {
      if (abort.signal.aborted) return;
      if (!(error instanceof LinkFailure)) throw error;
      this.tools.log.debug({ blob, source, kind: error.kind, reason: error.message }, 'a block did not come');
      this.flights.failed();
      if (isAhead) this.ahead.refused();
      else this.sources.failed(source, error, index);
    } finally {
      this.flights.end(flight);
      // Who did not come to ask has taken no room.
      if (flight.since === Infinity) this.pump();
      else this.tools.budget.ended(this, source);
    }
  }

  private arrived(flight: ActiveFlight): void {
    const { block, source } = flight;
    const { share } = this;
    const ours = share !== undefined && share !== null && block % share.count === share.index;
    if (source !== SUPERNODE || ours) this.progress = performance.now();
    for (const { other, isLate } of this.flights.arrived(flight)) {
      if (isLate) this.sources.tooSlow(other.source);
      other.abort.abort(new Error('another source was faster'));
    }
  }
}

/** How many blocks a blob has; undefined while that is not known. */
function blockCount(stored: StoredBlob | undefined): number | undefined {
  return stored?.size === undefined ? undefined : stored.grid.blockCount(stored.size);
}

function signalling(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
