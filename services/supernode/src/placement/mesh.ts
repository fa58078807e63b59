import { Roll } from './roll';

/** Neighbours that a member is given when it joins, beside its two on the ring. */
const CHOSEN = 6;

/** Neighbours that a member may have beside its two on the ring. */
export const MAX_CHOSEN = 14;

/** So many of the {@link CHOSEN} are looked for in the member's own zone first: bytes between zones cost money. */
const CHOSEN_IN_ZONE = 4;

/** Fewer than this beside the ring, and a member is given another. */
const MIN_CHOSEN = 4;

/** How often chance is asked for another neighbour before the search is given up. */
const TRIES = 48;

/**
 * An undirected graph: a ring of all members, which keeps it connected whoever leaves, and random edges across it, which
 * keep it short. No member has more than {@link MAX_CHOSEN} + 2 neighbours, and no change touches more than a constant
 * number of members.
 */
export class Mesh {
  private readonly chosen = new Map<string, Set<string>>();
  private readonly next = new Map<string, string>();
  private readonly previous = new Map<string, string>();
  private readonly all = new Roll();
  /** The members by zone, and the zone of each that has one. */
  private readonly zones = new Map<string, Roll>();
  private readonly zoneOf = new Map<string, string>();

  /** All neighbours of a member. */
  neighboursOf(member: string): string[] {
    const all = new Set(this.chosen.get(member));
    for (const beside of [this.next.get(member), this.previous.get(member)]) {
      if (beside !== undefined && beside !== member) all.add(beside);
    }
    return [...all];
  }

  /**
   * Adds a member that is not in the graph; returns those whose neighbours changed, itself included.
   *
   * @param zone where it stands; undefined: unknown.
   */
  add(member: string, random: () => number, zone?: string): string[] {
    const changed = new Set([member]);
    const before = this.all.anyone(random) ?? member;
    const after = this.next.get(before) ?? member;
    this.chosen.set(member, new Set());
    this.link(before, member);
    this.link(member, after);
    this.all.add(member);
    if (zone !== undefined) this.enterZone(member, zone);
    changed.add(before).add(after);
    this.choose(member, CHOSEN, random, changed);
    return [...changed];
  }

  /** Removes a member; returns those whose neighbours changed. */
  remove(member: string, random: () => number): string[] {
    const chosen = this.chosen.get(member);
    if (chosen === undefined) return [];
    const changed = new Set(this.neighboursOf(member));
    const before = this.previous.get(member);
    const after = this.next.get(member);
    for (const links of [this.next, this.previous]) links.delete(member);
    if (before !== undefined && after !== undefined && before !== member) this.link(before, after);
    this.chosen.delete(member);
    this.all.remove(member);
    this.leaveZone(member);
    for (const other of chosen) {
      this.chosen.get(other)?.delete(member);
      this.choose(other, MIN_CHOSEN, random, changed);
    }
    return [...changed];
  }

  /** Some of the members, for one that is not in the graph. */
  some(random: () => number): string[] {
    const some = new Set<string>();
    for (let tries = 0; some.size < CHOSEN && tries < TRIES; tries += 1) {
      const other = this.all.anyone(random);
      if (other !== undefined) some.add(other);
    }
    return [...some];
  }

  /** Gives `member` another neighbour in place of `other`, unless the two are beside each other; returns those whose neighbours changed. */
  replace(member: string, other: string, random: () => number): string[] {
    const changed = new Set<string>();
    const mine = this.chosen.get(member);
    if (mine?.delete(other) !== true) return [];
    this.chosen.get(other)?.delete(member);
    changed.add(member).add(other);
    this.choose(member, CHOSEN, random, changed, other);
    this.choose(other, MIN_CHOSEN, random, changed, member);
    return [...changed];
  }

  /** Gives `member` random neighbours until it has `wanted`, as far as others have room; the first of them from its zone. */
  private choose(member: string, wanted: number, random: () => number, changed: Set<string>, except?: string): void {
    const zone = this.zones.get(this.zoneOf.get(member) ?? '');
    if (zone !== undefined) this.chooseFrom(zone, member, Math.min(wanted, CHOSEN_IN_ZONE), random, changed, except);
    this.chooseFrom(this.all, member, wanted, random, changed, except);
  }

  private chooseFrom(
    roll: Roll,
    member: string,
    wanted: number,
    random: () => number,
    changed: Set<string>,
    except: string | undefined,
  ): void {
    const mine = this.chosen.get(member);
    if (mine === undefined) return;
    const known = new Set(this.neighboursOf(member));
    for (let tries = 0; mine.size < wanted && tries < TRIES && known.size < this.all.size - 1; tries += 1) {
      const other = roll.anyone(random);
      const theirs = other === undefined ? undefined : this.chosen.get(other);
      if (other === undefined || theirs === undefined) return;
      if (other === member || other === except || known.has(other) || theirs.size >= MAX_CHOSEN) continue;
      mine.add(other);
      theirs.add(member);
      known.add(other);
      changed.add(other);
    }
  }

  private enterZone(member: string, zone: string): void {
    this.zoneOf.set(member, zone);
    const roll = this.zones.get(zone) ?? new Roll();
    this.zones.set(zone, roll);
    roll.add(member);
  }

  private leaveZone(member: string): void {
    const zone = this.zoneOf.get(member);
    if (zone === undefined) return;
    this.zoneOf.delete(member);
    const roll = this.zones.get(zone);
    roll?.remove(member);
    if (roll?.size === 0) this.zones.delete(zone);
  }

  private link(before: string, after: string): void {
    this.next.set(before, after);
    this.previous.set(after, before);
  }
}
