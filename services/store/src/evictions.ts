import { setTimeout as delay } from 'node:timers/promises';

import type { BlobId } from '@cdk8s-dragonfly/protocol';

import type { BlobEntry, BlobIndex } from './blob-index';
import type { Evictor } from './space';
import type { StoreLog } from './store-folder';
import type { Turns } from './turns';

/** The wait for a blob to become quiet, in milliseconds. */
const MOMENT = 100;

/** How long a blob that the disk did not let go counts as one that may not go, in milliseconds. */
const STUCK = 60_000;

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
      if (!turns.has(entry.blob) && entry.stuckUntil <= moment)
        room[entry.mayGo(moment) ? 'now' : 'soon'] += entry.account.charge;
    }
    return room;
  }

  /** A blob that the disk does not let go is passed over for a minute, so that it keeps no others from going. */
  async evict(bytes: number): Promise<void> {
    const { index, turns, now } = this.tools;
    const moment = now();
    let freed = 0;
    for (const entry of index.idle()) {
      if (freed >= bytes) return;
      // A blob whose turn it is, is about to be used; waiting for it could be waiting for ourselves.
      if (turns.has(entry.blob) || entry.stuckUntil > moment || !entry.mayGo(moment)) continue;
      const { charge } = entry.account;
      if (await this.remove(entry, moment)) freed += charge;
    }
  }

  private async remove(entry: BlobEntry, moment: number): Promise<boolean> {
    const { turns, discard, log } = this.tools;
    const { blob } = entry;
    const { charge } = entry.account;
    const { stored, told } = entry.takeAway();
    const removed = turns.run(blob, async () => {
      stored?.markRemoved();
      await stored?.close();
      await discard(entry);
    });
    for (const tell of told) tell();
    try {
      await removed;
    } catch (error) {
      entry.stuckUntil = moment + STUCK;
      log?.warn({ blob, err: error }, 'cannot be removed to make room');
      return false;
    }
    this.gone += 1;
    log?.debug({ blob, bytes: charge }, 'removed to make room');
    return true;
  }

  async moment(): Promise<void> {
    await delay(MOMENT);
  }
}
