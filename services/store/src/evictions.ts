import { setTimeout as delay } from 'node:timers/promises';

import type { BlobId } from '@cdk8s-dragonfly/protocol';

import type { BlobEntry, BlobIndex } from './blob-index';
import type { Evictor } from './space';
import type { StoreLog } from './store-folder';
import type { Turns } from './turns';

/** The wait for a blob to become quiet, in milliseconds. */
const MOMENT = 100;

/** What evictions work with. */
export interface EvictionTools {
  readonly index: BlobIndex;
  readonly turns: Turns<BlobId>;
  /** Removes a blob that is nobody's any more, in its turn. */
  readonly discard: (entry: BlobEntry) => Promise<void>;
  readonly now: () => number;
  readonly log: StoreLog | undefined;
}

/** Removes blobs that nobody needs, those used longest ago first. */
export class Evictions implements Evictor {
  private gone = 0;

  constructor(private readonly tools: EvictionTools) {}

  /** Blobs removed so far. */
  get count(): number {
    return this.gone;
  }

  evictable(): { now: number; soon: number } {
    const { index, turns, now } = this.tools;
    const moment = now();
    const room = { now: 0, soon: 0 };
    for (const entry of index.idle()) {
      if (!turns.has(entry.blob)) room[entry.mayGo(moment) ? 'now' : 'soon'] += entry.account.charge;
    }
    return room;
  }

  /** @throws Unstorable when the disk does not let a blob go. */
  async evict(bytes: number): Promise<void> {
    const { index, turns, discard, now, log } = this.tools;
    const moment = now();
    let freed = 0;
    for (const entry of index.idle()) {
      if (freed >= bytes) return;
      // A blob whose turn it is, is about to be used; waiting for it could be waiting for ourselves.
      if (turns.has(entry.blob) || !entry.mayGo(moment)) continue;
      const { charge } = entry.account;
      const { stored, told } = entry.takeAway();
      const removed = turns.run(entry.blob, async () => {
        stored?.markRemoved();
        await stored?.close();
        await discard(entry);
      });
      for (const tell of told) tell();
      await removed;
      freed += charge;
      this.gone += 1;
      log?.debug({ blob: entry.blob, bytes: charge }, 'removed to make room');
    }
  }

  async moment(): Promise<void> {
    await delay(MOMENT);
  }
}
