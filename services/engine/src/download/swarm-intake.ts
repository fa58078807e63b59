import { randomInt } from 'node:crypto';

import { isDigest } from '@cdk8s-dragonfly/protocol';
import type { Share, TaskFailure } from '@cdk8s-dragonfly/protocol';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

import type { OriginalPlace } from '../classic/original-supernode';
import type { LinkFailure } from '../links/failure';
import type { Joined } from '../links/registration';
import type { BlobEvent } from '../links/supernode-session';
import { mayPick, pick } from '../picker/picker';
import type { Flights } from './flights';
import type { Intake } from './intake';
import { Membership } from './membership';
import type { Member } from './membership';
import { Questions } from './questions';
import type { Asker } from './questions';
import { SUPERNODE, Sources } from './sources';
import type { KnownOfBlob } from './sources';
import type { DownloadTools } from './tools';

/**
 * The swarm may bring nothing for so many times as long as blocks usually take, and at least {@link PATIENCE} milliseconds, before blocks
 * outside the share are asked of the supernode.
 */
const PATIENCE_FACTOR = 6;
const PATIENCE = 2000;

/**
 * As `Overdue` has steps: so many times as long as blocks take, and at least {@link STEP} milliseconds. A supernode that has much to do takes long:
 * what would be asked of it besides would keep others waiting.
 */
const STEP_FACTOR = 3;
const STEP = 100;

/** Blocks from the supernode and from neighbours: joins the blob's swarm and keeps blocks under way. */
export class SwarmIntake implements Member, Asker {
  private readonly membership: Membership;
  private readonly sources: Sources;
  private readonly questions: Questions;
  private share: Share | undefined;
  private whole: string | undefined;
  private pumping = false;
  private gaveUp = false;
  /** How far the supernode said it is; undefined while it has said nothing. */
  private state: Extract<BlobEvent, { type: 'task' }>['state'] | undefined;
  /** What the supernode said is taken in one after the other. */
  private hearing: Promise<void> = Promise.resolve();
  private readonly leaving = new AbortController();
  /** Until when no supernode takes us in, of the steady clock. */
  private putOffUntil = 0;

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
    const gone = (cid: string): void => this.membership.reportGone(cid);
    this.membership = new Membership(intake, tools, this);
    const known = (): KnownOfBlob => {
      const stored = intake.stored();
      return { end: blockCount(stored), edition: stored?.edition?.id };
    };
    this.sources = new Sources(blob, tools, changed, known, gone);
    this.questions = new Questions(intake, tools, this.sources, this);
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
    return this.isAlone && this.membership.isSilentOfLate;
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

  private get flights(): Flights {
    return this.questions.flights;
  }

  /** Whether no supernode is there that has the blob or is at it, and none is being tried. */
  get isAlone(): boolean {
    const isLost = this.sources.supernodeIsLost || this.membership.isRefused;
    return (isLost || this.gaveUp) && !this.membership.isRejoining;
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
    return this.membership.join(passOver);
  }

  /** Joins as soon as a supernode takes us in, which it did not when it was asked first. */
  keepSeeking(): void {
    this.membership.keepSeeking();
  }

  joined(joined: Joined): void {
    this.sources.supernodeJoined(joined);
    this.pump();
  }

  joinedOriginal(place: OriginalPlace): void {
    this.original(place);
  }

  leave(): void {
    if (this.leaving.signal.aborted) return;
    this.leaving.abort(new Error('the download has ended'));
    this.tools.budget.close(this);
    this.membership.leave();
    this.flights.abort(new Error('the download has ended'));
    this.sources.close();
  }

  /** Aborts at {@link leave}. */
  get over(): AbortSignal {
    return this.leaving.signal;
  }

  putOff(ms: number): void {
    this.putOffUntil = this.tools.clock.now + ms;
  }

  /** Whether a supernode has named a time at which it takes us in, which is not over. */
  get isPutOff(): boolean {
    return this.tools.clock.now < this.putOffUntil;
  }

  event(event: BlobEvent): void {
    this.sources.supernodeHeard();
    const { membership } = this;
    const { lostTimes } = membership;
    // What was said before the supernode was lost is no longer true of the one that is there now.
    const hear = async (): Promise<void> => (lostTimes === membership.lostTimes ? this.hear(event) : undefined);
    this.hearing = this.hearing.then(hear).catch((error: unknown) => this.intake.fail(error));
  }

  lost(reason: LinkFailure): void {
    if (this.membership.isOver) return;
    this.sources.supernodeLost();
    this.tools.log.debug({ blob: this.intake.request.blob, reason: reason.message }, 'without the supernode');
    this.membership.lost(reason);
    this.pump();
  }

  /** Whether a block is of this node's share of the blob. */
  isOurs(block: number): boolean {
    const { share } = this;
    return share !== undefined && share !== null && block % share.count === share.index;
  }

  /** Asks sources for blocks as far as there is room; at most once a turn of the event loop. */
  pump(): void {
    if (this.pumping || this.membership.isOver) return;
    this.pumping = true;
    setImmediate(() => {
      this.pumping = false;
      if (!this.membership.isOver) this.pickAndAsk();
    });
  }

  private async hear(event: BlobEvent): Promise<void> {
    if (this.membership.isOver) return;
    this.questions.ahead.heard();
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
    edition,
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
    if (pieceSize !== undefined && state !== 'waiting') await this.intake.begin(pieceSize, size, edition);
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
      swarmProgress: this.questions.progress,
      overdue: this.sources.overdue(now, Math.max(STEP, STEP_FACTOR * this.flights.pace(now))),
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
      this.questions.ask(stored, { block, source, key }).catch((error: unknown) => this.intake.fail(error));
    }
  }

  /** What the supernode does not have and may be asked for all the same: while there is nobody else to ask, and the origin gives. */
  private blocksAhead(stored: StoredBlob): readonly number[] {
    const end = blockCount(stored);
    if (end === undefined || this.state !== 'fetching' || this.sources.alivePeers > 0) return [];
    return this.questions.ahead.blocks(this.sources.supernodeHas, stored.held, end);
  }
}

/** How many blocks a blob has; undefined while that is not known. */
function blockCount(stored: StoredBlob | undefined): number | undefined {
  return stored?.size === undefined ? undefined : stored.grid.blockCount(stored.size);
}
