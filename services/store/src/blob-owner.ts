import type { BlobRoom } from './blob-room';
import type { BlockBuffers } from './block-buffers';
import type { RecentBlocks } from './recent-blocks';
import type { Unstorable } from './unstorable';

/** What an open blob needs of its store. */
export interface BlobOwner {
  readonly room: BlobRoom;
  /** What was written last, of all blobs of the store. */
  readonly recent: RecentBlocks;
  readonly buffers: BlockBuffers;
  /** Why nothing can be written; undefined when it can. */
  fault(): Unstorable | undefined;
  /** Somebody reads. */
  reading(): void;
  /** It is whole and confirmed. */
  finished(): void;
  yieldTo(taken: () => void): void;
  release(taken: (() => void) | undefined): Promise<void>;
}
