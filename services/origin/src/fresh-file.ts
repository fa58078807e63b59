import { readFileSync, statSync } from 'node:fs';

import type { OriginLog } from './origin-log';

/** How often a file is looked at, in milliseconds. */
const LOOK_EVERY = 1000;

/** What {@link FreshFile} is made of. */
export interface FreshFileOptions<T> {
  readonly path: string;
  /** What the file's text means. Throws when it means nothing; the message has no secret in it. */
  readonly parse: (text: string) => T;
  readonly log?: OriginLog | undefined;
  /** The clock, in milliseconds. */
  readonly now?: (() => number) | undefined;
}

/**
 * A small file that may change while it is used, such as a mounted Secret: its latest content that could be read. It is looked at when it is
 * wanted, at most once a second. A change that cannot be read is logged, and what was there before counts.
 */
export class FreshFile<T> {
  private content: T;
  private version: string;
  private lookedAt: number;

  /** @throws Error of the file system, or of `parse`. */
  constructor(private readonly options: FreshFileOptions<T>) {
    this.version = this.look();
    this.lookedAt = this.now();
    this.content = this.read();
  }

  /** What it says now. The same object as long as it does not change. */
  get(): T {
    const now = this.now();
    if (now - this.lookedAt < LOOK_EVERY) return this.content;
    this.lookedAt = now;
    try {
      const version = this.look();
      if (version !== this.version) {
        this.version = version;
        this.content = this.read();
        this.options.log?.warn('a file has changed and is used as it is now', { file: this.options.path });
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.options.log?.warn('a file cannot be read any more; what it said before counts', {
        file: this.options.path,
        why,
      });
    }
    return this.content;
  }

  private read(): T {
    return this.options.parse(readFileSync(this.options.path, 'utf8'));
  }

  /** Follows links: the kubelet changes a mounted Secret by pointing a link elsewhere. */
  private look(): string {
    const { ino, size, mtimeMs } = statSync(this.options.path);
    return `${ino}:${size}:${mtimeMs}`;
  }

  private now(): number {
    return this.options.now?.() ?? performance.now();
  }
}
