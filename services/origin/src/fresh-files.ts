import { readFileSync, statSync } from 'node:fs';

import type { OriginLog } from './origin-log';

/** How often the files are looked at, in milliseconds. */
const LOOK_EVERY = 1000;

/** What {@link FreshFiles} are made of. */
export interface FreshFilesOptions<T> {
  /** At least one. */
  readonly paths: readonly string[];
  /** What the files' texts mean together, in the order of `paths`. Throws when they mean nothing; the message has no secret in it. */
  readonly parse: (...texts: string[]) => T;
  readonly log?: OriginLog | undefined;
  /** The clock, in milliseconds. */
  readonly now?: (() => number) | undefined;
}

/**
 * A small file that may change while it is used, such as a mounted Secret, or several that belong together: their latest content that could be
 * used. They are looked at when they are wanted, at most once a second. A change that cannot be used, such as that of a certificate whose key
 * has not followed yet, is logged once, tried again, and what was there before counts.
 */
export class FreshFiles<T> {
  private content: T;
  private version: string;
  private lookedAt: number;
  /** What is wrong with the files as they are now, as far as it is logged. */
  private complaint: string | undefined;

  /** @throws Error of the file system, or of `parse`. */
  constructor(private readonly options: FreshFilesOptions<T>) {
    this.version = this.look();
    this.lookedAt = this.now();
    this.content = this.read();
  }

  /** What they say now. The same object as long as they do not change. */
  get(): T {
    const now = this.now();
    if (now - this.lookedAt < LOOK_EVERY) return this.content;
    this.lookedAt = now;
    const { paths: files, log } = this.options;
    try {
      const version = this.look();
      if (version !== this.version) {
        this.content = this.read();
        this.version = version;
        log?.warn('changed files are used as they are now', { files });
      }
      this.complaint = undefined;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (why !== this.complaint)
        log?.warn('changed files cannot be used; what they said before counts', { files, why });
      this.complaint = why;
    }
    return this.content;
  }

  private read(): T {
    return this.options.parse(...this.options.paths.map((path) => readFileSync(path, 'utf8')));
  }

  /** Follows links: the kubelet changes a mounted Secret by pointing a link elsewhere. */
  private look(): string {
    const versions = this.options.paths.map((path) => {
      const { ino, size, mtimeMs } = statSync(path);
      return `${ino}:${size}:${mtimeMs}`;
    });
    return versions.join();
  }

  private now(): number {
    return this.options.now?.() ?? performance.now();
  }
}
