import { sessionLine } from '@cdk8s-dragonfly/protocol';
import type { BlobId, SessionEvent } from '@cdk8s-dragonfly/protocol';

import { LinkFailure, linkFailure } from './failure';
import { FirstOf } from './first-of';
import { followLines } from './line-stream';
import type { LinkLog } from './link-log';
import type { LivenessState } from './liveness';
import type { StreamTimeouts } from './stream-connection';

/** What a session says of a blob. */
export type BlobEvent = Exclude<SessionEvent, { type: 'ping' | 'hello' }>;

/** What a download hears of its blob. */
export interface SessionListener {
  event(event: BlobEvent): void;
  /** The supernode is lost; what it said last is all there is. */
  lost(reason: LinkFailure): void;
  /** The supernode takes us in after so many milliseconds, and not before: more register than it can take in now. 0: that time is over. */
  putOff?(ms: number): void;
  /** Aborts when nothing more is wanted, so that nobody waits for a turn then. Default: something always is. */
  readonly over?: AbortSignal;
}

export interface SupernodeSessionOptions {
  /** The supernode's, for the log. */
  readonly name: string;
  /** Where to open the next one. */
  readonly url: (ip: string) => URL;
  readonly timeouts: StreamTimeouts;
  /** Headers that show who we are. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How long the supernode may be silent now, in milliseconds, before it counts as lost. */
  readonly patience: () => number;
  readonly lives: () => Promise<LivenessState>;
  /** The session is open. @param holdings how many of our whole blobs the supernode knows; undefined: it takes none. */
  readonly opened?: (holdings: number | undefined) => void;
  /** Whether it is opened anew again and again though nobody listens. Default true. */
  readonly isKept?: boolean;
  readonly log: LinkLog;
}

/** A session over which nothing comes while so many pings in a row are answered is broken. */
const MOST_ANSWERS = 4;

/** The first of them for a supernode that answers pings. One that refuses the next session too is asked less and less often. */
const REOPEN_AFTER_PING = 50;

/** The waits between tries to open a lost session anew, in milliseconds. */
const REOPEN_AFTER = [200, 500, 1000, 2000, 5000];

/** The stream over which a supernode tells a daemon of its blobs: opened with the first of them, and opened anew when it breaks. */
export class SupernodeSession {
  private readonly listeners = new Map<BlobId, SessionListener>();
  /** Of these the supernode has taken our registration. */
  private readonly registered = new Set<BlobId>();
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  /** Aborts when another session has taken the listeners over, and this one ends. */
  private handing = new AbortController();
  /** Changes how long the open session may be silent, in milliseconds. */
  private tune: (silence: number) => void = () => undefined;
  /** How long it may be unless the supernode says otherwise. */
  private usualSilence = 0;
  private heard = -Infinity;
  private opener: string | undefined;
  /** Aborts when a lost session should be opened anew without waiting on. */
  private reopening = new AbortController();

  constructor(private readonly options: SupernodeSessionOptions) {}

  /** Has `listener` hear of a blob. */
  listen(blob: BlobId, listener: SessionListener): void {
    this.listeners.set(blob, listener);
  }

  unlisten(blob: BlobId, listener: SessionListener): void {
    if (this.listeners.get(blob) !== listener) return;
    this.listeners.delete(blob);
    this.registered.delete(blob);
  }

