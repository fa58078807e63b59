import type { Writable } from 'node:stream';

import { lineOf } from '@cdk8s-dragonfly/protocol';
import type { SessionMessage } from '@cdk8s-dragonfly/protocol';

import type { Member } from '../placement/placement';
import type { Messenger, TaskSwarm } from '../tasks/task-swarm';

/** A daemon that hears nothing for this long takes the supernode for lost; see the daemon's `--supernode-silence`. */
const PING_EVERY = 150;

/** How long a daemon may be without a session before it counts as gone, in ms: the time to open one anew. */
const GRACE = 5000;

/** A daemon that leaves this many bytes unread is cut off; it opens a new session and is told the state anew. */
const MAX_BACKLOG = 8 * 1024 * 1024;

interface Daemon {
  readonly swarms: Set<TaskSwarm>;
  stream: Writable | undefined;
  grace: NodeJS.Timeout | undefined;
}

/**
 * The open sessions: one stream of lines a daemon, over which it hears of all blobs that it has joined. The end of
 * its session is a daemon's leave.
 */
export class SessionHub implements Messenger {
  private readonly daemons = new Map<string, Daemon>();
  private readonly pinging: NodeJS.Timeout;

  constructor() {
    this.pinging = setInterval(() => this.ping(), PING_EVERY);
    this.pinging.unref();
  }

  get size(): number {
    return this.daemons.size;
  }

  /** How many daemons have a session open. */
  get openSessions(): number {
    let open = 0;
    for (const { stream } of this.daemons.values()) if (stream !== undefined) open += 1;
    return open;
  }

  /** Makes a daemon a member of a blob's swarm. */
  join(member: Member, swarm: TaskSwarm): void {
    const daemon = this.obtain(member.cid);
    daemon.swarms.add(swarm);
    swarm.join(member);
  }

  /** Takes a daemon's stream; one that it had before is ended. Ends when the stream closes. */
  open(cid: string, stream: Writable): void {
    const daemon = this.obtain(cid);
    clearTimeout(daemon.grace);
    daemon.grace = undefined;
    daemon.stream?.destroy();
    daemon.stream = stream;
    stream.once('close', () => {
      if (daemon.stream !== stream) return;
      daemon.stream = undefined;
      this.startGrace(cid, daemon);
    });
    this.send(cid, { type: 'hello', blobs: daemon.swarms.size });
    for (const swarm of daemon.swarms) swarm.retell(cid);
  }

  send(cid: string, message: SessionMessage): void {
    const stream = this.daemons.get(cid)?.stream;
    if (stream !== undefined) this.write(stream, lineOf(message));
  }

  forget(swarm: TaskSwarm): void {
    for (const { swarms } of this.daemons.values()) swarms.delete(swarm);
  }

  /** Ends all sessions. */
  stop(): void {
    clearInterval(this.pinging);
    for (const { stream, grace } of this.daemons.values()) {
      clearTimeout(grace);
      stream?.destroy();
    }
    this.daemons.clear();
  }

  private obtain(cid: string): Daemon {
    let daemon = this.daemons.get(cid);
    if (daemon === undefined) {
      daemon = { swarms: new Set(), stream: undefined, grace: undefined };
      this.daemons.set(cid, daemon);
      this.startGrace(cid, daemon);
    }
    return daemon;
  }

  private startGrace(cid: string, daemon: Daemon): void {
    clearTimeout(daemon.grace);
    daemon.grace = setTimeout(() => {
      if (this.daemons.get(cid) === daemon) this.daemons.delete(cid);
      for (const swarm of daemon.swarms) swarm.leave(cid);
    }, GRACE);
    daemon.grace.unref();
  }

  private ping(): void {
    const line = lineOf({ type: 'ping' });
    for (const { stream } of this.daemons.values()) if (stream !== undefined) this.write(stream, line);
  }

  private write(stream: Writable, line: string): void {
    if (stream.destroyed) return;
    if (stream.writableLength > MAX_BACKLOG) stream.destroy();
    else stream.write(line);
  }
}
