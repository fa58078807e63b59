import { once } from 'node:events';
import { createServer, request as ask, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { blobsOf, type Image } from './image';

/** What a front does to an answer instead of passing it on: a status, or half of its body and then nothing, for ever. */
export type FrontFault = 404 | 500 | 'stall';

/** What has left for one blob. */
export interface FrontDelivery {
  readonly digest: string;
  readonly bytes: number;
}

/** An HTTP server before a registry: counts what leaves, and has faults when told. */
export class RegistryFront {
  /** Asked for each GET of a blob. */
  fault: (digest: string) => FrontFault | undefined = () => undefined;
  private readonly sent = new Map<string, number>();

  private constructor(
    private readonly server: Server,
    private readonly registry: string,
    private readonly ip: string,
  ) {}

  /** @param registry `HOST:PORT` */
  static async start(ip: string, registry: string): Promise<RegistryFront> {
    const server = createServer();
    server.listen(0, ip);
    await once(server, 'listening');
    const front = new RegistryFront(server, registry, ip);
    server.on('request', (request, response) => front.pass(request, response));
    return front;
  }

  /** `HOST:PORT`. */
  get address(): string {
    return `${this.ip}:${(this.server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `http://${this.address}`;
  }

  /** Bytes that have left of each blob of an image, in the order of its manifests. */
  deliveries(image: Image): FrontDelivery[] {
    return blobsOf(image).map(({ digest }) => ({ digest, bytes: this.sent.get(digest) ?? 0 }));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private pass(request: IncomingMessage, response: ServerResponse): void {
    const { method, url = '', headers } = request;
    const digest = method === 'GET' ? /\/blobs\/(sha256:[0-9a-f]{64})/.exec(url)?.[1] : undefined;
    const fault = digest === undefined ? undefined : this.fault(digest);
    if (typeof fault === 'number') {
      response.writeHead(fault, { 'Content-Type': 'application/json' }).end('{"errors":[]}');
      return;
    }
    const [host, port] = this.registry.split(':');
    const onward = ask({ host, port, method, path: url, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      const half = Number(answer.headers['content-length'] ?? 0) / 2;
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        if (fault === 'stall' && bytes >= half) return;
        bytes += chunk.length;
        if (digest !== undefined && (answer.statusCode === 200 || answer.statusCode === 206)) {
          this.sent.set(digest, (this.sent.get(digest) ?? 0) + chunk.length);
        }
        if (!response.write(chunk)) {
          answer.pause();
          response.once('drain', () => answer.resume());
        }
      });
      answer.on('end', () => {
        if (fault !== 'stall') response.end();
      });
      answer.on('error', () => response.destroy());
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    onward.end();
  }
}
