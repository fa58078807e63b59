import type { BlobId } from '@cdk8s-dragonfly/protocol';
import { MAX_HOLDINGS } from '@cdk8s-dragonfly/protocol';

import type { LinkLog } from './link-log';

/**
 * A supernode that knows less than we told is told all within this time, in milliseconds, and longer by so much for each blob: thousands of daemons find
 * it empty at once, and a blob costs it some 2 microseconds. What many have is known early all the same.
 */
const ANEW_WITHIN = 2000;
const ANEW_A_BLOB = 20;

/** Blobs that have just come are told within this time, in milliseconds: those of one image together. */
const NEWS_WITHIN = 1000;

/** So many blobs are told of, those used last: what a node keeps on its disk is seldom more. */
export const MOST_TOLD = 4 * MAX_HOLDINGS;

export interface AnnouncementsOptions {
  /** Tells the supernode; `anew`: it is to forget what it was told before. */
  readonly post: (blobs: readonly BlobId[], anew: boolean) => Promise<void>;
  /** The blobs that are here whole, the one used last at the end. */
  readonly all: () => readonly BlobId[];
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: LinkLog;
}

/** Keeps one supernode told of the blobs that this node has whole, so that they need not leave their origin again. */
export class Announcements {
  /** What the supernode should know of; -1: that is not certain. */
  private told = -1;
  private isOpen = false;
  private news: BlobId[] = [];
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(private readonly options: AnnouncementsOptions) {}

  /** The session is open. @param known how many of our blobs the supernode knows; undefined: it takes none. */
  opened(known: number | undefined): void {
    this.isOpen = known !== undefined;
    if (!this.isOpen) return;
    if (known !== this.told) this.told = -1;
    const here = Math.min(this.options.all().length, MOST_TOLD);
    if (this.told < 0 && here > 0) this.soon(ANEW_WITHIN + here * ANEW_A_BLOB);
    else this.told = Math.max(0, this.told);
  }

  /** The blob is here whole. */
  added(blob: BlobId): void {
    if (!this.isOpen) return;
    this.news.push(blob);
    this.soon(NEWS_WITHIN);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private soon(within: number): void {
    if (this.stopped) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.running = this.running.then(() => this.tell());
    }, this.options.random() * within);
  }

  /** Never rejects: what could not be told is told when the session is opened the next time. */
  private async tell(): Promise<void> {
    const { all, log, post } = this.options;
    const isAnew = this.told < 0;
    const blobs = isAnew ? all().slice(-MOST_TOLD) : this.news;
    this.news = [];
    try {
      let told = isAnew ? 0 : this.told;
      this.told = -1;
      for (let at = 0; at < blobs.length && !this.stopped; at += MAX_HOLDINGS) {
        const part = blobs.slice(at, at + MAX_HOLDINGS);
        await post(part, isAnew && at === 0);
        told += part.length;
      }
      this.told = told;
      log.debug({ blobs: told }, 'the supernode knows what is here');
    } catch (error) {
      log.debug({ err: error }, 'what is here could not be told to the supernode');
    }
  }
}
