import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Digest } from '@cdk8s-dragonfly/protocol';

/** What an origin does with a request instead of answering it; false: it answers as usual. */
export type Fault = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Bytes that are sent at once, without a rate: whoever ends a download early is not counted as if it had taken the rest. */
const STEP = 64 * 1024;

/** An origin on loopback that counts what it sends. Blobs are found by their digest; Range is understood. */
export class CountedOrigin {
  /** GET requests by path. */
  readonly requests: { readonly path: string; readonly headers: IncomingMessage['headers'] }[] = [];
  fault: Fault = () => false;
  /** Bytes a second of each answer. Default: as fast as it goes. */
  rate: number | undefined;
  /** The byte of the content at which the next answer that reaches it stands still for ever. */
  stallAt: number | undefined;
  private bytes = 0;
  private readonly blobs = new Map<string, Buffer>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
    private readonly host: string,
  ) {}

  static async start(host = '127.0.0.1'): Promise<CountedOrigin> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    const origin = new CountedOrigin(server, (server.address() as AddressInfo).port, host);
    server.on('request', (request, response) => origin.answer(request, response));
    return origin;
  }

  /** Bytes of blobs that were sent, not those that nobody took any more. */
  get bytesSent(): number {
    return this.bytes;
  }

  add(content: Buffer): { blob: Digest; url: URL } {
    const blob: Digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    return { blob, url: this.addAt(`/v2/library/test/blobs/${blob}`, content) };
  }

  addAt(path: string, content: Buffer): URL {
    this.blobs.set(path, content);
    const host = this.host.includes(':') ? `[${this.host}]` : this.host;
    return new URL(`http://${host}:${this.port}${path}`);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    this.requests.push({ path, headers: request.headers });
    if (this.fault(request, response)) return;
    const content = this.blobs.get(path);
    if (content === undefined) {
      response.writeHead(404).end();
      return;
    }
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const from = Number(first ?? -1);
    if (from >= content.length) {
      response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
      return;
    }
    const end = last === undefined || last === '' ? content.length : Math.min(content.length, Number(last) + 1);
    const part = from < 0 ? content : content.subarray(from, end);
    response.writeHead(from < 0 ? 200 : 206, {
      'content-length': part.length,
      'accept-ranges': 'bytes',
      ...(from < 0 ? {} : { 'content-range': `bytes ${from}-${end - 1}/${content.length}` }),
    });
    this.send(response, part, Math.max(0, from));
  }

  /** Sends `part`, which begins at byte `at` of the content, as fast as {@link rate} allows and up to {@link stallAt}. */
  private send(response: ServerResponse, part: Buffer, at: number): void {
    const { rate } = this;
    const step = rate === undefined ? STEP : Math.ceil(rate / 100);
    let sent = 0;
    const more = (): void => {
      if (response.destroyed) return;
      if (this.stallAt !== undefined && at + sent >= this.stallAt) {
        this.stallAt = undefined;
        return;
      }
      const chunk = part.subarray(sent, sent + Math.min(step, (this.stallAt ?? Infinity) - at - sent));
      sent += chunk.length;
      this.bytes += chunk.length;
      if (sent === part.length) response.end(chunk);
      else response.write(chunk, rate === undefined ? more : () => setTimeout(more, 10));
    };
    more();
  }
}
