import { randomInt } from 'node:crypto';

import type { SessionMessage } from '@cdk8s-dragonfly/protocol';

import { Placement } from '../placement/placement';
import type { Member, PlacementDecision, PlacementEvent } from '../placement/placement';
import { SwarmMembers } from './swarm-members';
import type { Has } from './swarm-members';
import type { Task } from './task';

/** Where news for a daemon goes. A daemon without an open session hears nothing; it is told all when it opens one. */
export interface Messenger {
  /** @param canWait whether it is of no use to the daemon at once. Default false. @returns whether the daemon has a session open. */
  send(cid: string, message: SessionMessage, canWait?: boolean): boolean;
  /** These are no members of a swarm any more: they need not leave it. */
  forget?(swarm: TaskSwarm, cids: Iterable<string>): void;
}

/** How long new blocks are gathered before the members with a share hear of them, in ms. */
const GATHER = 5;

/**
 * And all others after that, in ms. They take blocks from neighbours, and ask here only for what none of them brings for seconds; with thousands of
 * members, a line for each of them 200 times a second is what a supernode does nothing else for.
 */
const GATHER_FOR_OTHERS = 150;

/**
 * How long changes of neighbours are gathered, in ms, before members hear of them that others joined: a herd changes the lists of all who were
 * there again and again, and only the last list counts.
 */
const GATHER_NEIGHBOURS = 50;

/** So many of those who take all from here hear of new blocks as soon as members with a share; the others hear of them with all others. */
const MOST_APART = 64;

/** How many members are asked for fresh credentials. */
const ASKED_FOR_CREDENTIALS = 16;

/** The daemons that trade a blob, and what those of them are told of it that want it. */
export class TaskSwarm {
  private placement: Placement;
  private readonly members = new SwarmMembers();
  private readonly news: number[] = [];
  private timer: NodeJS.Timeout | undefined;
  /** What those without a share have not heard of yet. */
  private readonly newsForOthers: number[] = [];
  private othersTimer: NodeJS.Timeout | undefined;
  /** The neighbours of those that have not heard of them yet. */
  private readonly newNeighbours = new Map<string, PlacementDecision>();
  private neighboursTimer: NodeJS.Timeout | undefined;
  private unwatchBlocks: (() => void) | undefined;
  private watched: Task['stored'];
  /** Whether there was a blob before the one that is followed. */
  private hasFollowed = false;
  private readonly unwatchState: () => void;

  /**
   * @param number of the task among all that were made.
   * @param placed is told how long each placement decision took, in ms.
   * @param now in ms, from any fixed time on.
   */
  constructor(
    readonly task: Task,
    private readonly number: number,
    private readonly messenger: Messenger,
    private readonly placed?: (ms: number) => void,
    private readonly now = (): number => performance.now(),
  ) {
    this.placement = new Placement(number);
    this.unwatchState = task.watch(() => this.stateChanged());
    this.watchBlocks();
  }

  get size(): number {
    return this.members.size;
  }

  /** Whether a member wants it. */
  get isWanted(): boolean {
    return this.members.isWanted;
  }

  /** Whether so many have it that one more is of no use to the others. */
  get isWellHeld(): boolean {
    return this.members.isWellHeld;
  }

  get cids(): Iterable<string> {
    return this.members.cids;
  }

  /** The members that others may ask, those that joined first before others. */
  get all(): Iterable<Member> {
    return this.members.serving;
  }

  /** Those that have a part of the blob, and that others may ask. */
  get holdersOfPart(): readonly Member[] {
    return this.members.servingPart;
  }

  /** @param has what it has of the blob. Default: nothing. */
  join(member: Member, has: Has = 'nothing'): void {
    const { cid } = member;
    this.members.add(member, has, this.now());
    if (has === 'all') this.newNeighbours.delete(cid);
    else {
      const hears = this.tell(cid, this.taskMessage());
      if (hears && this.givesUp(cid)) {
        this.dismissAll([cid]);
        return;
      }
      this.tellHave(cid);
    }
    if (member.port === 0) this.placeApart(cid);
    else this.place({ type: 'join', member, ...moment() });
  }

  /** A member has all of it: others may have it from there. */
  rest(cid: string): void {
    this.members.rest(cid, this.now());
    this.newNeighbours.delete(cid);
  }

