import { connect } from 'node:net';
import type { Socket } from 'node:net';

import type { BlockBuffers } from '@cdk8s-dragonfly/store';

import { LinkFailure } from './failure';
import type { ReadRounds } from './read-rounds';
import { readHead } from './response-head';
import type { ResponseHead } from './response-head';
import { socketAddress } from './socket-address';

/** The longest head of an answer, and the longest body of one that is no block. */
const MAX_HEAD = 16 * 1024;

const NOTHING = Buffer.alloc(0);

/** So much is read at a time at most. */
const READ = 256 * 1024;

/** How long is waited, in milliseconds. */
export interface BlockTimeouts {
  /** For a connection to open. */
  readonly connect: number;
  /** For the next byte. */
  readonly stall: number;
}

/** What is asked for. */
export interface BlockRequest {
  readonly path: string;
  /** The longest body that is taken with status 200. */
  readonly most: number;
  /** More lines of the head, each with its end. Default: none. */
  readonly headers?: string;
}

/** A whole answer. */
export interface BlockAnswer extends ResponseHead {
  readonly body: Buffer;
}

interface Exchange {
  /** The longest body that is taken with status 200. */
  readonly most: number;
  readonly resolve: (answer: BlockAnswer) => void;
  readonly reject: (error: Error) => void;
  head: ResponseHead | undefined;
  body: Buffer;
  filled: number;
  /** When the first byte came, of the process's clock in milliseconds. */
  since: number;
}

/**
 * One connection to a supernode or a neighbour, for one request at a time. Bytes are read straight into the block that they belong to:
 * a general client of HTTP costs several times as much CPU on a slow link, where they come in many small parts.
 */
export class BlockConnection {
  private readonly socket: Socket;
  private readonly headBuffer = Buffer.allocUnsafe(MAX_HEAD);
  private headLength = 0;
  private exchange: Exchange | undefined;
  private timer: NodeJS.Timeout | undefined;
  /** When the next byte was last begun to be waited for, of the process's clock in milliseconds; undefined: no timer runs for it. */
  private expectedSince: number | undefined;
  /** Takes back that it is read again later. */
  private leaveRound: (() => void) | undefined;
  private isOpen = true;
  private answers = 0;
  private readonly read = (): void => void this.socket.resume();

  /** @param closed is told when it is of no more use. */
  constructor(
    private readonly origin: URL,
    private readonly timeouts: BlockTimeouts,
    private readonly buffers: BlockBuffers,
    private readonly rounds: ReadRounds,
    private readonly closed: (connection: BlockConnection) => void,
  ) {
    this.socket = connect({
      ...socketAddress(origin),
      noDelay: true,
      onread: { buffer: () => this.room(), callback: (length) => this.took(length) },
    });
    this.socket.on('connect', () => this.expectByte());
    this.socket.on('error', (error) => this.end(error));
    this.socket.on('end', () => this.end(new Error('the connection was closed')));
    this.socket.on('close', () => this.end(new Error('the connection was closed')));
  }

  /** Whether another request may be sent. */
  get usable(): boolean {
    return this.isOpen && this.exchange === undefined;
  }

  /** Whether it has answered a request before: it may have been closed by the other side in the meantime. */
  get isUsed(): boolean {
    return this.answers > 0;
  }

  /**
   * Sends a request; one at a time.
   *
   * @throws LinkFailure `lying` when the answer is longer or not of HTTP; Error when the connection breaks or is silent for too long.
   */
  async get({ path, most, headers = '' }: BlockRequest): Promise<BlockAnswer> {
    return await new Promise<BlockAnswer>((resolve, reject) => {
      this.exchange = { most, resolve, reject, head: undefined, body: NOTHING, filled: 0, since: 0 };
      this.headLength = 0;
      this.socket.write(`GET ${path} HTTP/1.1\r\nhost: ${this.origin.host}\r\n${headers}\r\n`);
      if (this.socket.connecting) this.waitForConnection();
      else this.expectByte();
    });
  }

