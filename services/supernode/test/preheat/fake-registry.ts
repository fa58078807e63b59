import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { digestOf } from '@cdk8s-dragonfly/protocol';
import type { Digest } from '@cdk8s-dragonfly/protocol';

export const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
export const DOCKER_LIST_TYPE = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const DOCKER_MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';

/** A request as the registry saw it. */
export interface Seen {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly platform?: object;
}

/** An HTTP server on an address of this machine that remembers what it was asked. */
export class FakeServer {
  readonly seen: Seen[] = [];
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) => {
    response.writeHead(404).end();
  };

  protected constructor(
    private readonly server: Server,
    readonly host: string,
  ) {
    server.on('request', (request, response) => {
      this.seen.push({ path: request.url ?? '', headers: request.headers });
      this.answer(request, response);
    });
  }

  static async listen(host = '127.0.0.1'): Promise<FakeServer> {
    return new FakeServer(await listening(host), host);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `http://${this.host}:${this.port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

/** A registry of one repository, `team/app`. */
export class FakeRegistry extends FakeServer {
  /** Bytes of blobs that were sent. */
  blobBytes = 0;
  /** What a request needs; undefined: nothing. */
  challenge: { readonly header: string; readonly takes: (authorization: string) => boolean } | undefined;
  private readonly content = new Map<string, { readonly type: string; readonly body: Buffer }>();

  static async start(host = '127.0.0.1'): Promise<FakeRegistry> {
    const registry = new FakeRegistry(await listening(host), host);
    registry.answer = (request, response) => registry.give(request, response);
    return registry;
  }

  addBlob(body: Buffer, mediaType = 'application/vnd.oci.image.layer.v1.tar'): Descriptor {
    const digest = digestOf(body);
    this.content.set(`/v2/team/app/blobs/${digest}`, { type: 'application/octet-stream', body });
    return { mediaType, digest, size: body.length };
  }

  addManifest(document: object, type: string, tag?: string): Descriptor {
    const body = Buffer.from(JSON.stringify(document));
    const digest = digestOf(body);
    for (const reference of [digest, ...(tag === undefined ? [] : [tag])]) {
      this.content.set(`/v2/team/app/manifests/${reference}`, { type, body });
    }
    return { mediaType: type, digest, size: body.length };
  }

  addImage(layers: readonly Descriptor[], config: object = {}, tag?: string, type = MANIFEST_TYPE): Descriptor {
    const own = this.addBlob(Buffer.from(JSON.stringify(config)), 'application/vnd.oci.image.config.v1+json');
    return this.addManifest({ schemaVersion: 2, mediaType: type, config: own, layers }, type, tag);
  }

  remove(digest: Digest): void {
    this.content.delete(`/v2/team/app/blobs/${digest}`);
  }

  url(path: string): string {
    return `${this.origin}/v2/team/app/${path}`;
  }

  /** Paths below the repository that were asked for. */
  get paths(): string[] {
    return this.seen.map(({ path }) => path.replace('/v2/team/app/', ''));
  }

  private give(request: IncomingMessage, response: ServerResponse): void {
    const { challenge } = this;
    if (challenge?.takes(request.headers.authorization ?? '') === false) {
      response.writeHead(401, { 'www-authenticate': challenge.header }).end('{"errors":[]}');
      return;
    }
    const found = this.content.get(request.url ?? '');
    if (found === undefined) {
      response.writeHead(404).end();
      return;
    }
    if (request.url?.includes('/blobs/') === true) this.blobBytes += found.body.length;
    response.writeHead(200, { 'content-type': found.type, 'content-length': found.body.length }).end(found.body);
  }
}

async function listening(host: string): Promise<Server> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  return server;
}
