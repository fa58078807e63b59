import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Digest } from '@cdk8s-dragonfly/protocol';

/** What an origin does with a request instead of answering it; false: it answers as usual. */
export type Fault = (request: IncomingMessage, response: ServerResponse) => boolean;

/** An origin on loopback that counts what it sends. Blobs are found by their digest; Range is understood. */
export class CountedOrigin {
  /** GET requests by path. */
  readonly requests: { readonly path: string; readonly headers: IncomingMessage['headers'] }[] = [];
  fault: Fault = () => false;
  private bytes = 0;
  private readonly blobs = new Map<string, Buffer>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async start(): Promise<CountedOrigin> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = new CountedOrigin(server, (server.address() as AddressInfo).port);
    server.on('request', (request, response) => origin.answer(request, response));
    return origin;
  }

  /** Bytes of blobs that were sent. */
  get bytesSent(): number {
    return this.bytes;
  }

  add(content: Buffer): { blob: Digest; url: URL } {
    const blob: Digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    return { blob, url: this.addAt(`/v2/library/test/blobs/${blob}`, content) };
  }

  addAt(path: string, content: Buffer): URL {
    this.blobs.set(path, content);
    return new URL(`http://127.0.0.1:${this.port}${path}`);
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
    const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? -1);
    const part = from < 0 ? content : content.subarray(from);
    response.writeHead(from < 0 ? 200 : 206, {
      'content-length': part.length,
      'accept-ranges': 'bytes',
      ...(from < 0 ? {} : { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }),
    });
    this.bytes += part.length;
    response.end(part);
  }
}
