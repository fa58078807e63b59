import { connect } from 'node:net';
import type { Socket } from 'node:net';

import { SESSION_PATH } from '@cdk8s-dragonfly/protocol';

/** Shared by all sessions: what arrives is counted, not kept. */
const BUFFER = Buffer.alloc(256 * 1024);

const ADDED = Buffer.from('"type":"added"');

/** What a daemon is called and where it listens. */
export interface DaemonName {
  readonly cid: string;
  readonly ip: string;
  readonly port: number;
}

/** A daemon's open session: what arrives on it is counted. */
export class DaemonSession {
  /** Bytes that arrived, heads and chunk framing included. */
  bytes = 0;
  /** News of blocks that arrived, those cut by the end of a read left out. */
  news = 0;
  /** The longest silence so far, in ms. */
  longestSilence = 0;
  /** Why it ended; undefined while it is open. */
  ended: string | undefined;
  private heardAt = performance.now();
  private readonly socket: Socket;

  constructor(port: number, { cid, ip, port: peerPort }: DaemonName) {
    this.socket = connect({
      host: '127.0.0.1',
      port,
      onread: {
        buffer: BUFFER,
        callback: (length) => {
          this.heard(length);
          return true;
        },
      },
    });
    const query = `cid=${encodeURIComponent(cid)}&ip=${ip}&port=${peerPort}`;
    this.socket.write(`GET ${SESSION_PATH}?${query} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`);
    this.socket.on('error', (error) => {
      this.ended = error.message;
    });
    this.socket.on('close', () => {
      this.ended ??= 'the supernode ended it';
    });
  }

  /** Begins to count anew. */
  reset(): void {
    this.bytes = 0;
    this.news = 0;
    this.longestSilence = 0;
    this.heardAt = performance.now();
  }

  close(): void {
    this.socket.removeAllListeners('close').destroy();
  }

  private heard(length: number): void {
    const now = performance.now();
    this.longestSilence = Math.max(this.longestSilence, now - this.heardAt);
    this.heardAt = now;
    this.bytes += length;
    const bytes = BUFFER.subarray(0, length);
    for (let at = bytes.indexOf(ADDED); at !== -1; at = bytes.indexOf(ADDED, at + ADDED.length)) this.news += 1;
  }
}
