import type { BlobId } from '@cdk8s-dragonfly/protocol';

/** Which blob each classic task id means. Several mean the same one when their URLs name the same digest. */
export class ClassicAliases {
  private readonly blobs = new Map<string, BlobId>();

  add(taskId: string, blob: BlobId): void {
    this.blobs.set(taskId, blob);
  }

  /** Undefined when no client has registered the task since the start. */
  blobOf(taskId: string): BlobId | undefined {
    return this.blobs.get(taskId);
  }
}
