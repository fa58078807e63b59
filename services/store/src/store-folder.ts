import { lstat } from 'node:fs/promises';
import { join } from 'node:path';

import { makeFolder } from './make-folder';
import { StoreLock } from './store-lock';
import { Unstorable, asUnstorable, isFull } from './unstorable';

/** Where a store writes what an operator wants to know. */
export interface StoreLog {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** The folder of a store, for this process alone. */
export class StoreFolder {
  /** Where blobs are. */
  readonly blobs: string;
  private lock: StoreLock | undefined;
  private unusable: Unstorable | undefined;
  private full = false;

  constructor(
    private readonly home: string,
    private readonly log: StoreLog | undefined,
  ) {
    this.blobs = join(home, 'blobs');
  }

  /** Why nothing can be written there; undefined when it can. */
  get fault(): Unstorable | undefined {
    return this.unusable;
  }

  /** Whether the disk was too full for the lock, which nobody holds: what is not needed may go. */
  get isFull(): boolean {
    return this.full;
  }

  /**
   * Takes the folder; made when missing. A disk that cannot be written to is the {@link fault} until this is called again.
   *
   * @throws StoreInUse when another process works there; Error when its place is a symbolic link or a file.
   */
  async take(): Promise<void> {
    this.full = false;
    try {
      await makeFolder(this.blobs);
      if (!(await lstat(this.blobs)).isDirectory()) {
        throw new Error(`${this.blobs} is not a folder; symbolic links are not followed`);
      }
      this.lock ??= await StoreLock.take(this.home);
      this.unusable = undefined;
    } catch (error) {
      const fault = asUnstorable(this.home, error);
      if (!(fault instanceof Unstorable)) throw error;
      this.full = isFull(error);
      if (this.unusable === undefined) this.log?.warn({ err: error }, 'the store cannot be written to');
      this.unusable = fault;
    }
  }

  async release(): Promise<void> {
    await this.lock?.release();
    this.lock = undefined;
  }
}
