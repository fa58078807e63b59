import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createLog } from '@cdk8s-dragonfly/command';

import { Supernode } from '../../src';

/** Bytes of a full piece of 4 MiB without its frame. */
export const PIECE = 4 * 1024 * 1024 - 5;

/** A real server on a free port of 127.0.0.1. */
export async function listening(
  listener: RequestListener,
): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

export async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

/** How the origin answers at one path. */
export type OriginPath = (request: IncomingMessage, response: ServerResponse) => void;

/** A file with its length. */
export function whole(content: Buffer): OriginPath {
  return (_request, response) => response.writeHead(200, { 'content-length': content.length }).end(content);
}

/** A file without its length. */
export function chunked(content: Buffer): OriginPath {
  return (_request, response) => {
    response.writeHead(200, { 'transfer-encoding': 'chunked' });
    response.write(content.subarray(0, 100));
    response.end(content.subarray(100));
  };
}

export function status(code: number): OriginPath {
  return (_request, response) => response.writeHead(code).end();
}

/** A supernode and an origin, both real, in one process. */
export class Site {
  private constructor(
    readonly supernode: Supernode,
    private readonly origin: { readonly server: Server; readonly port: number },
    private readonly paths: Map<string, OriginPath>,
    private readonly asked: string[],
    readonly home: string,
  ) {}

  static async start(): Promise<Site> {
    const home = await mkdtemp(join(tmpdir(), 'supernode-classic-'));
    const paths = new Map<string, OriginPath>();
    const asked: string[] = [];
    const origin = await listening((request, response) => {
      const path = request.url ?? '';
      asked.push(path);
      (paths.get(path) ?? status(404))(request, response);
    });
    const supernode = await Supernode.start({
      homeDir: home,
      api: { host: '127.0.0.1', port: 0 },
      blocks: { host: '127.0.0.1', port: 0 },
      advertiseIp: '127.0.0.1',
      allowOrigin: [{ host: '127.0.0.1', port: origin.port }],
      originFirstByteTimeout: 5000,
      originStallTimeout: 5000,
      env: {},
      // Clients of the tests go without a word.
      limits: { stop: 100 },
      log: createLog('silent', 'supernode'),
    });
    return new Site(supernode, origin, paths, asked, home);
  }

  async stop(): Promise<void> {
    await this.supernode.stop();
    await closed(this.origin.server);
    await rm(this.home, { recursive: true, force: true });
  }

  /** Puts something at the origin; returns its URL. */
  serve(path: string, answer: OriginPath): string {
    this.paths.set(path, answer);
    return `http://127.0.0.1:${this.origin.port}${path}`;
  }

  /** Puts a file of random bytes at the origin. */
  file(path: string, length: number): { readonly url: string; readonly content: Buffer } {
    const content = randomBytes(length);
    return { url: this.serve(path, whole(content)), content };
  }

  /** How often the origin was asked for the path. */
  requestsFor(path: string): number {
    return this.asked.filter((other) => other === path).length;
  }
}
