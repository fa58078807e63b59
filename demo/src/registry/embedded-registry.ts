import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Answer } from './answer';
import type { MemoryBlob, StoredBlob } from './descriptor';
import type { GeneratedImage } from './generated-image';
import type { Route } from './route';
import { routeOf } from './route';
import type { RegistryRequest } from './traffic';
import { RegistryTraffic } from './traffic';

export interface EmbeddedRegistryOptions {
  /**
   * The address to listen on.
   *
   * @default 127.0.0.1
   */
  readonly host?: string;
  /**
   * The port to listen on, 0 for any free one.
   *
   * @default 0
   */
  readonly port?: number;
  /**
   * Connections at a time; more are refused.
   *
   * @default 1024
   */
  readonly maxConnections?: number;
  /**
   * How long a connection may stand still, in milliseconds.
   *
   * @default 30000
   */
  readonly idleTimeoutMs?: number;
  /** Called after each answer, also when the client left early. */
  readonly onRequest?: (request: RegistryRequest) => void;
}

interface Repository {
  readonly tags: Map<string, MemoryBlob>;
  readonly manifests: Map<string, MemoryBlob>;
  readonly blobs: Map<string, StoredBlob>;
}

/**
 * A registry in this process: the pull half of the OCI distribution specification 1.1 over plain HTTP, which counts what it sends.
 * Blobs are streamed from files; Range (one range) is understood.
 */
export class EmbeddedRegistry {
  readonly traffic = new RegistryTraffic();
  private readonly repositories = new Map<string, Repository>();

  private constructor(
    private readonly server: Server,
    private readonly onRequest: ((request: RegistryRequest) => void) | undefined,
  ) {}

  /** @throws Error when the port cannot be listened on; the message names address and reason */
  static async start(options: EmbeddedRegistryOptions = {}): Promise<EmbeddedRegistry> {
    const { host = '127.0.0.1', port = 0, maxConnections = 1024, idleTimeoutMs = 30_000 } = options;
    const server = createServer();
    server.maxConnections = maxConnections;
    server.timeout = idleTimeoutMs;
    const registry = new EmbeddedRegistry(server, options.onRequest);
    server.on('request', (request, response) => void registry.serve(request, response));
    server.listen(port, host);
    try {
      await once(server, 'listening');
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      const reason = code === 'EADDRINUSE' ? 'the port is in use; give another' : String(error);
      throw new Error(`The registry cannot listen on ${host}:${port}: ${reason}.`, { cause: error });
    }
    return registry;
  }

  /** The host and port it listens on, such as `127.0.0.1:40123`. */
  get address(): string {
    const { address, port, family } = this.server.address() as AddressInfo;
    return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
  }

  /** The URL that a mirror of this registry is given. */
  get url(): string {
    return `http://${this.address}`;
  }

  /** Offers `image` as `name:tag`, and by its digest. */
  add(name: string, tag: string, image: GeneratedImage): void {
    const repository = this.repositories.get(name) ?? { tags: new Map(), manifests: new Map(), blobs: new Map() };
    this.repositories.set(name, repository);
    repository.tags.set(tag, image.manifest);
    repository.manifests.set(image.manifest.digest, image.manifest);
    for (const blob of [image.config, ...image.layers]) repository.blobs.set(blob.digest, blob);
  }

  /** Ends all connections and gives the port back. */
  async stop(): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '/', headers } = request;
    const path = url.split('?', 1)[0] ?? '/';
    const answer = new Answer(request, response, this.traffic);
    try {
      if (method === 'GET' || method === 'HEAD') await this.answer(routeOf(path), answer);
      else {
        response.setHeader('Allow', 'GET, HEAD');
        await answer.error(405, 'UNSUPPORTED', `${method} is not offered: this registry is read-only.`);
      }
    } catch (error) {
      // The client left, or the file is gone: either way the body cannot be completed, and the client must see that.
      response.destroy(error instanceof Error ? error : undefined);
    }
    this.onRequest?.({ method, path, range: headers.range, status: response.statusCode, bytes: answer.bytes });
  }

  private async answer(route: Route | undefined, answer: Answer): Promise<void> {
    if (!route) {
      await answer.error(404, 'UNSUPPORTED', 'Only the pull API of the OCI distribution specification is offered.');
      return;
    }
    if (route.kind === 'ping') {
      await answer.json(200, {});
      return;
    }
    const repository = this.repositories.get(route.name);
    if (!repository) {
      await answer.error(404, 'NAME_UNKNOWN', `There is no repository ${route.name}.`);
      return;
    }
    switch (route.kind) {
      case 'tags':
        await answer.json(200, { name: route.name, tags: [...repository.tags.keys()] });
        return;
      case 'manifest': {
        const manifest = repository.manifests.get(route.reference) ?? repository.tags.get(route.reference);
        if (manifest) await answer.manifest(manifest);
        else await answer.error(404, 'MANIFEST_UNKNOWN', `${route.name} has no manifest ${route.reference}.`);
        return;
      }
      case 'blob': {
        const blob = repository.blobs.get(route.digest);
        if (blob) await answer.blob(blob);
        else await answer.error(404, 'BLOB_UNKNOWN', `${route.name} has no blob ${route.digest}.`);
        return;
      }
    }
  }
}
