import { performance } from 'node:perf_hooks';

import { BlockSlots } from '@cdk8s-dragonfly/store';

import { Precedence } from './precedence';
import type { Traffic } from './traffic';
import type { UploadLimit } from './upload-limit';

/** Blocks that are given at a time, in all. */
const UPLOADS = 128;
/** The same to one neighbour, so that none has most of the link. */
export const UPLOADS_EACH = 4;

/**
 * Blocks for neighbours that are read from disk at a time: half of the threads that Node.js has for files, so that a slow disk keeps the node's
 * own pulls waiting behind one read, not behind all of them.
 */
const READS = 2;

/**
 * A daemon whose turn does not come within this time, in milliseconds, is told to ask others: it has others to ask, and while it waits here it
 * asks none of them. Long enough that the next one is there when a turn ends.
 */
const DAEMON_WAITS = 50;

/** The same for an original client, which the supernode sends to one holder at a time. */
export const ORIGINAL_WAITS = 1000;

/** Whose turn has come waits so long at most, in milliseconds, until own pulls leave room. */
const BEHIND_OWN = 1000;

/** How often it is looked whether own pulls leave room, in milliseconds. */
const LOOK_EVERY = 5;

/** When which neighbour is given its next block. */
export class UploadTurns {
  private readonly slots: BlockSlots;
  private reads = 0;
  /** Reads that wait for others to end, the first first. */
  private readonly readers = new Set<() => void>();
  private readonly precedence = new Precedence();
  /** Who has to wait until own pulls leave room, the first first. */
  private readonly behind = new Set<() => void>();
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param own what the node's own pulls got so far.
   * @param limit what neighbours together may take. Default: no limit.
   * @param cpu CPU time of this process so far, in milliseconds. Default: as the system counts it.
   */
  constructor(
    private readonly own: Readonly<Traffic>,
    limit?: Pick<UploadLimit, 'atOnce' | 'patience'>,
    private readonly cpu = cpuOfProcess,
  ) {
    const total = Math.min(UPLOADS, limit?.atOnce ?? UPLOADS);
    this.slots = new BlockSlots({
      total,
      each: UPLOADS_EACH,
      ...(limit === undefined ? {} : { patience: limit.patience }),
    });
  }

  /**
   * Waits for a turn.
   *
   * @param client by its address.
   * @param cut ends the answer of one that is slow while others wait.
   * @param patience how long it waits for others, in milliseconds. Default: that of a daemon.
   * @returns what ends the turn, with the bytes that were sent; undefined when it does not come in time.
   * @throws the signal's reason when it aborts.
   */
  async take(
    client: string,
    gone: AbortSignal,
    cut: () => void,
    patience = DAEMON_WAITS,
  ): Promise<((bytes: number) => void) | undefined> {
    gone.throwIfAborted();
    let done = this.slots.takeFree(client, cut);
    // Nearly always so, and what follows is more work than a small block's own.
    if (done !== undefined && this.mayGiveNow) return done;
    const late = new AbortController();
    let timer = setTimeout(() => late.abort(), patience);
    const signal = AbortSignal.any([gone, late.signal]);
    try {
      done ??= await this.slots.take(client, signal, cut);
      clearTimeout(timer);
      timer = setTimeout(() => late.abort(), BEHIND_OWN);
      await this.behindOwn(signal);
      return done;
    } catch (error) {
      done?.(0);
      if (late.signal.aborted && !gone.aborted) return undefined;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Reads something for a neighbour, when its turn comes. @throws whatever `read` throws. */
  async reading<T>(read: () => Promise<T>): Promise<T> {
    if (this.reads < READS) this.reads += 1;
    else await new Promise<void>((resolve) => this.readers.add(resolve));
    try {
      return await read();
    } finally {
      const [next] = this.readers;
      // Who ends gives the place away.
      if (next === undefined) this.reads -= 1;
      else {
        this.readers.delete(next);
        next();
      }
    }
  }

  /** Resolves when own pulls leave room for a block. */
  private async behindOwn(signal: AbortSignal): Promise<void> {
    if (this.mayGiveNow) return;
    await new Promise<void>((resolve, reject) => {
      const gone = (): void => {
        this.behind.delete(begin);
        reject(signal.reason as Error);
      };
      const begin = (): void => {
        signal.removeEventListener('abort', gone);
        resolve();
      };
      this.behind.add(begin);
      signal.addEventListener('abort', gone, { once: true });
      // The time of a signal may have come in the meantime.
      if (signal.aborted) gone();
      this.timer ??= setInterval(() => this.look(), LOOK_EVERY).unref();
    });
  }

  private look(): void {
    for (const begin of this.behind) {
      if (!this.mayGive()) return;
      this.behind.delete(begin);
      begin();
    }
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Whether own pulls leave room for a block, and nobody waits for that already. */
  private get mayGiveNow(): boolean {
    return this.behind.size === 0 && this.mayGive();
  }

  private mayGive(): boolean {
    const now = performance.now();
    const { active: busy } = performance.eventLoopUtilization();
    if (!this.precedence.isOpen({ now, busy, cpu: this.cpu(), own: { ...this.own } })) return false;
    this.precedence.gave();
    return true;
  }
}

function cpuOfProcess(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
