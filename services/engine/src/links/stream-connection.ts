import { validateHeaderValue } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

import { LinkFailure } from './failure';
import { FramedBody } from './framed-body';
import type { Took } from './framed-body';
import { Patience } from './patience';
import { readStreamHead } from './response-head';
import { socketAddress } from './socket-address';

/** The longest head of an answer, in bytes. */
const MAX_HEAD = 16 * 1024;

const HEAD_END = '\r\n\r\n';

/** The other side speaks something else from now on, which nobody asked for. */
const SWITCHED = 101;

/** So much of what is wrong is shown. */
const SHOWN = 80;

/** All streams read into it: what has come over one is used, or copied, before another is read. */
const READ = Buffer.allocUnsafeSlow(64 * 1024);

/** How long is waited, in milliseconds. */
export interface StreamTimeouts {
  /** For a connection to open. */
  readonly connect: number;
  /** Then, for the head of the answer. */
  readonly answer: number;
}

/** What is asked for, and who hears the answer. */
export interface StreamRequest {
  /** Such as `http://10.0.0.1:65001/path?query`. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeouts: StreamTimeouts;
  /** Bytes of the body: the memory is used again. What it throws ends the stream. */
  readonly took: Took;
  /** Nothing more comes. Called once. @param reason undefined: the body is whole. */
  readonly ended: (reason: Error | undefined) => void;
}

/**
 * One request over a connection of its own, whose answer the server keeps open. A daemon hears short lines over hundreds of them: a general
 * client of HTTP costs several times as much CPU for each.
 */
export class StreamConnection {
  private readonly socket: Socket;
  /** The head of the answer, as far as it has come. */
  private head = Buffer.alloc(0);
  private body: FramedBody | undefined;
  private patience: Patience;
  private isOpen = true;

  /** @throws TypeError for a header that is none. */
  constructor(private readonly request: StreamRequest) {
    const { headers, timeouts, url } = request;
    const lines = Object.entries(headers).map(([name, value]) => {
      validateHeaderValue(name, value);
      return `${name}: ${value}\r\n`;
    });
    this.socket = connect({
      ...socketAddress(url),
      onread: { buffer: READ, callback: (length) => this.read(length) },
    });
    this.socket.write(`GET ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\n${lines.join('')}\r\n`);
    this.patience = this.waitFor('connection', timeouts.connect);
    this.socket.on('connect', () => {
      this.patience.end();
      this.patience = this.waitFor('answer', timeouts.answer);
    });
    this.socket.on('error', (error) => this.end(error));
    this.socket.on('end', () => this.closed());
    this.socket.on('close', () => this.closed());
  }

  /** Closes the connection. @param reason what `ended` is told. */
  end(reason: Error | undefined): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.patience.end();
    this.socket.destroy();
    this.request.ended(reason);
  }

  private waitFor(what: 'connection' | 'answer', ms: number): Patience {
    const reason = `${this.request.url.host}: no ${what} came for ${ms} ms`;
    return new Patience(ms, () => this.end(new LinkFailure(what === 'answer' ? 'silent' : 'gone', reason)));
  }

  /** Bytes have come. @returns that more may come. */
  private read(length: number): boolean {
    try {
      if (this.body === undefined) this.readHead(READ.subarray(0, length));
      else this.readBody(this.body, READ, length);
    } catch (error) {
      this.end(error as Error);
    }
    return true;
  }

  private readBody(body: FramedBody, bytes: Buffer, length: number): void {
    if (!this.isOpen) return;
    body.take(bytes, length, this.request.took);
    if (body.whole) this.end(undefined);
  }

  private readHead(bytes: Buffer): void {
    const { host } = this.request.url;
    this.head = Buffer.concat([this.head, bytes]);
    const end = this.head.indexOf(HEAD_END);
    if (end === -1 ? this.head.length >= MAX_HEAD : end > MAX_HEAD)
      throw new LinkFailure('lying', `the head of ${host} is longer than ${MAX_HEAD} bytes`);
    if (end === -1) return;
    const text = this.head.toString('latin1', 0, end);
    const head = readStreamHead(text);
    const rest = this.head.subarray(end + HEAD_END.length);
    this.head = Buffer.alloc(0);
    if (head === undefined) {
      const found = JSON.stringify(text.slice(0, SHOWN));
      throw new LinkFailure(
        'lying',
        `${host} gave no head of HTTP/1.1 that says one thing of where its body ends: ${found}`,
      );
    }
    // What a server says before its answer (RFC 9110, 15.2).
    if (head.status < 200 && head.status !== SWITCHED) {
      this.readHead(rest);
      return;
    }
    const where = `${host}${this.request.url.pathname}`;
    if (head.status !== 200) throw new LinkFailure('lying', `${where} answered ${head.status} instead of a stream`);
    this.patience.end();
    this.body = new FramedBody(head.framing, where);
    this.readBody(this.body, rest, rest.length);
  }

  /** The other side has closed it. */
  private closed(): void {
    this.end(this.body?.endsWithConnection === true ? undefined : new Error('the connection was closed'));
  }
}
