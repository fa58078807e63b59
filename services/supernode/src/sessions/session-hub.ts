import type { Writable } from 'node:stream';

import { Patience } from '@cdk8s-dragonfly/engine';
import { lineOf } from '@cdk8s-dragonfly/protocol';
import type { BlobId, PeerReport, SessionMessage } from '@cdk8s-dragonfly/protocol';

import { HoldingsIndex } from '../holders/holdings-index';
import type { Holder } from '../holders/holdings-index';
import type { Member } from '../placement/placement';
import type { Messenger, TaskSwarm } from '../tasks/task-swarm';

/** How often a daemon is pinged, in ms; see the daemon's `--supernode-silence`, half of which makes it ask whether we live. */
const PING_EVERY = 150;

/** With many sessions pings come less often: no more than so many a ms in all, */
const PINGS_A_MS = 7;

/** but always before this time, in ms: a daemon counts on two a second. */
const PING_AT_LEAST_EVERY = 400;

/** The pings of all sessions are spread over that time in so many turns, so that thousands of writes do not hold up whoever asks meanwhile. */
const PING_TURNS = 15;

/** How long a daemon may be without a session before it counts as gone, in ms: the time to open one anew. Own pauses do not count. */
const GRACE = 5000;

/** A daemon that leaves this many bytes unread is cut off; it opens a new session and is told the state anew. */
const MAX_BACKLOG = 8 * 1024 * 1024;

interface Daemon {
  /** What it tells of the blobs that it has whole; undefined until it does. */
  holder: Holder | undefined;
  readonly swarms: Set<TaskSwarm>;
  stream: Writable | undefined;
  grace: Patience | undefined;
}

/**
 * The open sessions: one stream of lines a daemon, over which it hears of all blobs that it has joined. The end of
 * its session is a daemon's leave.
 */
export class SessionHub implements Messenger {
  private readonly daemons = new Map<string, Daemon>();
  private readonly pinging: NodeJS.Timeout;
  /** Those with a session, by the turn in which they are pinged. */
  private readonly turns = Array.from({ length: PING_TURNS }, () => new Set<Daemon>());
  /** The turn that comes next. */
  private turn = 0;
  /** How much of a turn has passed since the last, and as of when, in ms. */
  private due = 0;
  private lookedAt = performance.now();
  /** What was sent last, and its line: news for all members of a swarm are written out once. */
  private lastLine: { readonly message: SessionMessage; readonly line: string } | undefined;

  /** @param holdings which blobs daemons have whole. */
  constructor(private readonly holdings = new HoldingsIndex()) {
    this.pinging = setInterval(() => this.ping(), PING_EVERY / PING_TURNS);
    this.pinging.unref();
  }

  get size(): number {
    return this.daemons.size;
  }

  /** How many daemons have a session open. */
  get openSessions(): number {
    return this.turns.reduce((open, { size }) => open + size, 0);
  }

  /** Makes a daemon a member of a blob's swarm. */
  join(member: Member, swarm: TaskSwarm): void {
    const daemon = this.obtain(member.cid);
    daemon.swarms.add(swarm);
    swarm.join(member);
  }

  /**
   * A daemon has blobs whole. @param anew what it told before does not count any more.
   */
  hold(member: Member, blobs: readonly BlobId[], anew: boolean): void {
    const daemon = this.obtain(member.cid);
    if (anew && daemon.holder !== undefined) {
      daemon.holder.gone = true;
      daemon.holder = undefined;
    }
    daemon.holder ??= { member, told: 0, gone: false };
    for (const blob of blobs) this.holdings.add(daemon.holder, blob);
  }

  /** A daemon says which members of a swarm that it is in failed it. */
  report(cid: string, { blob, peers }: PeerReport): void {
    for (const swarm of this.daemons.get(cid)?.swarms ?? []) {
      if (swarm.task.blob === blob) for (const about of peers) swarm.report(cid, about);
    }
  }

  /** Takes a daemon's stream; one that it had before is ended. Ends when the stream closes. */
  open(cid: string, stream: Writable): void {
    const daemon = this.obtain(cid);
    daemon.grace?.end();
    daemon.grace = undefined;
    daemon.stream?.destroy();
    if (daemon.stream === undefined) this.smallestTurn().add(daemon);
    daemon.stream = stream;
    stream.once('close', () => {
      if (daemon.stream !== stream) return;
      daemon.stream = undefined;
      for (const turn of this.turns) turn.delete(daemon);
      this.startGrace(cid, daemon);
    });
    this.send(cid, { type: 'hello', blobs: daemon.swarms.size, holdings: daemon.holder?.told ?? 0 });
    for (const swarm of daemon.swarms) swarm.retell(cid);
  }

  send(cid: string, message: SessionMessage): void {
    const daemon = this.daemons.get(cid);
    if (daemon?.stream === undefined) return;
    if (this.lastLine?.message !== message) this.lastLine = { message, line: lineOf(message) };
    this.write(daemon.stream, this.lastLine.line);
  }

  forget(swarm: TaskSwarm): void {
    for (const { swarms } of this.daemons.values()) swarms.delete(swarm);
  }

  /** Ends all sessions. */
  stop(): void {
    clearInterval(this.pinging);
    for (const { stream, grace } of this.daemons.values()) {
      grace?.end();
      stream?.destroy();
    }
    this.daemons.clear();
    for (const turn of this.turns) turn.clear();
  }

  private obtain(cid: string): Daemon {
    let daemon = this.daemons.get(cid);
    if (daemon === undefined) {
      daemon = { holder: undefined, swarms: new Set(), stream: undefined, grace: undefined };
      this.daemons.set(cid, daemon);
      this.startGrace(cid, daemon);
    }
    return daemon;
  }

  private startGrace(cid: string, daemon: Daemon): void {
    daemon.grace?.end();
    daemon.grace = new Patience(GRACE, () => {
      if (this.daemons.get(cid) === daemon) this.daemons.delete(cid);
      if (daemon.holder !== undefined) daemon.holder.gone = true;
      for (const swarm of daemon.swarms) swarm.leave(cid);
    });
  }

  private smallestTurn(): Set<Daemon> {
    return this.turns.reduce((smallest, turn) => (turn.size < smallest.size ? turn : smallest));
  }

  /** Pings those whose turn it is. A busy event loop calls late: the turns that it missed are made up for. */
  private ping(): void {
    const now = performance.now();
    const every = Math.min(Math.max(PING_EVERY, this.openSessions / PINGS_A_MS), PING_AT_LEAST_EVERY);
    this.due = Math.min(PING_TURNS, this.due + ((now - this.lookedAt) * PING_TURNS) / every);
    this.lookedAt = now;
    const line = lineOf({ type: 'ping' });
    for (; this.due >= 1; this.due -= 1) {
      this.turn = (this.turn + 1) % PING_TURNS;
      for (const { stream } of this.turns[this.turn] ?? []) if (stream !== undefined) this.write(stream, line);
    }
  }

  private write(stream: Writable, line: string): void {
    if (stream.destroyed) return;
    if (stream.writableLength > MAX_BACKLOG) stream.destroy();
    else stream.write(line);
  }
}
