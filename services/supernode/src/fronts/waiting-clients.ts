import { setTimeout as delay } from 'node:timers/promises';

import { RESULT_CODE } from '@cdk8s-dragonfly/protocol';

/** Original clients that wait ask again after 2 s at the latest (Dragonfly 0.x protocol, 4.4); in ms. */
const ASKS_WITHIN = 2500;

/** So many are remembered. */
const MOST = 10_000;

/** How often it is looked, in ms. */
const STEP = 20;

const CLIENT = /[?&]srcCid=([^&]*)/i;

/**
 * The original clients that were told to ask again. One that then finds the port closed ends without its file (Dragonfly 0.x protocol, T1),
 * so the supernode does not go before each had an answer with which it goes on elsewhere.
 */
export class WaitingClients {
  /** When each was told. */
  private readonly since = new Map<string, number>();

  /** Takes note of an answer to `GET /peer/task`. */
  told(url: string, code: number): void {
    const cid = CLIENT.exec(url)?.[1];
    if (cid === undefined) return;
    if (code !== RESULT_CODE.peerContinue && code !== RESULT_CODE.peerWait) {
      this.since.delete(cid);
      return;
    }
    // Not taken out and put in anew: the key that stays is the first one, and the URL of this request, of which `cid` is a slice, can go.
    // Whole milliseconds, since other numbers are objects.
    this.since.set(cid, Math.trunc(performance.now()));
    if (this.since.size > MOST) this.makeRoom();
  }

  /** Drops those that have asked elsewhere by now, and when there are none, those that came first. */
  private makeRoom(): void {
    const now = performance.now();
    for (const [cid, since] of this.since) if (now - since >= ASKS_WITHIN) this.since.delete(cid);
    if (this.since.size <= MOST - MOST / 10) return;
    for (const first of [...this.since.keys()].slice(0, MOST / 10)) this.since.delete(first);
  }

  /** Resolves when no client waits any more and `done()`, at the latest after `limit` milliseconds. */
  async wait(limit: number, done: () => boolean): Promise<void> {
    const end = performance.now() + limit;
    while (performance.now() < end && !(done() && this.none())) await delay(STEP);
  }

  private none(): boolean {
    const now = performance.now();
    for (const since of this.since.values()) if (now - since < ASKS_WITHIN) return false;
    return true;
  }
}
