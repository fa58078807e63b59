import type { Writable } from 'node:stream';

import { Patience } from '@cdk8s-dragonfly/engine';
import { lineOf } from '@cdk8s-dragonfly/protocol';
import type { BlobId, PeerReport, SessionMessage } from '@cdk8s-dragonfly/protocol';

import { HoldingsIndex } from '../holders/holdings-index';
import type { Holder } from '../holders/holdings-index';
import type { Member } from '../placement/placement';
import type { Has } from '../tasks/swarm-members';
import type { Messenger, TaskSwarm } from '../tasks/task-swarm';
import { Pulls } from './pulls';
import { SessionWriter } from './session-writer';
import type { Outbox } from './session-writer';

/** How long a daemon may be without a session before it counts as gone, in ms: the time to open one anew. Own pauses do not count. */
const GRACE = 5000;

/** So many questions are asked each time: who is asked registers again, and thousands may have begun at once. */
const ASKED_AT_ONCE = 500;

interface Daemon {
  /** What it tells of the blobs that it has whole; undefined until it does. */
  holder: Holder | undefined;
  readonly swarms: Map<BlobId, TaskSwarm>;
  /** Which of these it wants. */
  readonly pulls: Pulls;
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
   * @param now in ms, from any fixed time on.
   */
  constructor(
    private readonly holdings = new HoldingsIndex(),
    private readonly process?: string,
    private readonly now = (): number => performance.now(),
  ) {}

  get size(): number {
    return this.daemons.size;
  }

  /** How many daemons have a session open. */
  get openSessions(): number {
    return this.writer.size;
  }

  /** Makes a daemon a member of a blob's swarm. @param has what it has of the blob; unless that is all, it wants the rest. Default: nothing. */
  join(member: Member, swarm: TaskSwarm, has: Has = 'nothing'): void {
    const daemon = this.obtain(member.cid);
    const { blob } = swarm.task;
    const pulls = has !== 'all';
    if (!pulls && swarm.isWellHeld && !daemon.swarms.has(blob)) return;
    daemon.swarms.set(blob, swarm);
    if (pulls) daemon.pulls.begin(blob, this.now());
    swarm.join(member, has);
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
      daemon.pulls.end(blob);
      daemon.swarms.get(blob)?.rest(member.cid);
    }
  }

  /** A daemon says which members of a swarm that it is in failed it. */
  report(cid: string, { blob, peers }: PeerReport): void {
    const swarm = this.daemons.get(cid)?.swarms.get(blob);
    for (const about of peers) swarm?.report(cid, about);
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
    const session = this.writer.open(stream, () => daemon.pulls.size === 0);
    daemon.session = session;
    stream.once('close', () => {
      if (daemon.session !== session) return;
      this.writer.close(session);
      daemon.session = undefined;
      this.startGrace(cid, daemon);
    });
    const { process } = this;
    const hello = { type: 'hello' as const, blobs: daemon.pulls.size, holdings: daemon.holder?.told ?? 0 };
    this.send(cid, process === undefined ? hello : { ...hello, process });
    daemon.pulls.askAnew();
    for (const blob of daemon.pulls.blobs) daemon.swarms.get(blob)?.retell(cid);
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

  send(cid: string, message: SessionMessage, canWait = false): boolean {
    const session = this.daemons.get(cid)?.session;
    if (session === undefined) return false;
    if (this.lastLine?.message !== message) this.lastLine = { message, line: lineOf(message) };
    this.writer.put(session, this.lastLine.line, canWait);
    return true;
  }

  forget({ task: { blob } }: TaskSwarm, cids: Iterable<string>): void {
    for (const cid of cids) {
      const daemon = this.daemons.get(cid);
      daemon?.swarms.delete(blob);
      daemon?.pulls.end(blob);
    }
  }

  /**
   * Asks those who have wanted a blob for long to register again if they still do, and takes those out of its swarm who were asked in vain: a
   * daemon that gives a pull up says nothing.
   */
  forgetIdle(): void {
    const now = this.now();
    let left = ASKED_AT_ONCE;
    for (const [cid, { pulls, session, swarms }] of this.daemons) {
      for (const blob of pulls.unanswered(now)) {
        const swarm = swarms.get(blob);
        pulls.end(blob);
        swarms.delete(blob);
        swarm?.leave(cid);
      }
      for (const blob of session === undefined ? [] : pulls.toAsk(now).slice(0, left)) {
        left -= 1;
        pulls.asked(blob, now);
        this.send(cid, { type: 'credentials', blob }, true);
      }
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
        swarms: new Map(),
        pulls: new Pulls(),
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
      for (const swarm of daemon.swarms.values()) swarm.leave(cid);
    });
  }
}
