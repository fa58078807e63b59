import { createHash } from 'node:crypto';

import type { BlobId, Grid } from '@cdk8s-dragonfly/protocol';

/** A blob is divided into so many parts at most, each at least {@link PART} bytes long. */
const PARTS = 64;
const PART = 1024 * 1024;

/** Blocks to fetch in one request: from `first` up to and without `end`. */
export interface Run {
  readonly first: number;
  readonly end: number;
}

/** What the choice depends on. */
export interface TurnState {
  readonly grid: Grid;
  /** Length of the blob in bytes. */
  readonly size: number;
  /** The other nodes that fetch it too, as far as they are known. */
  readonly others: readonly string[];
  /** The blocks that are missing and that nobody offers, in ascending order. */
  readonly orphans: readonly number[];
  /** In milliseconds of one clock. */
  readonly now: number;
  /** How long whoever comes first for a part may bring nothing, in milliseconds, before the next takes its place. */
  readonly patience: number;
}

/**
 * Who of several nodes fetches which part of a blob from its origin, when nobody is there who could tell them. Each finds it out for itself,
 * from the names of those it knows: the parts are dealt evenly, by rendezvous, so that nodes that know each other come to the same. For
 * whoever brings nothing the next in order takes over, one after the other. Pure, with a memory of who brought something when.
 */
export class Turns {
  /** By node: how many of its parts' blocks were missing, and since when that is so. */
  private readonly news = new Map<string, { missing: number; since: number }>();
  /** What this node was given to fetch of others' parts: that it comes is no news of them. */
  private readonly taken = new Set<number>();
  private dealt: { readonly to: string; readonly orders: readonly (readonly string[])[] } | undefined;

  constructor(
    private readonly blob: BlobId,
    private readonly self: string,
  ) {}

  /** What this node fetches next; undefined while all that is missing is for others to fetch. */
  next(state: TurnState): Run | undefined {
    const { grid, size, orphans, now, patience } = state;
    const partLength = PART * Math.max(1, Math.ceil(size / PARTS / PART));
    const partOf = (block: number): number => {
      // By its middle: blocks are not whole fractions of a part.
      const { offset } = grid.span(block);
      return Math.floor((offset + grid.blockLength(block, size) / 2) / partLength);
    };
    const orders = this.deal(Math.ceil(size / partLength), state.others);
    const ownerOf = (block: number): string => orders[partOf(block)]?.[0] ?? this.self;
    this.hear([...new Set([...orphans, ...this.taken])].map(ownerOf), now);
    const isMine = (block: number): boolean => {
      const order = orders[partOf(block)] ?? [this.self];
      const rank = order.indexOf(this.self);
      const since = this.news.get(order[0] ?? '')?.since ?? now;
      return now - since >= rank * patience;
    };
    const isOwn = (block: number): boolean => ownerOf(block) === this.self;
    const first = orphans.find(isOwn) ?? orphans.find(isMine);
    if (first === undefined) return undefined;
    const missing = new Set(orphans);
    let end = first + 1;
    while (missing.has(end) && isMine(end)) end += 1;
    for (let block = first; block < end; block += 1) if (!isOwn(block)) this.taken.add(block);
    return { first, end };
  }

  /** Takes note of whose parts have come on. @param owners of each missing block. */
  private hear(owners: readonly string[], now: number): void {
    const missing = new Map<string, number>();
    for (const owner of owners) missing.set(owner, (missing.get(owner) ?? 0) + 1);
    for (const [owner, count] of missing) {
      if (this.news.get(owner)?.missing !== count) this.news.set(owner, { missing: count, since: now });
    }
  }

  /** For each part, the nodes in the order in which it is theirs. */
  private deal(parts: number, others: readonly string[]): readonly (readonly string[])[] {
    // Sorted, so that equals stand in the same order everywhere.
    const names = [this.self, ...others].sort();
    const to = names.join('\n');
    if (this.dealt?.to === to) return this.dealt.orders;
    const seeds = new Map(names.map((name) => [name, seedOf(this.blob, name)]));
    const loads = new Map(names.map((name) => [name, 0]));
    const orders: (readonly string[])[] = [];
    // From the end on: what is left of a blob that has come in part is its end, and is dealt evenly too.
    for (let part = parts - 1, dealt = 0; part >= 0; part -= 1, dealt += 1) {
      const weight = (name: string): number => mix((seeds.get(name) ?? 0) ^ Math.imul(part + 1, 0x9e3779b1));
      const byWeight = [...names].sort((one, other) => weight(other) - weight(one));
      const most = Math.floor(dealt / names.length);
      const owner = byWeight.find((name) => (loads.get(name) ?? 0) <= most) ?? this.self;
      loads.set(owner, (loads.get(owner) ?? 0) + 1);
      orders[part] = [owner, ...byWeight.filter((name) => name !== owner)];
    }
    this.dealt = { to, orders };
    return orders;
  }
}

function seedOf(blob: BlobId, name: string): number {
  return createHash('sha256').update(`${blob}\n${name}`).digest().readUInt32LE(0);
}

/** Spreads the bits of a number (murmur3's last step). */
function mix(number: number): number {
  let mixed = number;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
