import type { FileSystemFacts } from './free-space';
import type { StoreLog } from './store-folder';

/** How a store is kept. */
export interface StoreOptions {
  /** The most that its files may take on disk, in bytes. Default: no limit. */
  readonly quota?: number | undefined;
  /** What must stay free on its file system, in bytes. Default 0. */
  readonly minFree?: number | undefined;
  /** Is told what an operator wants to know. Default: nobody is. */
  readonly log?: StoreLog | undefined;
  /** The file system's answer for a path. Default: statfs(2). */
  readonly statfs?: ((path: string) => Promise<FileSystemFacts>) | undefined;
  /** Begins to do something again and again; returns what ends that. Default: a timer. */
  readonly every?: ((milliseconds: number, work: () => void) => () => void) | undefined;
  /** Milliseconds of a clock that never goes back. Default: `performance.now()`. */
  readonly now?: (() => number) | undefined;
}

/** What a store holds. */
export interface StoreUsage {
  readonly blobs: number;
  /** On disk, or promised to blobs that arrive. */
  readonly bytes: number;
  /** Blobs removed to make room, since the start. */
  readonly evicted: number;
}

/** The default of {@link StoreOptions.every}. */
export function timer(milliseconds: number, work: () => void): () => void {
  const running = setInterval(work, milliseconds);
  running.unref();
  return () => clearInterval(running);
}
