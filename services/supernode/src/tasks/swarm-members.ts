import type { Member } from '../placement/placement';

/** So many of those that have the blob stay for those who want it, and all who have it since less than this time, in ms: a herd lives from them. */
export const MOST_RESTING = 64;
export const REST = 180_000;

/** What a member has of a blob; unless that is all, it wants the rest. */
export type Has = 'nothing' | 'part' | 'all';

/** Who is in the swarm of a blob: who wants it, who has it, and whom others can ask for it. Pure. */
export class SwarmMembers {
  /** The members that joined first before others. */
  private readonly known = new Map<string, Member>();
  /** Those that have all of it, and since when, in ms; the longest first. */
  private readonly since = new Map<string, number>();
  /** Those that have a part of it. */
  private readonly parts = new Set<string>();
  /** Those without a peer port: nobody is told of them, no block is left to them, and they take all from the supernode. */
  private readonly apart = new Set<string>();

  get size(): number {
    return this.known.size;
  }

  /** Whether one wants the blob. */
  get isWanted(): boolean {
    return this.known.size > this.since.size;
  }

  /** Whether so many have it that one more is of no use to the others. */
  get isWellHeld(): boolean {
    return this.since.size >= MOST_RESTING;
  }

  get cids(): Iterable<string> {
    return this.known.keys();
  }

  /** Those that others may ask. */
  get serving(): Iterable<Member> {
    const members = this.known.values();
    return this.apart.size === 0 ? members : [...members].filter(({ cid }) => !this.apart.has(cid));
  }

  /** Those that want the blob. */
  get wanting(): string[] {
    return [...this.known.keys()].filter((cid) => !this.since.has(cid));
  }

  /** Those that have a part of the blob, and that others may ask. */
  get servingPart(): Member[] {
    return [...this.parts].flatMap((cid) => (this.apart.has(cid) ? [] : (this.known.get(cid) ?? [])));
  }

  /** Those that want the blob and that nobody is told of, and that take all from the supernode. */
  get wantingApart(): string[] {
    return [...this.apart].filter((cid) => !this.since.has(cid));
  }

  get(cid: string): Member | undefined {
    return this.known.get(cid);
  }

  has(cid: string): boolean {
    return this.known.has(cid);
  }

  /** Whether one has all of the blob. */
  isResting(cid: string): boolean {
    return this.since.has(cid);
  }

  /** Whether one has a part of the blob and wants the rest. */
  hasPart(cid: string): boolean {
    return this.parts.has(cid);
  }

  /** One more, or what one says of itself now. @param now in ms. */
  add(member: Member, has: Has, now: number): void {
    const { cid, port } = member;
    this.known.set(cid, member);
    if (port === 0) this.apart.add(cid);
    else this.apart.delete(cid);
    this.since.delete(cid);
    this.parts.delete(cid);
    if (has === 'part') this.parts.add(cid);
    else if (has === 'all') this.rest(cid, now);
  }

  /** One has all of the blob. */
  rest(cid: string, now: number): void {
    if (!this.known.has(cid)) return;
    this.parts.delete(cid);
    this.since.delete(cid);
    // Whole numbers: others are objects, and there are as many as there are members.
    this.since.set(cid, Math.trunc(now));
  }

  /** Tells whether it was one. */
  remove(cid: string): boolean {
    this.since.delete(cid);
    this.parts.delete(cid);
    this.apart.delete(cid);
    return this.known.delete(cid);
  }

  /** Those that have had the blob for long and are more than the others need; so many at most. */
  surplus(now: number, most: number): string[] {
    const surplus: string[] = [];
    for (const [cid, since] of this.since) {
      const stays = this.since.size - surplus.length <= MOST_RESTING || now - since < REST;
      if (stays || surplus.length >= most) break;
      surplus.push(cid);
    }
    return surplus;
  }
}
