import type { BlobId } from '@cdk8s-dragonfly/protocol';

import type { Member } from '../placement/placement';

/**
 * So many daemons are remembered for a blob, those that told of it last: enough to have it from, when some of them are gone, or have removed it,
 * which they do not tell; who has it for the shortest time keeps it for the longest.
 */
export const MOST_HOLDERS = 16;

/** So many blobs are remembered; the ones that were told of longest ago go first. */
export const MOST_BLOBS = 50_000;

/** A daemon that tells what it holds. */
export interface Holder {
  readonly member: Member;
  /** How many blobs it told of. */
  told: number;
  /** Its session has ended, or it tells anew: what it told before does not count. */
  gone: boolean;
}

/** Which daemons hold which blobs whole, as they tell. Bounded, and in memory only: a restarted supernode is told anew. */
export class HoldingsIndex {
  /** In the order in which they were last told of. */
  private readonly blobs = new Map<BlobId, Set<Holder>>();

  /** @param most how many blobs are remembered. Default {@link MOST_BLOBS}. */
  constructor(private readonly most = MOST_BLOBS) {}

  get size(): number {
    return this.blobs.size;
  }

  /** A daemon holds a blob. */
  add(holder: Holder, blob: BlobId): void {
    holder.told += 1;
    const known = this.blobs.get(blob);
    const holders = known ?? new Set();
    this.blobs.delete(blob);
    this.blobs.set(blob, holders);
    holders.delete(holder);
    if (holders.size >= MOST_HOLDERS) makeRoom(holders);
    holders.add(holder);
    if (this.blobs.size <= this.most) return;
    const [oldest] = this.blobs.keys();
    if (oldest !== undefined) this.blobs.delete(oldest);
  }

  /** Who holds a blob. */
  holdersOf(blob: BlobId): Member[] {
    return [...(this.blobs.get(blob) ?? [])].flatMap(({ gone, member }) => (gone ? [] : [member]));
  }

  /** Forgets those who are gone, and the blobs that nobody holds any more. */
  forgetIdle(): void {
    for (const [blob, holders] of this.blobs) {
      dropGone(holders);
      if (holders.size === 0) this.blobs.delete(blob);
    }
  }
}

/** Those that are gone go, else who told of it longest ago. */
function makeRoom(holders: Set<Holder>): void {
  dropGone(holders);
  const [oldest] = holders;
  if (holders.size >= MOST_HOLDERS && oldest !== undefined) holders.delete(oldest);
}

function dropGone(holders: Set<Holder>): void {
  for (const holder of holders) if (holder.gone) holders.delete(holder);
}
