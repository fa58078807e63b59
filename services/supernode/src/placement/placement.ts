import type { Neighbour, Share } from '@cdk8s-dragonfly/protocol';

import { Mesh } from './mesh';
import { seededRandom } from './random';
import { REPORT_COUNTS, Reputation } from './reputation';

/** A daemon in the swarm of a blob. */
export interface Member extends Neighbour {
  /** Where it stands; members of one zone are neighbours first. Undefined: unknown. */
  readonly zone?: string | undefined;
}

/**
 * What happens to the swarm of a blob. `seed` makes the choices, so that the same events give the same decisions; `now` is the time in
 * milliseconds of any monotonic clock. Default: that of the event before.
 */
export type PlacementEvent = { readonly seed: number; readonly now?: number } & (
  | { readonly type: 'join'; readonly member: Member }
  | { readonly type: 'leave'; readonly cid: string }
  /** The member `by` says that its neighbour `about` failed, or sent what it should not. */
  | { readonly type: 'report'; readonly by: string; readonly about: string }
);

/** What a member is to be told. */
export type PlacementDecision =
  | { readonly type: 'neighbours'; readonly cid: string; readonly peers: readonly Neighbour[] }
  | { readonly type: 'share'; readonly cid: string; readonly share: Share };

/** At most this part of the members is avoided: more would not be failures, but lies. */
const MOST_AVOIDED = 1 / 4;

/** At most so many members take blocks from the supernode first; the others live from their neighbours. */
export const MAX_SHARES = 64;

/** How far the ranks of a blob begin behind those of the one before. Odd, and its first multiples lie far from one another modulo 4 to 64. */
const TURN = 45;

/**
 * Who trades with whom, and who takes which blocks from the supernode first: the swarm of one blob. Pure: no clock, chance or
 * socket; what an event costs does not grow with the number of members.
 *
 * Shares are residues: a member takes the blocks with `block mod count = index`, count being the largest power of two
 * that is not above the number of members (nor {@link MAX_SHARES}). A power of two, so that a join tells everybody a new count
 * only when the swarm has doubled, and everybody's new share is a part of the old one: what has been sent already is not asked for anew by those
 * who were there. Each block is in exactly one share: the supernode sends it once.
 *
 * The layers of an image come at the same time to members that join in the same order. Were their shares alike, one member would have the
 * newest block of each layer, and all others would wait for it: the ranks of each blob begin elsewhere.
 */
export class Placement {
  private readonly mesh = new Mesh();
  private readonly reputation = new Reputation();
  /** Members that nobody is told of, and until when: others say that they fail. They may take, and their share stays theirs. */
  private readonly avoided = new Map<string, number>();
  private now = 0;
  private readonly members = new Map<string, Member>();
  /** The members by rank. */
  private readonly ranks: string[] = [];
  private readonly rankOf = new Map<string, number>();
  /** Where the ranks of this blob begin. */
  private readonly turn: number;

  /** @param number of the blob among all: those that are pulled at once follow on one another. Default 0. */
  constructor(number = 0) {
    this.turn = (number * TURN) % MAX_SHARES;
  }

  get size(): number {
    return this.members.size;
  }

  /** Whether nobody is told of a member. */
  avoids(cid: string): boolean {
    return this.avoided.has(cid);
  }

  /** Whether a member takes blocks from the supernode first. */
  hasShare(cid: string): boolean {
    const rank = this.rankOf.get(cid);
    return rank !== undefined && rank < this.shareCount();
  }

  /** The members that take blocks from the supernode first. */
  get takers(): readonly string[] {
    return this.ranks.slice(0, this.shareCount());
  }

  /** Takes an event into account. Joining twice and leaving without having joined change nothing. */
  apply(event: PlacementEvent): PlacementDecision[] {
    const random = seededRandom(event.seed);
    this.now = event.now ?? this.now;
    const decisions = this.readmit(random);
    if (event.type === 'join') decisions.push(...this.join(event.member, random));
    else if (event.type === 'leave') decisions.push(...this.leave(event.cid, random));
    else decisions.push(...this.report(event.by, event.about, random));
    return decisions;
  }

