import { setTimeout as delay } from 'node:timers/promises';

import { MAX_LATER } from '@cdk8s-dragonfly/protocol';
import type { Dispatcher } from 'undici';
import { request } from 'undici';

import { LinkFailure } from './failure';
import { FirstOf } from './first-of';
import type { Liveness } from './liveness';
import { readRegistration } from './registration';
import type { RegistrationAnswer } from './registration';
import type { SessionListener, SupernodeSession } from './supernode-session';

/** A supernode that says so is asked again later, so often (Dragonfly 0.x protocol, 4.2). */
const MAX_WAITS = 3;

/** So long, in milliseconds, all waits for a turn together may take: containerd ends a pull that brings nothing for five minutes. */
export const LONGEST_WAIT = MAX_LATER + 60_000;

/** How often it is looked, in milliseconds, whether a supernode that has us wait lives and is the same. */
const LOOK_EVERY = 3000;

/** What came over the session within so many times that shows the same: even a daemon that wants nothing hears something every 5 s. */
const HEARD_LATELY = 2;

/** A registration that is not answered within this time, in milliseconds, has us look whether the supernode lives. */
const LOOK_AFTER = 500;

/** What came of a look is true for so many milliseconds. */
const SHARED = 250;

/**
 * How many times of silence a registration may take at a supernode that lives: of a herd of 5,000 daemons, each with 20 blobs, one in a hundred
 * waits 11 s.
 */
const MAX_LOOKS = 20;

/** What the states mean in which it takes no registration, for the end of a sentence. */
export const NO_ANSWER = {
  gone: 'is not there: connections to it do not open, or break',
  hung: 'hangs: connections to it open, and its process does not run',
  silent: 'does not answer, and nothing shows whether it runs',
} as const;

export interface PatientRegistrationOptions {
  /** The supernode's, for the log. */
  readonly name: string;
  /** Where to register. */
  readonly url: URL;
  /** Headers that show who we are. */
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: Dispatcher;
  readonly liveness: Pick<Liveness, 'lookOfLate' | 'patience' | 'process'>;
  readonly session: Pick<SupernodeSession, 'heardAt' | 'process'>;
  /** How often it is looked, in milliseconds, whether it lives and is the same, while it has us wait for our turn. Default {@link LOOK_EVERY}. */
  readonly lookEvery: number | undefined;
  /** Aborts when the daemon stops. */
  readonly signal: AbortSignal;
}

/** Registers at one supernode, and waits as long as it lives: for its answer, and for the turn that it gives. */
export class PatientRegistration {
  constructor(private readonly options: PatientRegistrationOptions) {}

  /**
   * What a registration is answered, at last.
   *
   * @param body of `POST /peer/registry`.
   * @throws LinkFailure when the supernode does not live, refuses, or has us wait again and again; the reason of `listener.over`.
   */
  async register(body: string, listener: SessionListener): Promise<Exclude<RegistrationAnswer, { kind: 'later' }>> {
    const { name } = this.options;
    const began = performance.now();
    let process: string | undefined;
    for (let waits = 1; ; waits += 1) {
      const answer = await this.post(body);
      if (answer.kind !== 'later') return answer;
      // One that was started anew knows nothing of what the one before has promised.
      if (answer.process !== process) waits = 1;
      process = answer.process;
      if (waits > MAX_WAITS || performance.now() - began + answer.after > LONGEST_WAIT) break;
      listener.putOff?.(answer.after);
      try {
        await this.waitForTurn(answer, listener.over);
      } finally {
        listener.putOff?.(0);
      }
    }
    const seconds = Math.round((performance.now() - began) / 1000);
    throw new LinkFailure('gone', `supernode ${name} has told us again and again for ${seconds} s to come later`);
  }

  /**
   * Ends early where another process has taken the place of the one that gave us the turn: it takes us in at once, or gives us another. Not all
   * daemons come in the same moment then.
   *
   * @throws LinkFailure when it does not live; the reason of `over`.
   */
  private async waitForTurn(turn: { after: number; process: string | undefined }, over?: AbortSignal): Promise<void> {
    const { lookEvery = LOOK_EVERY } = this.options;
    const first = new FirstOf(this.options.signal, over);
    const { signal } = first;
    const end = performance.now() + turn.after;
    try {
      for (let left = turn.after; left > 0; left = end - performance.now()) {
        await delay(Math.min(left, lookEvery), undefined, { signal });
        if (left <= lookEvery) return;
        const now = await this.processThere(lookEvery);
        if (turn.process === undefined || now === undefined || now === turn.process) continue;
        await delay(Math.min(end - performance.now(), Math.random() * lookEvery), undefined, { signal });
        return;
      }
    } finally {
      first.end();
    }
  }

  /**
   * Which process of the supernode is there; undefined: it does not say, or is busy. Thousands that wait would keep one that has its hands full from
   * its work with their pings: what came over the session lately shows as much.
   *
   * @throws LinkFailure when it does not live.
   */
  private async processThere(lookEvery: number): Promise<string | undefined> {
    const { liveness, name, session } = this.options;
    if (performance.now() - session.heardAt < HEARD_LATELY * lookEvery) return session.process;
    const state = await liveness.lookOfLate(lookEvery);
    if (state === 'answers') return liveness.process;
    if (state === 'busy') return undefined;
    throw new LinkFailure(state, `supernode ${name} ${NO_ANSWER[state]}`);
  }

  /**
   * Registers, and looks meanwhile whether it lives: a supernode that answers late but whose pulse beats, or that answers pings, is busy, not lost.
   * Pings come where there is no pulse: those of thousands who wait would have it do nothing else.
   */
  private async post(body: string): Promise<RegistrationAnswer> {
    const { dispatcher, headers, name, signal: stopping, url } = this.options;
    const done = new AbortController();
    const first = new FirstOf(stopping, done.signal);
    const { signal } = first;
    const asked = request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json;charset=utf-8', ...headers },
      body,
      dispatcher,
      signal,
    }).then(async ({ statusCode, body: answer }) => readRegistration(statusCode, await answer.text(), name));
    try {
      return await Promise.race([asked, this.untilLost(signal)]);
    } finally {
      done.abort(new Error('the registration has ended'));
      first.end();
    }
  }

  /**
   * Never resolves.
   *
   * @throws LinkFailure when it does not live, or after too long a time with signs of life alone.
   */
  private async untilLost(signal: AbortSignal): Promise<never> {
    const { liveness, name } = this.options;
    const began = performance.now();
    await delay(LOOK_AFTER, undefined, { ref: false });
    for (let looks = 0; looks < MAX_LOOKS && !signal.aborted; looks += 1) {
      const next = delay(liveness.patience, undefined, { ref: false });
      // A node begins all layers of an image in one moment: one ping does for all of them.
      const state = await liveness.lookOfLate(SHARED, true);
      if (state !== 'answers' && state !== 'busy')
        throw new LinkFailure(state, `supernode ${name} ${NO_ANSWER[state]}`);
      await next;
    }
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    throw new LinkFailure('gone', `supernode ${name} runs, and has not answered a registration for ${seconds} s`);
  }
}
