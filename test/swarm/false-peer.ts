import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { BlockSet, NATIVE_VERSION, blobRoute, formatRegistryRequest, lineOf } from '@cdk8s-dragonfly/protocol';
import type { Digest, HeaderLine } from '@cdk8s-dragonfly/protocol';

/** What a false peer does with a request for a block. */
export type FalseAnswer = (index: number, request: IncomingMessage, response: ServerResponse) => void;

/** A member of a swarm that says it has all blocks and answers as a test wants. */
export class FalsePeer {
  /** The blocks it was asked for. */
  readonly asked: number[] = [];
  private readonly session = new AbortController();

  /** What it says of what it has, line by line; default: all blocks. */
  says: (() => string[]) | undefined;
  /** The ends of its streams of what it has. */
  private readonly pinging = new Set<NodeJS.Timeout>();

  private constructor(
    private readonly server: Server,
    private readonly answer: FalseAnswer,
  ) {
    server.on('request', (request, response) => this.take(request, response));
  }

  /**
   * Joins the swarm of a blob at a supernode.
   *
   * @param place where both are. Default: on loopback.
   * @param headers with which the supernode asks the origin: who has none that it takes leaves the swarm. Default: none.
   */
  static async join(
    supernodePort: number,
    { blob, url, blocks }: { blob: Digest; url: URL; blocks: number },
    answer: FalseAnswer,
    says?: () => string[],
    place: { readonly own: string; readonly supernode: string } = { own: '127.0.0.1', supernode: '127.0.0.1' },
    headers: readonly HeaderLine[] = [],
  ): Promise<FalsePeer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, place.own, resolve));
    const peer = new FalsePeer(server, answer);
    peer.all = BlockSet.of(Array.from({ length: blocks }, (_, index) => index));
    peer.says = says;
    const { port } = server.address() as AddressInfo;
    const cid = `false-${port}`;
    const body = formatRegistryRequest({
      rawUrl: url.href,
      taskUrl: url.href,
      cid,
      ip: place.own,
      port,
      path: '/peer/file/x',
      headers,
      dfdaemon: true,
      native: { versions: [NATIVE_VERSION], blob },
    });
    const base = `http://${place.supernode}:${supernodePort}`;
    const session = await fetch(`${base}/native/v3/session?cid=${cid}&ip=${place.own}&port=${port}`, {
      signal: peer.session.signal,
    });
    // Read on in the background: a session that is not read is cut off.
    void session.body?.pipeTo(new WritableStream()).catch(() => undefined);
    await fetch(`${base}/peer/registry`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    return peer;
  }

  private all = new BlockSet();

  async stop(): Promise<void> {
    this.session.abort();
    for (const timer of this.pinging) clearInterval(timer);
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private take(request: IncomingMessage, response: ServerResponse): void {
    const route = blobRoute((request.url ?? '').split('?')[0] ?? '');
    if (route?.kind === 'have') {
      response.writeHead(200);
      for (const line of this.says?.() ?? [lineOf({ type: 'have', blocks: this.all.toBase64() })]) response.write(line);
      const timer = setInterval(() => response.write(lineOf({ type: 'ping' })), 200);
      this.pinging.add(timer);
      response.once('close', () => clearInterval(timer));
      return;
    }
    if (route === undefined) {
      response.writeHead(404).end();
      return;
    }
    this.asked.push(route.index);
    this.answer(route.index, request, response);
  }
}