  leave(cid: string): void {
    if (!this.members.remove(cid)) return;
    this.newNeighbours.delete(cid);
    this.place({ type: 'leave', cid, ...moment() });
  }

  /** Lets those go that have had it for long and are more than the others need. @param most so many at most. @returns how many. */
  dismiss(most: number): number {
    const gone = this.members.surplus(this.now(), most);
    this.dismissAll(gone);
    return gone.length;
  }

  private dismissAll(gone: readonly string[]): void {
    this.messenger.forget?.(this, gone);
    for (const cid of gone) this.leave(cid);
  }

  /** No block is left to who serves nobody. */
  private placeApart(cid: string): void {
    const { blob } = this.task;
    this.newNeighbours.delete(cid);
    this.place({ type: 'leave', cid, ...moment() });
    this.tell(cid, { type: 'neighbours', blob, peers: [] });
    this.tell(cid, { type: 'share', blob, share: { index: 0, count: 1 } });
  }

  /** A member says that another failed it. */
  report(by: string, about: string): void {
    if (this.members.has(by) && this.members.has(about)) this.place({ type: 'report', by, about, ...moment() });
  }

  /** Tells a member that wants it all there is to know, as to one that has just opened its session. */
  retell(cid: string): void {
    const member = this.members.get(cid);
    if (member === undefined || this.members.isResting(cid)) return;
    this.join(member, this.members.hasPart(cid) ? 'part' : 'nothing');
  }

  stop(): void {
    clearTimeout(this.timer);
    clearTimeout(this.othersTimer);
    clearTimeout(this.neighboursTimer);
    this.unwatchState();
    this.unwatchBlocks?.();
  }

  private stateChanged(): void {
    this.watchBlocks();
    this.flushNews();
    this.flushNewsForOthers();
    const message = this.taskMessage();
    const heard = this.members.wanting.filter((cid) => this.tell(cid, message));
    if (this.task.needsCredentials) this.askForCredentials();
    this.dismissWhoGaveUp(heard.filter((cid) => this.givesUp(cid)));
  }

  /**
   * Whether a member gives up that hears of the state: the origin has another blob; or it refused it, and nothing has come, which who has a part of it
   * goes on with by itself, and serves others from, until the supernode has it from somebody else.
   */
  private givesUp(cid: string): boolean {
    const { failure, state, stored } = this.task;
    if (state !== 'failed' || (stored?.held.count ?? 0) > 0) return false;
    return failure?.mismatch === true || (failure?.status !== undefined && !this.members.hasPart(cid));
  }

  /** They need not hear of the tries of others. When fewer stay than go, these are placed anew, as if they alone had come. */
  private dismissWhoGaveUp(gone: readonly string[]): void {
    if (2 * gone.length <= this.members.size) {
      this.dismissAll(gone);
      return;
    }
    this.messenger.forget?.(this, gone);
    for (const cid of gone) this.members.remove(cid);
    this.newNeighbours.clear();
    this.placement = new Placement(this.number);
    for (const member of this.members.serving) this.place({ type: 'join', member, ...moment() });
  }

  /** A few of the members are enough: those that joined last are the likeliest to have fresh ones. */
  private askForCredentials(): void {
    const { blob } = this.task;
    for (const cid of this.members.wanting.slice(-ASKED_FOR_CREDENTIALS)) this.tell(cid, { type: 'credentials', blob });
  }

  /** Follows the blob on disk, which comes with the origin's answer and may be another after a failure. */
  private watchBlocks(): void {
    const { stored } = this.task;
    if (stored === this.watched) return;
    this.unwatchBlocks?.();
    this.hasFollowed ||= this.watched !== undefined;
    this.watched = stored;
    this.dropNews();
    this.unwatchBlocks = stored?.watch((index) => {
      this.news.push(index);
      this.timer ??= setTimeout(() => this.flushNews(), GATHER);
    });
    // What an earlier process left is news for those who joined before it was opened; what another blob had is no longer true.
    if (stored !== undefined && (this.hasFollowed || stored.held.count > 0))
      for (const cid of this.members.wanting) this.tellHave(cid);
  }

  /** News of a blob that is no longer followed are none of the one that took its place. */
  private dropNews(): void {
    this.news.length = 0;
    this.newsForOthers.length = 0;
    clearTimeout(this.timer);
    clearTimeout(this.othersTimer);
    this.timer = undefined;
    this.othersTimer = undefined;
  }

