import type { BlobId } from '@cdk8s-dragonfly/protocol';

/** A daemon that has not told in this time, in ms, that it has a blob whole is asked whether it still wants it: it may have given it up. */
export const ASK_AFTER = 10 * 60_000;

/** Who still wants it registers again within this time, in ms, its wait for its turn included; who does not wants it no more. */
export const ANSWER_WITHIN = 5 * 60_000;

/** The blobs that a daemon wants, as far as a supernode can know: it tells what it has, and not what it has given up. Times are in ms. */
export class Pulls {
  /** Since when. */
  private readonly since = new Map<BlobId, number>();
  /** Those of which it was asked whether it still wants them, and when. */
  private readonly askedAt = new Map<BlobId, number>();

  get size(): number {
    return this.since.size;
  }

  get blobs(): Iterable<BlobId> {
    return this.since.keys();
  }

  /** It wants the blob from now on, or still. */
  begin(blob: BlobId, now: number): void {
    // Whole numbers: others are objects, and there are as many as there are pulls.
    this.since.set(blob, Math.trunc(now));
    this.askedAt.delete(blob);
  }

  end(blob: BlobId): void {
    this.since.delete(blob);
    this.askedAt.delete(blob);
  }

  /** Of which blobs it is to be asked. */
  toAsk(now: number): BlobId[] {
    return [...this.since].flatMap(([blob, at]) => (now - at >= ASK_AFTER && !this.askedAt.has(blob) ? [blob] : []));
  }

  asked(blob: BlobId, now: number): void {
    this.askedAt.set(blob, Math.trunc(now));
  }

  /** It may not have heard what it was asked. */
  askAnew(): void {
    this.askedAt.clear();
  }

  /** Of which blobs it was asked in vain. */
  unanswered(now: number): BlobId[] {
    return [...this.askedAt].flatMap(([blob, at]) => (now - at >= ANSWER_WITHIN ? [blob] : []));
  }
}
