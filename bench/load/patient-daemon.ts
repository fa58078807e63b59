import { setTimeout as delay } from 'node:timers/promises';

import { Pulse } from '../../services/engine/src/links/pulse';
import type { PulseSockets } from '../../services/engine/src/links/pulse';
import { Tempo } from '../../services/engine/src/links/tempo';
import { HttpConnection } from './http-connection';
import type { HttpAnswer } from './http-connection';

/**
 * As daemons have it (`services/engine/src/links/supernode-link.ts`), in ms: after so long without an answer they ping, and then as often as
 * their patience has it, which is this and more with a supernode that is slow; while they wait for their turn, only when their session is silent.
 */
const LOOK_AFTER = 500;
const SILENCE = 1000;

/** Answers that come later are none. */
const LATEST_ANSWER = 30_000;

/** A pulse is felt within so many ms, or the supernode is pinged. */
const PULSE_WITHIN = 250;

/** A daemon that registers with the patience and the pings of ours: one registration after the other over one connection, pings over another. */
export class PatientDaemon {
  /** How often it looked whether the supernode lives, and how often it pinged, since it felt no pulse. */
  looks = 0;
  pings = 0;
  private readonly asking: HttpConnection;
  private readonly pinging: HttpConnection;
  private last: Promise<unknown> = Promise.resolve();
  private isPinging = false;
  private readonly tempo = new Tempo(SILENCE, () => performance.now());

  private readonly pulse: Pulse;

  /**
   * @param sockets for pulses, the same for all daemons.
   * @param failed is told of pings that are not answered.
   */
  constructor(
    port: number,
    sockets: PulseSockets,
    private readonly failed: (error: unknown) => void,
  ) {
    this.pulse = new Pulse(sockets, { host: '127.0.0.1', port });
    this.asking = new HttpConnection('127.0.0.1', port, LATEST_ANSWER);
    this.pinging = new HttpConnection('127.0.0.1', port, LATEST_ANSWER);
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

  close(): void {
    this.asking.close();
    this.pinging.close();
  }

  private async patiently(answer: Promise<HttpAnswer>): Promise<HttpAnswer> {
    let timer: NodeJS.Timeout | undefined;
    const look = (): void => {
      this.look().catch(this.failed);
      timer = setTimeout(look, this.tempo.patience);
    };
    timer = setTimeout(look, LOOK_AFTER);
    return answer.finally(() => clearTimeout(timer));
  }

  private async look(): Promise<void> {
    this.looks += 1;
    const soon = delay(PULSE_WITHIN, undefined, { ref: false });
    if (!this.isPinging && (await Promise.race([this.pulse.feel(), soon])) !== 'beats') this.ping();
  }

  private ping(): void {
    if (this.isPinging) return;
    this.isPinging = true;
    const began = performance.now();
    this.pings += 1;
    this.pinging
      .get('/_ping')
      .then(() => this.tempo.answered(performance.now() - began))
      .catch(this.failed)
      .finally(() => (this.isPinging = false));
  }
}