  /** The supernode has taken our registration for a blob: it has to know of it from now on. */
  isRegistered(blob: BlobId): void {
    if (!this.listeners.has(blob)) return;
    this.registered.add(blob);
    // It knows that we want something now, and lets us hear more often.
    this.tune(this.usualSilence);
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('the daemon is stopping'));
    await this.running;
  }

  /** When something came over it last, as `performance.now()` counts. */
  get heardAt(): number {
    return this.heard;
  }

  /** Which process of the supernode opened it last; undefined: none has said. */
  get process(): string | undefined {
    return this.opener;
  }

  /** Ends, and has another session to the same supernode tell our listeners: of two of one daemon, the supernode ends the older. */
  handTo(other: SupernodeSession): void {
    for (const [blob, listener] of this.listeners) {
      if (other.listeners.has(blob)) continue;
      other.listeners.set(blob, listener);
      if (this.registered.has(blob)) other.isRegistered(blob);
    }
    this.listeners.clear();
    this.registered.clear();
    this.handing.abort(new Error('another session has taken over'));
    this.handing = new AbortController();
    this.running = undefined;
  }

  /** Whether it was opened, and is opened anew when it breaks. */
  get isKeptOpen(): boolean {
    return this.running !== undefined;
  }

  /** Opens the session if it is not open, at once: the supernode has just answered; and keeps it open until {@link stop}. */
  keepOpen(ip: string): void {
    this.running ??= this.run(ip);
    this.reopening.abort();
  }

  private async run(ip: string): Promise<void> {
    const { name, patience, log, headers, isKept = true, timeouts } = this.options;
    const signal = AbortSignal.any([this.stopping.signal, this.handing.signal]);
    for (let failures = 0; !isAborted(signal); failures += 1) {
      // Half the time for the silence that raises the suspicion, the whole for the ping that confirms it.
      this.usualSilence = patience() / 2;
      const options = {
        timeouts,
        headers,
        form: sessionLine,
        silence: this.usualSilence,
        tuned: (change: (silence: number) => void) => (this.tune = change),
        silent: this.suspicion(),
        signal,
      };
      const url = this.options.url(ip);
      // Others register while it opens, and the supernode may not know of them when it says how many it knows.
      const expected = this.registered.size;
      let reason = new LinkFailure('gone', `supernode ${name} ended the session`);
      try {
        await followLines<SessionEvent>(url, options, (event) => {
          this.heard = performance.now();
          if (failures > 0) log.info({ supernode: name }, 'the session is open again');
          failures = 0;
          if (event.type === 'hello') {
            this.opener = event.process;
            this.checkKnown(event.blobs, Math.min(expected, this.registered.size));
            this.options.opened?.(event.holdings);
          } else if (event.type === 'ping') this.tune(Math.max(this.usualSilence, event.within ?? 0));
          else this.listeners.get(event.blob)?.event(event);
        });
      } catch (error) {
        if (isAborted(signal)) return;
        reason = linkFailure(error, `supernode ${name}`);
      }
      // Whoever registers while it is looked whether it lives has it opened at once.
      this.reopening = new AbortController();
      // A broken one may have been started anew, and knows nothing of us then. Of a silent one is known that it answers.
      if (reason.kind !== 'silent') this.tellLost(reason);
      const answers = (await this.options.lives()) === 'answers';
      if (isAborted(signal)) return;
      if (failures === 0) log.warn({ supernode: name, answers, why: reason.message }, 'the session broke');
      if (!isKept && failures >= REOPEN_AFTER.length && this.listeners.size === 0) {
        this.running = undefined;
        return;
      }
      const wait =
        answers && failures === 0 ? REOPEN_AFTER_PING : REOPEN_AFTER[Math.min(failures, REOPEN_AFTER.length - 1)];
      const first = new FirstOf(signal, this.reopening.signal);
      await pause(wait ?? 0, first.signal);
      first.end();
    }
  }

  /**
   * What is done when nothing comes over a session. One that is short of CPU has enough to do: the session stays, and is waited on for as long as
   * it lives. Whoever is taken for hung may go on after all: the session stays then too.
   */
  private suspicion(): (reason: LinkFailure) => Promise<LinkFailure | undefined> {
    let answered = 0;
    return async (reason) => {
      const { lives, name } = this.options;
      const state = await lives();
      answered = state === 'answers' ? answered + 1 : 0;
      if (state === 'answers') return answered < MOST_ANSWERS ? undefined : reason;
      if (state === 'busy') return undefined;
      if (state === 'gone') return new LinkFailure('gone', `supernode ${name} is not there any more`);
      this.tellLost(
        state === 'hung' ? new LinkFailure('hung', `supernode ${name} hangs: its process does not run`) : reason,
      );
      return undefined;
    };
  }

  private tellLost(reason: LinkFailure): void {
    for (const listener of [...this.listeners.values()]) listener.lost(reason);
  }

  /** A supernode that knows fewer blobs of ours than we have registered has forgotten us: we register again. */
  private checkKnown(blobs: number, expected: number): void {
    if (blobs >= expected) return;
    this.tellLost(new LinkFailure('gone', `supernode ${this.options.name} has forgotten this daemon`));
  }
}

/** Read anew each time: it changes while we wait. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** Resolves after `ms` or when the signal aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