  private flushNews(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.news.length === 0) return;
    const message = this.newsMessage(this.news.splice(0));
    const { takers } = this.placement;
    for (const cid of takers) this.tell(cid, message);
    const { urgent } = this;
    for (const cid of urgent) this.tell(cid, message);
    if (this.members.size === takers.length + urgent.length) return;
    this.newsForOthers.push(...message.blocks);
    this.othersTimer ??= setTimeout(() => this.flushNewsForOthers(), GATHER_FOR_OTHERS);
  }

  private flushNewsForOthers(): void {
    clearTimeout(this.othersTimer);
    this.othersTimer = undefined;
    if (this.newsForOthers.length === 0) return;
    const message = this.newsMessage(this.newsForOthers.splice(0));
    const urgent = new Set(this.urgent);
    for (const cid of this.members.wanting) {
      if (!this.placement.hasShare(cid) && !urgent.has(cid)) this.tell(cid, message, true);
    }
  }

  /** Those that take all from here and hear of new blocks at once. */
  private get urgent(): string[] {
    return this.members.wantingApart.slice(0, MOST_APART);
  }

  private newsMessage(blocks: number[]): Extract<SessionMessage, { type: 'added' }> {
    return { type: 'added', blob: this.task.blob, blocks };
  }

  private tellHave(cid: string): void {
    const { stored, blob } = this.task;
    if (stored !== undefined) this.tell(cid, { type: 'have', blob, blocks: stored.held.toBase64() });
  }

  private taskMessage(): SessionMessage {
    const { blob, state, stored, sha256, failure } = this.task;
    return {
      type: 'task',
      blob,
      state: state === 'idle' ? 'waiting' : state,
      ...(stored === undefined ? {} : { pieceSize: stored.grid.pieceSize }),
      ...(stored?.size === undefined ? {} : { size: stored.size }),
      ...(stored?.edition === undefined ? {} : { edition: stored.edition }),
      ...(sha256 === undefined ? {} : { sha256 }),
      ...(failure === undefined ? {} : { failure }),
    };
  }

  private place(event: PlacementEvent): void {
    const began = performance.now();
    const decisions = this.placement.apply(event);
    this.placed?.(performance.now() - began);
    // Who has come to have a share hears of all at once from now on; who has none any more hears of it again.
    if (this.newsForOthers.length > 0 && decisions.some(isOfShare)) {
      const message = this.newsMessage([...this.newsForOthers]);
      for (const decision of decisions) if (isOfShare(decision)) this.tell(decision.cid, message);
    }
    for (const decision of decisions) {
      const { type, cid } = decision;
      if (this.members.isResting(cid)) continue;
      if (type === 'neighbours') {
        // One more neighbour, or one less, is of use to those who have others too whenever they hear of it.
        const canWait = event.type === 'join' && cid !== event.member.cid;
        if (canWait) this.newNeighbours.set(cid, decision);
        else this.newNeighbours.delete(cid);
        if (canWait) continue;
      }
      this.tell(cid, this.placementMessage(decision));
    }
    if (this.newNeighbours.size > 0) this.neighboursTimer ??= setTimeout(this.flushNeighbours, GATHER_NEIGHBOURS);
  }

  private readonly flushNeighbours = (): void => {
    this.neighboursTimer = undefined;
    for (const [cid, decision] of this.newNeighbours) this.tell(cid, this.placementMessage(decision), true);
    this.newNeighbours.clear();
  };

  private placementMessage(decision: PlacementDecision): SessionMessage {
    const { blob } = this.task;
    return decision.type === 'share'
      ? { type: 'share', blob, share: decision.share }
      : { type: 'neighbours', blob, peers: [...decision.peers] };
  }

  /** Tells whether it has heard it. */
  private tell(cid: string, message: SessionMessage, canWait = false): boolean {
    return !this.members.isResting(cid) && this.messenger.send(cid, message, canWait);
  }
}

function isOfShare(decision: PlacementDecision): boolean {
  return decision.type === 'share' && decision.share !== null;
}

/** What a placement event has of the time and of chance. */
function moment(): { readonly seed: number; readonly now: number } {
  return { seed: randomInt(2 ** 32), now: performance.now() };
}
