import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** An answer with its body. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

const HEAD = /^HTTP\/1\.1 (\d{3})[^]*?\r\ncontent-length: (\d+)[^]*?\r\n\r\n/i;

/** A request that takes longer than this, in ms, has failed, unless the connection has another limit. */
const LIMIT = 10_000;

/** What waits for an answer. */
interface Waiting {
  readonly request: string;
  /** Whether it went over a connection that had been idle: the supernode may have closed it at the same moment (RFC 9112, 9.3.1). */
  readonly reused: boolean;
  readonly resolve: (answer: HttpAnswer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A connection that is kept open, for one request after the other. It costs a fraction of node:http's client, so that the one that measures
 * is not what is measured; answers must have a Content-Length.
 */
export class HttpConnection {
  private socket: Socket | undefined;
  private text = '';
  private waiting: Waiting | undefined;

  constructor(
    private readonly host: string,
    private readonly port: number,
    private readonly limit = LIMIT,
  ) {}

  /** @throws Error when the connection breaks or no answer comes within the limit. */
  async get(target: string): Promise<HttpAnswer> {
    return this.send(`GET ${target} HTTP/1.1\r\nhost: ${this.host}:${this.port}\r\nuser-agent: dfget/0.4.0\r\n\r\n`);
  }

  /** @throws Error as {@link get}. */
  async post(target: string, json: string): Promise<HttpAnswer> {
    const head = [
      `POST ${target} HTTP/1.1`,
      `host: ${this.host}:${this.port}`,
      'user-agent: dfget/0.4.0',
      'content-type: application/json;charset=utf-8',
      `content-length: ${Buffer.byteLength(json)}`,
    ];
    return this.send(`${head.join('\r\n')}\r\n\r\n${json}`);
  }

  close(): void {
    this.socket?.destroy();
  }

  private async send(request: string): Promise<HttpAnswer> {
    if (this.waiting !== undefined) throw new Error('a connection takes one request at a time');
    const reused = this.socket !== undefined;
    const socket = (this.socket ??= this.open());
    return new Promise<HttpAnswer>((resolve, reject) => {
      this.waiting = { request, reused, resolve, reject };
      socket.write(request);
    });
  }

  private sendAgain(waiting: Waiting): void {
    this.waiting = { ...waiting, reused: false };
    this.socket = this.open();
    this.socket.write(waiting.request);
  }

  private open(): Socket {
    const socket = connect({ host: this.host, port: this.port, noDelay: true });
    socket.setTimeout(this.limit, () => {
      if (this.waiting !== undefined) socket.destroy(new Error(`no answer in ${this.limit} ms`));
    });
    socket.setEncoding('latin1').on('data', (text: string) => this.take(text));
    let reason = new Error('the supernode closed the connection');
    socket.on('error', (error) => {
      reason = error;
    });
    // The supernode closes what has long been idle; the next request opens another.
    socket.on('end', () => {
      if (this.waiting === undefined && this.socket === socket) this.socket = undefined;
    });
    socket.on('close', () => {
      if (this.socket !== socket && this.socket !== undefined) return;
      if (this.socket === socket) this.socket = undefined;
      const { waiting, text } = this;
      this.text = '';
      this.waiting = undefined;
      if (waiting?.reused === true && text === '') this.sendAgain(waiting);
      else waiting?.reject(reason);
    });
    return socket;
  }

  private take(text: string): void {
    this.text += text;
    const [head, status, length] = HEAD.exec(this.text) ?? [];
    if (head === undefined || this.text.length < head.length + Number(length)) return;
    const body = this.text.slice(head.length);
    this.text = '';
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.resolve({ status: Number(status), body });
  }
}
