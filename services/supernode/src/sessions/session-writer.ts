import type { Writable } from 'node:stream';

import { lineOf } from '@cdk8s-dragonfly/protocol';
import type { SessionMessage } from '@cdk8s-dragonfly/protocol';

/** How often each session has a turn, in ms; see the daemon's `--supernode-silence`, half of which makes it ask whether we live. */
const TURN_EVERY = 150;

/** With many sessions turns come less often: no more than so many a ms in all, */
const TURNS_A_MS = 7;

/** but always before this time, in ms: a daemon counts on two lines a second. */
const TURN_AT_LEAST_EVERY = 400;

/** The turns of all sessions are spread over that time in so many steps, so that thousands of writes do not hold up whoever asks meanwhile. */
const STEPS = 15;

/** What can wait is gathered for this long, in ms, and for a little longer with each session. */
const GATHER = 5;
const GATHER_A_SESSION = 0.07;

/** With more sessions than this, what can wait goes with a session's turn: a write for each piece of news is what a supernode dies of. */
const WAITS_FOR_TURN = 1000;

/** So many sessions are written to in a turn of the event loop: others want to be served between. */
const WRITES_A_LOOP = 64;

/** A daemon that leaves this many bytes unread is cut off; it opens a new session and is told the state anew. */
const MAX_BACKLOG = 8 * 1024 * 1024;

/**
 * When all together leave more unread, those are cut off that have more than an equal part of it: where a part of the network is cut off, thousands
 * may leave a little each, and the heap has 512 MiB.
 */
const MAX_BACKLOGS = 128 * 1024 * 1024;

/**
 * A daemon that wants nothing just now hears something every so many turns only, and counts on it within this time, in ms. Most daemons want
 * nothing most of the time, and pings to 5,000 of them take half a core.
 */
const CALM_TURNS = 12;
const CALM_WITHIN = 10_000;

const PING = lineOf({ type: 'ping' } satisfies SessionMessage);
const CALM_PING = lineOf({ type: 'ping', within: CALM_WITHIN } satisfies SessionMessage);

/** The stream of a session, and the lines that are not written to it yet. */
export interface Outbox {
  readonly stream: Writable;
  lines: string;
  /** Whether its daemon wants nothing now. */
  readonly isCalm: () => boolean;
  /** Whether the daemon was told that it hears something seldom. */
  toldCalm: boolean;
  /** Bytes that its daemon had not read when it was last written to. */
  unread: number;
  /** How many turns in a row there was nothing to be told. */
  quiet: number;
}

/**
 * Writes to the sessions of all daemons. A write costs many times what a line does, so lines are gathered: what is urgent until the event
 * loop comes round, the rest for a little longer. Each session that has nothing to be told is pinged.
 */
export class SessionWriter {
  /** By the step in which they have their turn. */
  private readonly steps = Array.from({ length: STEPS }, () => new Set<Outbox>());
  private count = 0;
  private readonly stepping: NodeJS.Timeout;
  /** The step that comes next. */
  private step = 0;
  /** How much of a step has passed since the last, and as of when, in ms. */
  private due = 0;
  private lookedAt = performance.now();
  /** Of all sessions. */
  private unread = 0;
  /** Written to when the event loop comes round. */
  private readonly urgent = new Set<Outbox>();
  private looping: NodeJS.Immediate | undefined;
  private readonly gathered = new Set<Outbox>();
  private gathering: NodeJS.Timeout | undefined;

  constructor() {
    this.stepping = setInterval(() => this.takeSteps(), TURN_EVERY / STEPS);
    this.stepping.unref();
  }

  /** How many sessions are open. */
  get size(): number {
    return this.count;
  }

  /** A session is open. @param isCalm whether its daemon wants nothing now. Default: it always may. */
  open(stream: Writable, isCalm: Outbox['isCalm'] = () => false): Outbox {
    const outbox = { stream, lines: '', isCalm, toldCalm: false, unread: 0, quiet: 0 };
    this.steps.reduce((smallest, step) => (step.size < smallest.size ? step : smallest)).add(outbox);
    this.count += 1;
    return outbox;
  }

  /** It has ended: what was not written is dropped. */
  close(outbox: Outbox): void {
    if (this.steps.some((step) => step.delete(outbox))) this.count -= 1;
    this.urgent.delete(outbox);
    this.gathered.delete(outbox);
    this.note(outbox, 0);
    outbox.lines = '';
  }

  /** Has a line written, after those before it. @param canWait whether it is of no use at once. */
  put(outbox: Outbox, line: string, canWait: boolean): void {
    outbox.lines += line;
    if (!canWait) {
      this.urgent.add(outbox);
      this.looping ??= setImmediate(this.loop);
    } else if (this.count <= WAITS_FOR_TURN) {
      this.gathered.add(outbox);
      this.gathering ??= setTimeout(this.release, GATHER + GATHER_A_SESSION * this.count);
    }
  }

  stop(): void {
    clearInterval(this.stepping);
    clearTimeout(this.gathering);
    clearImmediate(this.looping);
    for (const step of this.steps) step.clear();
    this.count = 0;
  }

  private readonly release = (): void => {
    this.gathering = undefined;
    for (const outbox of this.gathered) this.urgent.add(outbox);
    this.gathered.clear();
    this.looping ??= setImmediate(this.loop);
  };

  private readonly loop = (): void => {
    let left = WRITES_A_LOOP;
    for (const outbox of this.urgent) {
      if (left === 0) break;
      left -= 1;
      this.urgent.delete(outbox);
      this.write(outbox);
    }
    this.looping = this.urgent.size > 0 ? setImmediate(this.loop) : undefined;
  };

  /** Those whose turn it is. A busy event loop calls late: the steps that it missed are made up for. */
  private takeSteps(): void {
    const now = performance.now();
    const every = Math.min(Math.max(TURN_EVERY, this.count / TURNS_A_MS), TURN_AT_LEAST_EVERY);
    this.due = Math.min(STEPS, this.due + ((now - this.lookedAt) * STEPS) / every);
    this.lookedAt = now;
    for (; this.due >= 1; this.due -= 1) {
      this.step = (this.step + 1) % STEPS;
      for (const outbox of this.steps[this.step] ?? []) this.takeTurn(outbox);
    }
  }

  private takeTurn(outbox: Outbox): void {
    const isCalm = outbox.isCalm();
    if (isCalm !== outbox.toldCalm) {
      outbox.toldCalm = isCalm;
      outbox.lines += isCalm ? CALM_PING : PING;
    } else if (outbox.lines === '') {
      outbox.quiet += 1;
      if (isCalm && outbox.quiet < CALM_TURNS) return;
      outbox.lines = isCalm ? CALM_PING : PING;
    }
    this.write(outbox);
  }

  private write(outbox: Outbox): void {
    const { stream, lines } = outbox;
    outbox.lines = '';
    outbox.quiet = 0;
    if (stream.destroyed || lines === '') return;
    this.note(outbox, stream.writableLength);
    const isTooMuch = this.unread > MAX_BACKLOGS && outbox.unread > MAX_BACKLOGS / this.count;
    if (isTooMuch || outbox.unread > MAX_BACKLOG) stream.destroy();
    else stream.write(lines);
  }

  private note(outbox: Outbox, unread: number): void {
    this.unread += unread - outbox.unread;
    outbox.unread = unread;
  }
}