  /** Closes it; a request that is under way fails. */
  close(reason: Error): void {
    this.end(reason);
  }

  /** Where the next bytes go. */
  private room(): Buffer {
    const { exchange } = this;
    if (exchange?.head === undefined) return this.headBuffer.subarray(this.headLength);
    const { body, filled } = exchange;
    return body.subarray(filled, filled + READ);
  }

  /** Bytes have come. @returns false to be called again only after {@link Socket.resume}. */
  private took(length: number): boolean {
    const { exchange } = this;
    if (exchange === undefined) {
      this.end(new LinkFailure('lying', `${this.origin.host} sends what nobody asked for`));
      return false;
    }
    if (exchange.head === undefined) this.tookHead(exchange, length);
    else exchange.filled += length;
    if (exchange.head === undefined || !this.isOpen) return true;
    if (exchange.filled >= exchange.body.length) {
      this.complete(exchange);
      return true;
    }
    const now = performance.now();
    this.expectByte(now);
    const left = exchange.body.length - exchange.filled;
    this.leaveRound = this.rounds.join(this.read, exchange.filled, now - exchange.since, left);
    return this.leaveRound === undefined;
  }

  private tookHead(exchange: Exchange, length: number): void {
    this.headLength += length;
    const bytes = this.headBuffer.subarray(0, this.headLength);
    const end = bytes.indexOf('\r\n\r\n');
    if (end === -1) {
      if (this.headLength === MAX_HEAD)
        this.end(new LinkFailure('lying', `the head of ${this.origin.host} has no end`));
      return;
    }
    const head = readHead(bytes.toString('latin1', 0, end));
    const most = head?.status === 200 ? exchange.most : MAX_HEAD;
    const rest = bytes.subarray(end + 4);
    if (head === undefined || head.length > most || rest.length > head.length) {
      const what = head === undefined ? 'an answer that is not of HTTP' : `${Math.max(head.length, rest.length)} bytes`;
      this.end(new LinkFailure('lying', `${this.origin.host} gave ${what} where at most ${most} bytes are expected`));
      return;
    }
    exchange.head = head;
    exchange.since = performance.now();
    // What is no block is not worth a block's memory, and nobody would give it back.
    exchange.body = head.status === 200 ? this.buffers.take(head.length) : Buffer.allocUnsafe(head.length);
    exchange.filled = rest.copy(exchange.body);
  }

  private complete({ head, body, resolve }: Exchange): void {
    if (head === undefined) return;
    this.exchange = undefined;
    this.headLength = 0;
    this.answers += 1;
    clearTimeout(this.timer);
    this.expectedSince = undefined;
    if (!head.keepAlive) this.end(new Error('the connection was for one answer'));
    resolve({ ...head, body });
  }

  private expectByte(now = performance.now()): void {
    if (this.exchange === undefined || !this.isOpen) return;
    const isRunning = this.expectedSince !== undefined;
    this.expectedSince = now;
    // A timer that is set anew for each read would be a good part of the work on it: this one looks, when its time has come, what has come meanwhile.
    if (!isRunning) this.waitForByte(this.timeouts.stall);
  }

  private waitForByte(ms: number): void {
    clearTimeout(this.timer);
    const { stall } = this.timeouts;
    this.timer = setTimeout(() => {
      const left = Math.ceil((this.expectedSince ?? 0) + stall - performance.now());
      if (left > 0) this.waitForByte(left);
      else this.end(new Error(`no byte came for ${stall} ms`));
    }, ms);
  }

  private waitForConnection(): void {
    clearTimeout(this.timer);
    this.expectedSince = undefined;
    const { connect: ms } = this.timeouts;
    this.timer = setTimeout(() => this.end(new Error(`no connection for ${ms} ms`)), ms);
  }

  private end(reason: Error): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    clearTimeout(this.timer);
    this.leaveRound?.();
    this.socket.destroy();
    const { exchange } = this;
    this.exchange = undefined;
    exchange?.reject(reason);
    this.closed(this);
  }
}