  /** One report gives who made it another neighbour; enough of them, and nobody is told of the accused for a while. */
  private report(by: string, about: string, random: () => number): PlacementDecision[] {
    const neighbours = this.mesh.neighboursOf(about);
    // Only who trades with it can know.
    if (!neighbours.includes(by)) return [];
    this.reputation.report(by, about, this.now);
    const isTooMany = this.avoided.size + 1 > this.members.size * MOST_AVOIDED;
    if (isTooMany || !this.reputation.isBad(about, neighbours.length, this.now)) {
      return this.mesh.replace(by, about, random).map((cid) => this.neighboursOf(cid));
    }
    this.avoided.set(about, this.now + REPORT_COUNTS);
    const changed = this.mesh.remove(about, random);
    return [...changed.map((other) => this.neighboursOf(other)), this.someFor(about, random)];
  }

  /** Whom a member may take from that nobody takes from. */
  private someFor(cid: string, random: () => number): PlacementDecision {
    return { type: 'neighbours', cid, peers: this.mesh.some(random).flatMap((other) => this.neighbour(other)) };
  }

  /** Takes those back whose time is over. */
  private readmit(random: () => number): PlacementDecision[] {
    const changed = new Set<string>();
    for (const [cid, until] of this.avoided) {
      if (this.now < until) continue;
      this.avoided.delete(cid);
      for (const other of this.mesh.add(cid, random, this.members.get(cid)?.zone)) changed.add(other);
    }
    return [...changed].map((cid) => this.neighboursOf(cid));
  }

  private join(member: Member, random: () => number): PlacementDecision[] {
    const { cid } = member;
    if (this.members.has(cid)) {
      return [this.avoided.has(cid) ? this.someFor(cid, random) : this.neighboursOf(cid), this.shareOf(cid)];
    }
    const before = this.shareCount();
    this.members.set(cid, member);
    this.rankOf.set(cid, this.ranks.length);
    this.ranks.push(cid);
    const changed = this.mesh.add(cid, random, member.zone);
    return [...changed.map((other) => this.neighboursOf(other)), ...this.sharesAfter(before, cid)];
  }

  private leave(cid: string, random: () => number): PlacementDecision[] {
    const rank = this.rankOf.get(cid);
    if (rank === undefined) return [];
    const before = this.shareCount();
    const last = this.ranks.pop();
    this.rankOf.delete(cid);
    this.members.delete(cid);
    // The last one moves to the free rank, so that ranks stay without gaps.
    if (last !== undefined && last !== cid) {
      this.ranks[rank] = last;
      this.rankOf.set(last, rank);
    }
    this.reputation.forget(cid);
    this.avoided.delete(cid);
    const changed = this.mesh.remove(cid, random);
    return [...changed.map((other) => this.neighboursOf(other)), ...this.sharesAfter(before, this.ranks[rank])];
  }

  /** The shares that are to be told: everyone's when their number changed, else that of the member whose rank changed. */
  private sharesAfter(before: number, moved: string | undefined): PlacementDecision[] {
    const now = this.shareCount();
    if (now !== before) {
      return this.ranks.slice(0, Math.max(before, now) + 1).map((cid) => this.shareOf(cid));
    }
    return moved === undefined ? [] : [this.shareOf(moved)];
  }

  private shareCount(): number {
    const members = Math.min(this.ranks.length, MAX_SHARES);
    return members === 0 ? 0 : 2 ** Math.floor(Math.log2(members));
  }

  private shareOf(cid: string): PlacementDecision {
    const rank = this.rankOf.get(cid) ?? 0;
    const count = this.shareCount();
    const index = (rank + this.turn) % count;
    return { type: 'share', cid, share: rank < count ? { index, count } : null };
  }

  private neighboursOf(cid: string): PlacementDecision {
    const peers = this.mesh.neighboursOf(cid).flatMap((other) => this.neighbour(other));
    return { type: 'neighbours', cid, peers };
  }

  private neighbour(cid: string): Neighbour[] {
    const member = this.members.get(cid);
    return member === undefined ? [] : [{ cid, ip: member.ip, port: member.port }];
  }
}
