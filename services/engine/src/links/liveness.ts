import { PROCESS_HEADER } from '@cdk8s-dragonfly/protocol';
import type { Dispatcher } from 'undici';
import { request } from 'undici';

import { isSilence } from './failure';
import type { LinkLog } from './link-log';
import { Patience, within } from './patience';
import type { Pulse } from './pulse';
import type { SteadyClock } from './steady-clock';
import { Tempo } from './tempo';

/**
 * `answers`: it answers pings; `busy`: it does not, and its pulse beats; `silent`: connections are there, and nobody knows of a pulse, or the
 * patience with a busy one is over; `hung`: connections are there, and its pulse has stopped; `gone`: nobody is there.
 */
export type LivenessState = 'answers' | 'busy' | 'silent' | 'hung' | 'gone';

/** That one hangs is true for so many milliseconds: nobody needs to find it out again meanwhile. */
const STAYS_HUNG = 1000;

/** A pulse that gets through is felt within so many milliseconds, mostly, also of one that is short of CPU. */
const PULSE_WITHIN = 250;

export interface LivenessOptions {
  /** The supernode's, for the log. */
  readonly name: string;
  readonly ping: URL;
  readonly dispatcher: Dispatcher;
  readonly pulse: Pulse;
  /** How long it may always be silent, in milliseconds. */
  readonly silence: number;
  /** How long one may be silent whose pulse beats, in milliseconds. */
  readonly busy: number;
  readonly clock: SteadyClock;
  /** Ends all pings. */
  readonly signal: AbortSignal;
  readonly log: LinkLog;
}

/** How a ping ended. */
type Pinged = { readonly status: number } | 'refused' | 'unreached';

/** Whether a supernode lives. */
export class Liveness {
  private readonly tempo: Tempo;
  private hungAt = -Infinity;

  private answering: string | undefined;
  private lately: { readonly at: number; readonly state: Promise<LivenessState> } | undefined;

  constructor(private readonly options: LivenessOptions) {
    this.tempo = new Tempo(options.silence, () => options.clock.now);
  }

  /** How long it may be silent now, in milliseconds. */
  get patience(): number {
    return this.tempo.patience;
  }

  /** Since when nothing has come from it, of the steady clock; undefined: it answers, or nobody listens there. */
  get silentSince(): number | undefined {
    return this.tempo.silentSince;
  }

  /** Which of its processes answered the last ping: another one has taken the place of one that said otherwise. Undefined: none has said. */
  get process(): string | undefined {
    return this.answering;
  }

  /** Whether it has just been found to hang. */
  get hangs(): boolean {
    return performance.now() - this.hungAt < STAYS_HUNG;
  }

  /** Looks whether it has a pulse at all, so that one that stops later is missed. */
  meet(): void {
    if (!this.options.pulse.wasFelt) void this.options.pulse.feel();
  }

  /**
   * As {@link look}, or what came of one that began less than so many milliseconds ago: thousands of nodes wait at once, each with its layers.
   *
   * @param isGentle whether its pulse is enough, which costs it next to nothing: one that beats is `busy` then. Default: it is pinged too.
   */
  async lookOfLate(within: number, isGentle = false): Promise<LivenessState> {
    const now = performance.now();
    if (this.lately === undefined || now - this.lately.at >= within)
      this.lately = { at: now, state: isGentle ? this.lookGently() : this.look(false) };
    return this.lately.state;
  }

  /**
   * Never rejects; takes little more than {@link patience}.
   *
   * @param isNative whether only a supernode of ours will do: original ones before 0.3.0 do not know the ping, and say so.
   */
  async look(isNative: boolean): Promise<LivenessState> {
    const { patience: ms } = this.tempo;
    const { log, name, pulse } = this.options;
    let patience: Patience | undefined;
    const feeling = pulse.feel();
    const outcome = await new Promise<Pinged | 'stopped' | 'late'>((resolve) => {
      patience = new Patience(ms, () => resolve('late'));
      // No need to wait for more.
      void feeling.then((state) => (state === 'still' ? resolve('stopped') : undefined));
      void this.ping().then(resolve);
    });
    patience?.end();
    if (typeof outcome === 'object') return isNative && outcome.status !== 200 ? 'gone' : 'answers';
    if (outcome === 'refused') return this.isGone();
    const state = await feeling;
    log.debug({ supernode: name, ms, outcome, pulse: state }, 'no answer to a ping');
    if (state === 'still' && outcome !== 'unreached') {
      this.hungAt = performance.now();
      return 'hung';
    }
    if (state === 'still') return this.isGone();
    if (state === 'unknown' && outcome === 'unreached') return this.isGone();
    this.tempo.wasSilent(ms);
    const silentFor = this.options.clock.now - (this.silentSince ?? 0);
    return state === 'beats' && silentFor < this.options.busy ? 'busy' : 'silent';
  }

  private async lookGently(): Promise<LivenessState> {
    return (await within(PULSE_WITHIN, this.options.pulse.feel())) === 'beats' ? 'busy' : this.look(false);
  }

  private isGone(): 'gone' {
    this.tempo.isGone();
    this.options.pulse.forgetAddress();
    return 'gone';
  }

  /** Never rejects. An answer that comes when nobody waits for it any more still tells how slow it is. */
  private async ping(): Promise<Pinged> {
    const began = performance.now();
    const { dispatcher, log, name, ping, pulse, signal } = this.options;
    try {
      const { statusCode, headers, body } = await request(ping, { dispatcher, signal });
      await body.dump();
      const said = headers[PROCESS_HEADER];
      this.answering = typeof said === 'string' ? said : undefined;
      this.tempo.answered(performance.now() - began);
      this.hungAt = -Infinity;
      void pulse.doubt().then((isOpen) => (isOpen ? this.ping() : undefined));
      return { status: statusCode };
    } catch (error) {
      log.debug({ supernode: name, err: error }, 'a ping failed');
      // What is refused or broken off comes from whoever is there now; what times out is silence.
      return isSilence(error) || isUnreached(error) ? 'unreached' : 'refused';
    }
  }
}

/** Whether no connection came: nobody is there, or too many wait for one. */
function isUnreached(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'UND_ERR_CONNECT_TIMEOUT';
}
