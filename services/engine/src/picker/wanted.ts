import { bitsIn } from '@cdk8s-dragonfly/protocol';
import type { BlockSet } from '@cdk8s-dragonfly/protocol';

/** Bits of the counters of who has a block: with more neighbours than they can count, it stays at the most. */
const PLANES = 5;

/** What the supernode may be asked for, beside its having it. */
export interface SupernodeRule {
  /** `block mod count = index`; undefined: no block for this reason. */
  readonly share: { readonly index: number; readonly count: number } | undefined;
  /** Whether blocks that no neighbour has. */
  readonly orphans: boolean;
  /** What it has had for long, and for longer: of that, what no neighbour has is in shares that are twice as wide, four times, and so on. */
  readonly overdue: readonly BlockSet[];
}

type FromSupernode = SupernodeRule & { readonly has: BlockSet };

/** What is looked at. */
export interface Search {
  readonly held: BlockSet;
  /** The neighbours that may be asked: of their blocks any. */
  readonly givers: readonly BlockSet[];
  /** What the supernode has, and may be asked for. */
  readonly supernode: FromSupernode | undefined;
  /** All neighbours: how many have a block tells how rare it is. */
  readonly peers: readonly BlockSet[];
  readonly underWay: readonly { readonly block: number }[];
  /** Where to begin; behind the end it goes on from the first block. */
  readonly cursor: number;
  /** How many blocks there are; undefined while that is not known. */
  readonly end: number | undefined;
  /** About so many blocks are enough. */
  readonly most: number;
}

/**
 * The missing blocks that somebody may give, 32 at a time: most are here, or cannot be had, and what is left is counted for all of them at once.
 * A word is the bits of 32 blocks; of each there is a mask of those that are wanted, and for each of them how many neighbours have it, in
 * counters that stand upright, one bit of each in a plane.
 */
export class Wanted {
  private readonly places: number[] = [];
  private readonly masks: number[] = [];
  private readonly planes: number[] = [];
  private readonly taken: number[] = [];
  /** Where the words begin that were looked at for what is overdue; undefined: none were. */
  private overdueFrom: number | undefined;

  constructor(private readonly search: Search) {
    const { givers, supernode } = search;
    let last = supernode?.has.last ?? -1;
    for (const has of givers) last = Math.max(last, has.last);
    this.look(last, (place) => this.given(place));
    for (const { block } of search.underWay) this.take(block);
  }

  /** The first wanted block in `has` from `from` up to and without `to`, which are not far behind the cursor. */
  urgent(has: BlockSet, from: number, to: number): number | undefined {
    // The words are in the order of the search: the cursor's is the first, if anything in it is wanted.
    for (let index = 0; index < 2; index += 1) {
      const place = this.places[index] ?? Infinity;
      const some = (this.masks[index] ?? 0) & between(from - place * 32, to - place * 32);
      const given = some === 0 ? 0 : some & has.word(place);
      if (given !== 0) return place * 32 + firstBit(given);
    }
    return undefined;
  }

  /** A block is wanted no more. */
  take(block: number): void {
    this.taken.push(block);
    this.strike(block);
  }

  /** Of the blocks in `has`, the one that fewest neighbours have; among equals the one with the lowest lot. */
  rarest(has: BlockSet, lotOf: (block: number) => number): number | undefined {
    let found: number | undefined;
    let fewest = Infinity;
    let lowest = Infinity;
    for (let index = 0; index < this.places.length; index += 1) {
      const place = this.places[index] ?? 0;
      let some = (this.masks[index] ?? 0) & has.word(place);
      if (some === 0) continue;
      let holders = 0;
      for (let plane = PLANES - 1; plane >= 0; plane -= 1) {
        const without = some & ~(this.planes[index * PLANES + plane] ?? 0);
        if (without === 0) holders |= 1 << plane;
        else some = without;
      }
      if (holders > fewest) continue;
      if (holders < fewest) [fewest, lowest] = [holders, Infinity];
      for (; some !== 0; some &= some - 1) {
        const block = place * 32 + firstBit(some);
        const lot = lotOf(block);
        if (lot < lowest) [found, lowest] = [block, lot];
      }
    }
    return found;
  }

  /** The first block in `has`, from the cursor on, that the supernode may be asked for. */
  fromSupernode(has: BlockSet): number | undefined {
    const { supernode } = this.search;
    if (supernode === undefined) return undefined;
    for (let index = 0; index < this.places.length; index += 1) {
      const place = this.places[index] ?? 0;
      let some = (this.masks[index] ?? 0) & has.word(place);
      if (some !== 0) some &= ruled(supernode, place, this.orphans(index));
      if (some !== 0) return place * 32 + firstBit(some);
    }
    return undefined;
  }

  /** Of the blocks in `has` that no neighbour has though they are overdue, the one with the lowest lot: who else takes them takes others first. */
  overdue(has: BlockSet, lotOf: (block: number) => number): number | undefined {
    const { supernode } = this.search;
    if (supernode === undefined || supernode.overdue.length === 0) return undefined;
    this.overdueFrom ??= this.lookForOverdue(supernode);
    let found: number | undefined;
    let lowest = Infinity;
    for (let index = this.overdueFrom; index < this.places.length; index += 1) {
      const place = this.places[index] ?? 0;
      let some = (this.masks[index] ?? 0) & has.word(place);
      for (; some !== 0; some &= some - 1) {
        const block = place * 32 + firstBit(some);
        const lot = lotOf(block);
        if (lot < lowest) [found, lowest] = [block, lot];
      }
    }
    return found;
  }

