import { setTimeout as delay } from 'node:timers/promises';

import { REPLICA_PATH, replicaAnswer } from '@cdk8s-dragonfly/protocol';
import { request } from 'undici';

import type { LinkLog } from './link-log';
import type { SupernodeRequests } from './supernode-requests';

/** The waits between tries to get in touch, in milliseconds: each twice as long as the one before, up to the second. */
const TOUCH_EVERY = 1000;
const TOUCH_AT_LEAST_EVERY = 30_000;

/** After so many milliseconds a supernode of another kind is looked at again: it may have been updated. */
const TOUCH_OTHER_KIND = 300_000;

export interface TouchOptions {
  readonly requests: SupernodeRequests;
  /** Whether there is a session, and nothing is left to do. */
  readonly isThere: () => boolean;
  /** It answers, and takes sessions. @param process which one of the supernode it is; undefined: it does not say. */
  readonly answers: (process: string | undefined) => Promise<void>;
  /** Aborts when the daemon stops. */
  readonly signal: AbortSignal;
  readonly log: LinkLog;
}

/** Asks a supernode again and again until it answers, and is one that takes sessions. */
export class Touch {
  private trying: Promise<void> | undefined;

  constructor(private readonly options: TouchOptions) {}

  /** Begins, unless it has begun. */
  seek(): void {
    this.trying ??= this.ask().finally(() => (this.trying = undefined));
  }

  /** Resolves when nothing is asked any more. */
  async ended(): Promise<void> {
    await this.trying;
  }

  /** Never rejects. */
  private async ask(): Promise<void> {
    const { answers, isThere, log, requests, signal } = this.options;
    for (let tries = 0; !signal.aborted; tries += 1) {
      if (isThere()) return;
      let wait = Math.min(TOUCH_EVERY * 2 ** tries, TOUCH_AT_LEAST_EVERY);
      try {
        const { statusCode, body } = await request(requests.url(REPLICA_PATH), { dispatcher: requests.agent, signal });
        const text = await body.text();
        // An original supernode, or one of ours of another version.
        if (statusCode === 404) wait = TOUCH_OTHER_KIND;
        if (statusCode === 200) {
          await answers(processIn(text));
          return;
        }
      } catch (error) {
        log.debug({ supernode: requests.name, err: error }, 'not in touch yet');
      }
      // Ends early when the daemon stops.
      await delay(wait, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}

/** Which process of the supernode says who it is; undefined: it does not say. */
function processIn(text: string): string | undefined {
  try {
    return replicaAnswer.parse(JSON.parse(text)).id;
  } catch {
    return undefined;
  }
}
