import type { Writable } from 'node:stream';

import { Patience } from '@cdk8s-dragonfly/engine';
import { lineOf } from '@cdk8s-dragonfly/protocol';
import type { BlobId, PeerReport, SessionMessage } from '@cdk8s-dragonfly/protocol';

import { HoldingsIndex } from '../holders/holdings-index';
import type { Holder } from '../holders/holdings-index';
import type { Member } from '../placement/placement';
import type { Messenger, TaskSwarm } from '../tasks/task-swarm';
import { SessionWriter } from './session-writer';
import type { Outbox } from './session-writer';

/** How long a daemon may be without a session before it counts as gone, in ms: the time to open one anew. Own pauses do not count. */
const GRACE = 5000;

/** A daemon that has not told in this time, in ms, that it has a blob whole does not want it any more. */
const PULLS_AT_MOST = 60 * 60_000;

interface Daemon {
  /** What it tells of the blobs that it has whole; undefined until it does. */
  holder: Holder | undefined;
  readonly swarms: Set<TaskSwarm>;
  /** The blobs that it wants, and since when, in ms; the longest first. */
  readonly pulls: Map<BlobId, number>;
  session: Outbox | undefined;
  /** The number of that session, or of the last one. */
  number: number;
  grace: Patience | undefined;
}

/**
 * The open sessions: one stream of lines a daemon, over which it hears of all blobs that it has joined. The end of
 * its session is a daemon's leave.
 */
export class SessionHub implements Messenger {
  private readonly daemons = new Map<string, Daemon>();
  private readonly writer = new SessionWriter();
  /** Streams of daemons of other versions. */
  private readonly idle = new Set<Writable>();
  /** What was sent last, and its line: news for all members of a swarm are written out once. */
  private lastLine: { readonly message: SessionMessage; readonly line: string } | undefined;

  /**
   * @param holdings which blobs daemons have whole.
   * @param process which process of the supernode this is: another at each start. Default: nobody is told.
   */
  constructor(
    private readonly holdings = new HoldingsIndex(),
    private readonly process?: string,
  ) {}

  get size(): number {
    return this.daemons.size;
  }

  /** How many daemons have a session open. */
  get openSessions(): number {
    return this.writer.size;
  }

  /** Makes a daemon a member of a blob's swarm. @param pulls whether it wants the blob; else it has it. Default true. */
  join(member: Member, swarm: TaskSwarm, pulls = true): void {
    const daemon = this.obtain(member.cid);
    daemon.swarms.add(swarm);
    if (pulls) {
      daemon.pulls.delete(swarm.task.blob);
      daemon.pulls.set(swarm.task.blob, performance.now());
    }
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
    for (const blob of blobs) {
      this.holdings.add(daemon.holder, blob);
      daemon.pulls.delete(blob);
    }
  }

  /** A daemon says which members of a swarm that it is in failed it. */
  report(cid: string, { blob, peers }: PeerReport): void {
    for (const swarm of this.daemons.get(cid)?.swarms ?? []) {
      if (swarm.task.blob === blob) for (const about of peers) swarm.report(cid, about);
    }
  }

  /**
   * Takes a daemon's stream; one that it had before is ended. Ends when the stream closes.
   *
   * @param number of the daemon's sessions: a busy event loop may read what came first after what came later. Default: it is the newest.
   */
  open(cid: string, stream: Writable, number = Infinity): void {
    const daemon = this.obtain(cid);
    if (daemon.session !== undefined && number < daemon.number) {
      stream.destroy();
      return;
    }
    daemon.number = number;
    daemon.grace?.end();
    daemon.grace = undefined;
    if (daemon.session !== undefined) {
      this.writer.close(daemon.session);
      daemon.session.stream.destroy();
    }
    const session = this.writer.open(stream, (now) => isCalm(daemon, now));
    daemon.session = session;
    stream.once('close', () => {
      if (daemon.session !== session) return;
      this.writer.close(session);
      daemon.session = undefined;
      this.startGrace(cid, daemon);
    });
    const { process } = this;
    const hello = { type: 'hello' as const, blobs: daemon.swarms.size, holdings: daemon.holder?.told ?? 0 };
    this.send(cid, process === undefined ? hello : { ...hello, process });
    for (const swarm of daemon.swarms) swarm.retell(cid);
  }

  /**
   * Takes the stream of a daemon of another version, which is served as an original client: it hears that it is in no swarm, and is pinged. Were
   * it refused, it would try again many times a second.
   */
  openIdle(stream: Writable): void {
    const session = this.writer.open(stream);
    this.idle.add(stream);
    stream.once('close', () => {
      this.idle.delete(stream);
      this.writer.close(session);
    });
    this.writer.put(session, lineOf({ type: 'hello', blobs: 0 } satisfies SessionMessage), false);
  }

  send(cid: string, message: SessionMessage, canWait = false): void {
    const session = this.daemons.get(cid)?.session;
    if (session === undefined) return;
    if (this.lastLine?.message !== message) this.lastLine = { message, line: lineOf(message) };
    this.writer.put(session, this.lastLine.line, canWait);
  }

  forget(swarm: TaskSwarm): void {
    for (const { pulls, swarms } of this.daemons.values()) {
      swarms.delete(swarm);
      pulls.delete(swarm.task.blob);
    }
  }

  /** Ends all sessions. */
  stop(): void {
    this.writer.stop();
    for (const daemon of this.daemons.values()) {
      const { session, grace } = daemon;
      grace?.end();
      // Its end is no leave any more.
      daemon.session = undefined;
      session?.stream.destroy();
    }
    this.daemons.clear();
    for (const stream of this.idle) stream.destroy();
  }

  private obtain(cid: string): Daemon {
    let daemon = this.daemons.get(cid);
    if (daemon === undefined) {
      daemon = {
        holder: undefined,
        swarms: new Set(),
        pulls: new Map(),
        session: undefined,
        number: 0,
        grace: undefined,
      };
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
}

/** Whether a daemon wants nothing at this time. */
function isCalm({ pulls }: Daemon, now: number): boolean {
  for (const [blob, since] of pulls) {
    if (now - since < PULLS_AT_MOST) return false;
    pulls.delete(blob);
  }
  return true;
}
