import type { BlobId } from '@cdk8s-dragonfly/protocol';

/** So many task ids are remembered. */
const MAX_ALIASES = 100_000;

/**
 * Which blob each classic task id means. Several mean the same one when their URLs name the same digest. Bounded: the one that was
 * registered the longest ago is forgotten first, and its clients register again.
 */
export class ClassicAliases {
  private readonly blobs = new Map<string, BlobId>();

  /** @param limit how many are remembered. Default {@link MAX_ALIASES}. */
  constructor(private readonly limit = MAX_ALIASES) {}

  get size(): number {
    return this.blobs.size;
  }

  add(taskId: string, blob: BlobId): void {
    this.blobs.delete(taskId);
    this.blobs.set(taskId, blob);
    if (this.blobs.size <= this.limit) return;
    const [oldest] = this.blobs.keys();
    if (oldest !== undefined) this.blobs.delete(oldest);
  }

  /** Undefined when no client has registered the task, or when it is forgotten. */
  blobOf(taskId: string): BlobId | undefined {
    return this.blobs.get(taskId);
  }

  /** Forgets the task ids of all blobs but those that are kept. */
  keepOnly(kept: (blob: BlobId) => boolean): void {
    for (const [taskId, blob] of this.blobs) if (!kept(blob)) this.blobs.delete(taskId);
  }
}
