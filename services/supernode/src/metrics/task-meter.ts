import { watchedOrigin } from '@cdk8s-dragonfly/origin';
import type { Origin } from '@cdk8s-dragonfly/origin';
import type { BlobId } from '@cdk8s-dragonfly/protocol';

import type { Task } from '../tasks/task';

/** So many whole tasks count for the copies. */
const REMEMBERED = 1000;

/** So many blobs are counted while they are not whole. */
const MOST_RUNNING = 20_000;

/** What a whole task took of its origin. */
export interface OriginCopies {
  readonly blob: BlobId;
  /** Bytes from the origin. */
  readonly bytes: number;
  /** Bytes of the blob. */
  readonly size: number;
}

/** Counts what tasks do: plain numbers, read when somebody asks. */
export class TaskMeter {
  /** Tasks that were new. */
  registered = 0;
  /** Downloads that were begun. */
  begun = 0;
  /** Downloads that are whole and took bytes of the origin. */
  downloaded = 0;
  /** Downloads that are whole and took none. */
  hits = 0;
  failed = 0;
  /** Bytes that came from origins. */
  originBytes = 0;
  /** Bytes that came from daemons that held them. */
  holderBytes = 0;
  private readonly running = new Map<BlobId, number>();
  private readonly whole = new Map<BlobId, OriginCopies>();

  /** The origin for one blob: what it gives is counted. */
  originFor(blob: BlobId, origin: Origin): Origin {
    return watchedOrigin(origin, (length) => {
      this.originBytes += length;
      this.running.set(blob, (this.running.get(blob) ?? 0) + length);
      // What failed may never become whole: its count goes when there are many newer ones.
      const [oldest] = this.running.size > MOST_RUNNING ? this.running.keys() : [];
      if (oldest !== undefined) this.running.delete(oldest);
      return undefined;
    });
  }

  /** Follows a new task. */
  follow(task: Task): void {
    this.registered += 1;
    let before = task.state;
    task.watch(() => {
      if (task.state !== before) this.changed(task);
      before = task.state;
    });
  }

  /** The tasks that became whole last, the latest at the end. */
  copies(): readonly OriginCopies[] {
    return [...this.whole.values()];
  }

  private changed(task: Task): void {
    if (task.state === 'waiting') this.begun += 1;
    if (task.state === 'failed') this.failed += 1;
    if (task.state !== 'complete') return;
    const bytes = this.running.get(task.blob) ?? 0;
    this.running.delete(task.blob);
    if (bytes === 0) {
      this.hits += 1;
      return;
    }
    this.downloaded += 1;
    this.whole.delete(task.blob);
    this.whole.set(task.blob, { blob: task.blob, bytes, size: task.stored?.size ?? bytes });
    if (this.whole.size > REMEMBERED) {
      const [oldest] = this.whole.keys();
      if (oldest !== undefined) this.whole.delete(oldest);
    }
  }
}
