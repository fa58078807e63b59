import { setTimeout as delay } from 'node:timers/promises';

import { HttpConnection } from './http-connection';
import type { HttpAnswer } from './http-connection';

/** As daemons have it (`services/engine/src/links/supernode-link.ts`), in ms: after so long without an answer they ping, and then as often as they are silent; */
const LOOK_AFTER = 500;
const SILENCE = 1000;

/** and while they wait for their turn they ping so often, once for all that they wait for. */
const LOOK_EVERY = 3000;

/** A daemon that registers with the patience and the pings of ours: one registration after the other over one connection, pings over another. */
export class PatientDaemon {
  /** How often it pinged. */
  pings = 0;
  private readonly asking: HttpConnection;
  private readonly pinging: HttpConnection;
  private last: Promise<unknown> = Promise.resolve();
  private isPinging = false;
  private lookedAt = 0;

  /** @param failed is told of pings that are not answered. */
  constructor(
    port: number,
    private readonly failed: (error: unknown) => void,
  ) {
    this.asking = new HttpConnection('127.0.0.1', port);
    this.pinging = new HttpConnection('127.0.0.1', port);
  }

  /** Registers when the registrations before are answered. @param sent is called when it does. */
  async register(body: string, sent: () => void): Promise<HttpAnswer> {
    const answer = this.last.then(async () => {
      sent();
      return this.patiently(this.asking.post('/peer/registry', body));
    });
    this.last = answer.catch(() => undefined);
    return answer;
  }

  /** Waits until it is its turn. */
  async waitForTurn(ms: number): Promise<void> {
    const end = performance.now() + ms;
    for (let left = ms; left > 0; left = end - performance.now()) {
      await delay(Math.min(left, LOOK_EVERY));
      if (left <= LOOK_EVERY) return;
      if (performance.now() - this.lookedAt >= LOOK_EVERY) this.ping();
    }
  }

  close(): void {
    this.asking.close();
    this.pinging.close();
  }

  private async patiently(answer: Promise<HttpAnswer>): Promise<HttpAnswer> {
    let timer: NodeJS.Timeout | undefined;
    const look = (): void => {
      this.ping();
      timer = setTimeout(look, SILENCE);
    };
    timer = setTimeout(look, LOOK_AFTER);
    return answer.finally(() => clearTimeout(timer));
  }

  private ping(): void {
    if (this.isPinging) return;
    this.isPinging = true;
    this.lookedAt = performance.now();
    this.pings += 1;
    this.pinging
      .get('/_ping')
      .catch(this.failed)
      .finally(() => (this.isPinging = false));
  }
}