  private strike(block: number): void {
    for (
      let index = this.places.indexOf(block >> 5);
      index !== -1;
      index = this.places.indexOf(block >> 5, index + 1)
    ) {
      this.masks[index] = (this.masks[index] ?? 0) & ~(1 << (block & 31));
    }
  }

  /** The blocks of a word that no neighbour has. */
  private orphans(index: number): number {
    let held = 0;
    for (let plane = 0; plane < PLANES; plane += 1) held |= this.planes[index * PLANES + plane] ?? 0;
    return ~held;
  }

  /** Adds the words with what is overdue; tells where they begin. They are few, if any, and most choices need none of them. */
  private lookForOverdue(supernode: FromSupernode): number {
    const { peers } = this.search;
    const from = this.places.length;
    if (this.isEarly(supernode)) return from;
    this.look(supernode.has.last, (place) => {
      let some = supernode.has.word(place) & widened(supernode, place);
      for (const has of peers) if (some !== 0) some &= ~has.word(place);
      return some;
    });
    for (const block of this.taken) this.strike(block);
    return from;
  }

  /**
   * Whether nothing of others' shares is to be taken yet: something of the own share is neither here nor taken, or more is missing than one choice looks
   * at. So much takes the swarm long to pass on, and what no neighbour has is with others, or under way to its taker.
   */
  private isEarly({ has, share }: FromSupernode): boolean {
    const { held, end = Infinity, most } = this.search;
    let found = 0;
    for (let place = 0; place * 32 < Math.min(has.last + 1, end); place += 1) {
      const missing = has.word(place) & ~held.word(place) & between(0, end - place * 32);
      if (missing === 0) continue;
      found += bitsIn(missing);
      if (found > most) return true;
      let own = share === undefined ? 0 : missing & ofShare(share, place);
      for (; own !== 0; own &= own - 1) if (!this.taken.includes(place * 32 + firstBit(own))) return true;
    }
    return false;
  }

  /** The blocks of a word that neighbours may give, or the supernode may be asked for whatever is overdue. */
  private given(place: number): number {
    const { givers, supernode } = this.search;
    let given = supernode === undefined ? 0 : supernode.has.word(place) & ruled(supernode, place, -1);
    for (const has of givers) given |= has.word(place);
    return given;
  }

  /** Looks at the missing blocks up to `last`, from the cursor on and then from the first. @param of the blocks of a word that count. */
  private look(last: number, of: (place: number) => number): void {
    const { cursor } = this.search;
    const end = Math.min(last + 1, this.search.end ?? Infinity);
    this.lookAt(cursor, end, of);
    this.lookAt(0, Math.min(cursor, end), of);
  }

  private lookAt(from: number, to: number, of: (place: number) => number): void {
    const { held, most } = this.search;
    let found = 0;
    for (let place = from >> 5; place * 32 < to && found < most; place += 1) {
      const missing = between(from - place * 32, to - place * 32) & ~held.word(place);
      if (missing !== 0) found += this.add(place, missing & of(place));
    }
  }

  /** Adds a word, unless nothing of it is wanted; tells how many blocks of it are. */
  private add(place: number, mask: number): number {
    if (mask === 0) return 0;
    const base = this.places.length * PLANES;
    this.places.push(place);
    this.masks.push(mask);
    for (let plane = 0; plane < PLANES; plane += 1) this.planes.push(0);
    for (const has of this.search.peers) this.count(base, has.word(place) & mask);
    return bitsIn(mask);
  }

  /** Adds one to the counters of some blocks. */
  private count(base: number, some: number): void {
    let carry = some;
    for (let plane = base; carry !== 0 && plane < base + PLANES; plane += 1) {
      const before = this.planes[plane] ?? 0;
      this.planes[plane] = before ^ carry;
      carry &= before;
    }
    // Those that ran over stay full.
    if (carry !== 0) {
      for (let plane = base; plane < base + PLANES; plane += 1) this.planes[plane] = (this.planes[plane] ?? 0) | carry;
    }
  }
}

/** The blocks of a word that the supernode may be asked for. @param orphaned those that no neighbour has. */
function ruled({ share, orphans }: SupernodeRule, place: number, orphaned: number): number {
  const some = orphans ? orphaned : 0;
  return share === undefined || some === -1 ? some : some | ofShare(share, place);
}

/** The blocks of a word that are overdue, and in the share as it is wider for them. */
function widened({ share, overdue }: SupernodeRule, place: number): number {
  let some = 0;
  let count = share?.count ?? 0;
  for (const blocks of overdue) {
    if (share === undefined || count <= 1) break;
    count /= 2;
    const word = blocks.word(place);
    // What is longer there is less.
    if (word === 0) break;
    some |= word & ofShare({ index: share.index % count, count }, place);
  }
  return some;
}

/** The blocks of a word with `block mod count = index`. */
function ofShare({ index, count }: { readonly index: number; readonly count: number }, place: number): number {
  if (count === 1) return -1;
  const first = place * 32;
  let some = 0;
  for (let bit = (((index - first) % count) + count) % count; bit < 32; bit += count) some |= 1 << bit;
  return some;
}

/** The bits from `from` up to and without `to`, as far as a word has them. */
function between(from: number, to: number): number {
  const low = from <= 0 ? -1 : from >= 32 ? 0 : -1 << from;
  const high = to >= 32 ? -1 : to <= 0 ? 0 : (1 << to) - 1;
  return low & high;
}

/** The place of the lowest bit of a word that is not 0. */
function firstBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
