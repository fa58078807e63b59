import { isDigest } from '@cdk8s-dragonfly/protocol';
import type { Share, TaskFailure } from '@cdk8s-dragonfly/protocol';

import type { OriginalPlace } from '../classic/original-supernode';
import type { LinkFailure } from '../links/failure';
import type { Joined } from '../links/registration';
import type { BlobEvent } from '../links/supernode-session';
import { Chooser, blockCount } from './chooser';
import type { Choosing } from './chooser';
import type { Flights } from './flights';
import type { Intake } from './intake';
import { Membership } from './membership';
import type { Member } from './membership';
import { Questions } from './questions';
import { Said } from './said';
import { SUPERNODE, Sources } from './sources';
import type { DownloadTools } from './tools';

/** Blocks from the supernode and from neighbours: joins the blob's swarm and keeps blocks under way. */
export class SwarmIntake implements Member, Choosing {
  private readonly membership: Membership;
  private readonly sources: Sources;
  private readonly questions: Questions;
  private readonly chooser: Chooser;
  private readonly said: Said;
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
    supernodeFailed: (failure: TaskFailure) => void,
    private readonly original: (place: OriginalPlace) => void,
  ) {
    this.membership = new Membership(intake, tools, this);
    this.sources = new Sources(intake.request.blob, tools, {
      end: () => blockCount(intake.stored()),
      edition: () => intake.stored()?.edition?.id,
      changed: () => this.pump(),
      added: (blocks, neighbour) => this.chooser.neighbourGot(blocks, neighbour),
      gone: (neighbour) => this.membership.reportGone(neighbour),
    });
    this.questions = new Questions(intake, tools, this.sources, this);
    this.chooser = new Chooser(intake, tools, this.sources, this.questions, this);
    const { chooser, membership, sources } = this;
    const { ahead } = this.questions;
    this.said = new Said(intake, tools, { ahead, chooser, membership, sources, failed: supernodeFailed });
    tools.budget.open(this);
  }

  /** SHA-256 of the whole in hex, as the supernode found it; undefined until it has all. */
  get sha256(): string | undefined {
    return this.said.sha256;
  }

  /**
   * Whether the supernode has gone silent or has given the blob up, and nothing is under way to a neighbour that is not late: what no live
   * neighbour has will not come.
   */
  get isLost(): boolean {
    if (!this.isAlone) return false;
    const late = new Set(this.flights.late());
    const fromSupernode = !this.sources.supernode.answers;
    return [...this.flights].every((flight) => late.has(flight) || (fromSupernode && flight.source === SUPERNODE));
  }

  /**
   * Whether the supernode lives, is asking the origin, and has given all that it has: whoever asked the origin too would fetch a second copy.
   * Its own waits for the origin are bounded; then it says that it failed.
   */
  get isWaitingForOrigin(): boolean {
    const { state } = this.said;
    // An original supernode says nothing here, and what it does not give is the origin's to give.
    if (this.sources.supernode.isLost || state === undefined || state === 'complete' || this.said.hasGivenUp)
      return false;
    const held = this.intake.stored()?.held;
    const { has } = this.sources.supernode;
    return held === undefined ? has.count === 0 : has.firstBeyond(held) === undefined;
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
    return !this.isAlone && this.sources.supernode.answers && this.said.state !== undefined && !this.said.hasGivenUp;
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
    const isLost = this.sources.supernode.isLost || this.membership.isRefused;
    return (isLost || this.said.hasGivenUp) && !this.membership.isRejoining;
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
    return this.sources.supernode.offers(block) || this.sources.offered(block, late, false);
  }

  /** Whether the supernode, or a live neighbour, has the block. */
  has(block: number): boolean {
    return this.sources.supernode.offers(block) || this.offers(block);
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
    this.sources.supernode.took(joined);
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
    this.sources.supernode.heard();
    this.said.hear(event);
  }

  lost(reason: LinkFailure): void {
    if (this.membership.isOver) return;
    this.sources.supernode.lost();
    this.tools.log.debug({ blob: this.intake.request.blob, reason: reason.message }, 'without the supernode');
    this.membership.lost(reason);
    this.pump();
  }

  /** Whether a block is of this node's share of the blob. */
  isOurs(block: number): boolean {
    const { share } = this;
    return share !== undefined && share !== null && block % share.count === share.index;
  }

  get share(): Share | undefined {
    return this.said.share;
  }

  get isFetched(): boolean {
    return this.said.state === 'fetching';
  }

  get isOver(): boolean {
    return this.membership.isOver;
  }

  /** Asks sources for blocks as far as there is room; at most once a turn of the event loop. */
  pump(): void {
    this.chooser.pump();
  }

  freed(neighbour: string): void {
    this.chooser.freed(neighbour);
  }

  /** To be called often: more may be asked for when time has passed. */
  tick(): void {
    this.chooser.tick();
  }

  /** Readers want another block first. */
  cursorMoved(): void {
    this.chooser.cursorMoved();
  }
}
