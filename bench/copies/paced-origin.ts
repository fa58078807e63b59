import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How often each answer gets its next bytes, in ms. */
const STEP = 20;

/** A registry with one blob, of limited rate, that counts what it sends and stands still when it is told to. */
export class PacedOrigin {
  /** Bytes of the blob that were sent. */
  bytes = 0;
  /** The GET requests for the blob, a line each: when, for which runtime, and for what. */
  readonly told: string[] = [];
  /** Bytes a second of all answers together. */
  rate = Infinity;
  private stalledUntil = 0;
  private stall: { readonly at: number; readonly ms: number } | undefined;
  private sending = 0;

  private constructor(
    private readonly server: Server,
    readonly port: number,
    private readonly content: Buffer,
    readonly digest: string,
  ) {}

  /** @param length bytes of the blob */
  static async start(length: number): Promise<PacedOrigin> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const content = randomBytes(length);
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    const origin = new PacedOrigin(server, (server.address() as AddressInfo).port, content, digest);
    server.on('request', (request, response) => origin.answer(request, response));
    return origin;
  }

  /** The path of the blob. */
  get path(): string {
    return `/v2/library/test/blobs/${this.digest}`;
  }

  /** The whole stands still, new answers too, for so many ms once byte `at` was sent. */
  stallOnceAt(at: number, ms: number): void {
    this.stall = { at, ms };
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    if (request.url !== this.path) {
      response.writeHead(request.url === '/v2/' ? 200 : 404, { 'content-length': 0 }).end();
      return;
    }
    const { length } = this.content;
    const [, first, last = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const from = Number(first ?? 0);
    const end = last === '' ? length : Math.min(length, Number(last) + 1);
    const range = first === undefined ? {} : { 'content-range': `bytes ${from}-${end - 1}/${length}` };
    const head = { 'content-length': end - from, 'accept-ranges': 'bytes', ...range };
    if (request.method === 'HEAD') {
      response.writeHead(200, head).end();
      return;
    }
    const who = request.headers['user-agent'] ?? 'nobody';
    this.told.push(`${new Date().toISOString()} ${who} from ${from} to ${end}\n`);
    response.writeHead(first === undefined ? 200 : 206, head).flushHeaders();
    this.send(response, from, end);
  }

  private send(response: ServerResponse, from: number, end: number): void {
    let at = from;
    this.sending += 1;
    const timer = setInterval(() => {
      if (response.writableNeedDrain || performance.now() < this.stalledUntil) return;
      const { stall } = this;
      let to = Math.min(end, at + Math.ceil((this.rate * STEP) / 1000 / this.sending));
      if (stall !== undefined && to >= stall.at) {
        to = Math.max(at, stall.at);
        this.stalledUntil = performance.now() + stall.ms;
        this.stall = undefined;
      }
      this.bytes += to - at;
      const chunk = this.content.subarray(at, to);
      at = to;
      if (at === end) response.end(chunk);
      else response.write(chunk);
    }, STEP);
    response.once('close', () => {
      clearInterval(timer);
      this.sending -= 1;
    });
  }
}
