/** Neighbours that a member is given when it joins, beside its two on the ring. */
const CHOSEN = 6;

/** Neighbours that a member may have beside its two on the ring. */
export const MAX_CHOSEN = 14;

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
  private readonly order: string[] = [];
  private readonly placeOf = new Map<string, number>();

  /** All neighbours of a member. */
  neighboursOf(member: string): string[] {
    const all = new Set(this.chosen.get(member));
    for (const beside of [this.next.get(member), this.previous.get(member)]) {
      if (beside !== undefined && beside !== member) all.add(beside);
    }
    return [...all];
  }

  /** Adds a member that is not in the graph; returns those whose neighbours changed, itself included. */
  add(member: string, random: () => number): string[] {
    const changed = new Set([member]);
    const before = this.anyone(random) ?? member;
    const after = this.next.get(before) ?? member;
    this.chosen.set(member, new Set());
    this.link(before, member);
    this.link(member, after);
    this.placeOf.set(member, this.order.length);
    this.order.push(member);
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
    this.forgetPlace(member);
    for (const other of chosen) {
      this.chosen.get(other)?.delete(member);
      this.choose(other, MIN_CHOSEN, random, changed);
    }
    return [...changed];
  }

  /** Gives `member` random neighbours until it has `wanted`, as far as others have room. */
  private choose(member: string, wanted: number, random: () => number, changed: Set<string>): void {
    const mine = this.chosen.get(member);
    if (mine === undefined) return;
    const known = new Set(this.neighboursOf(member));
    for (let tries = 0; mine.size < wanted && tries < TRIES && known.size < this.order.length - 1; tries += 1) {
      const other = this.anyone(random);
      const theirs = other === undefined ? undefined : this.chosen.get(other);
      if (other === undefined || theirs === undefined) return;
      if (other === member || known.has(other) || theirs.size >= MAX_CHOSEN) continue;
      mine.add(other);
      theirs.add(member);
      known.add(other);
      changed.add(other);
    }
  }

  private anyone(random: () => number): string | undefined {
    return this.order[Math.floor(random() * this.order.length)];
  }

  private link(before: string, after: string): void {
    this.next.set(before, after);
    this.previous.set(after, before);
  }

  private forgetPlace(member: string): void {
    const place = this.placeOf.get(member);
    const last = this.order.pop();
    this.placeOf.delete(member);
    if (place === undefined || last === undefined || last === member) return;
    this.order[place] = last;
    this.placeOf.set(last, place);
  }
}
