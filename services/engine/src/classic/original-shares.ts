import { isDigest } from '@cdk8s-dragonfly/protocol';
import type { BlobId } from '@cdk8s-dragonfly/protocol';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

import type { OriginalPlace } from './original-supernode';

/** For so long, in milliseconds, a blob is not taken from original supernodes after its bytes from there turned out to be wrong. */
const DISTRUST_FOR = 600_000;

/** So many blobs are shared with original clients; of more, the one goes that was begun the longest ago. */
const MAX_SHARED = 1000;

/**
 * What this node gives to the clients of original supernodes, and which bytes are known well enough for that: those that our supernode
 * attests, those of a blob whose digest is right, and pieces that had the MD5 that the supernode told.
 */
export class OriginalShares {
  private readonly places = new Map<BlobId, OriginalPlace>();
  private readonly distrusted = new Map<BlobId, number>();
  private readonly checked = new WeakMap<StoredBlob, Set<number>>();

  /** Whether a block may be given to clients that cannot check it. */
  isProven(stored: StoredBlob, block: number): boolean {
    if (stored.proofOf(block)?.signature !== undefined) return true;
    if (stored.finished && isDigest(stored.blob)) return true;
    return this.checked.get(stored)?.has(stored.grid.pieceOfBlock(block)) === true;
  }

  /** A piece that had its MD5 is on disk: others may have it. @param from whom it came from. */
  share(stored: StoredBlob, place: OriginalPlace, piece: number, from: string): void {
    const pieces = this.checked.get(stored) ?? new Set<number>();
    this.checked.set(stored, pieces.add(piece));
    this.tell(stored, place, piece, from);
  }

  /** A blob is whole and its digest is right: others may have its pieces. @param from whom each came from. */
  shareWhole(stored: StoredBlob, place: OriginalPlace, from: ReadonlyMap<number, string>): void {
    if (!isDigest(stored.blob)) return;
    for (const [piece, cid] of from) this.tell(stored, place, piece, cid);
  }

  /** What original supernodes and their clients gave for a blob was wrong. */
  distrust(blob: BlobId): void {
    const now = performance.now();
    for (const [other, until] of this.distrusted) if (until <= now) this.distrusted.delete(other);
    this.distrusted.set(blob, now + DISTRUST_FOR);
  }

  isDistrusted(blob: BlobId): boolean {
    return (this.distrusted.get(blob) ?? 0) > performance.now();
  }

  /** Says goodbye to the supernodes. */
  async stop(): Promise<void> {
    const places = [...this.places.values()];
    this.places.clear();
    await Promise.all(places.map((place) => place.supernode.down(place)));
  }

  private tell({ blob, grid }: StoredBlob, place: OriginalPlace, pieceNum: number, dstCid: string): void {
    this.keep(blob, place);
    const { supernode, cid, registration } = place;
    supernode.pieceStored({ pieceNum, pieceSize: grid.pieceSize, taskId: registration.taskId, cid, dstCid });
  }

  private keep(blob: BlobId, place: OriginalPlace): void {
    const before = this.places.get(blob);
    if (before === place) return;
    this.places.delete(blob);
    this.places.set(blob, place);
    const [oldest] = this.places;
    const surplus = before ?? (this.places.size > MAX_SHARED ? oldest?.[1] : undefined);
    if (surplus === undefined) return;
    if (before === undefined && oldest !== undefined) this.places.delete(oldest[0]);
    // Never rejects; nobody waits for it.
    void surplus.supernode.down(surplus);
  }
}
