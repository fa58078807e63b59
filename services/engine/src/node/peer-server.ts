import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';

import {
  BLOCK_EDITION_HEADER,
  BLOCK_HASH_HEADER,
  BLOCK_SIGNATURE_HEADER,
  UNATTESTED_HEADER,
  blobInPeerFilePath,
  blobRoute,
  pingedTogether,
} from '@cdk8s-dragonfly/protocol';
import type { BlobId, BlobRoute } from '@cdk8s-dragonfly/protocol';
import { DamagedBlock } from '@cdk8s-dragonfly/store';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

import { givePiece } from '../classic/give-piece';
import type { IsProven } from '../classic/give-piece';
import { HaveFeeds } from './have-feed';
import { noTraffic } from './traffic';
import type { Traffic } from './traffic';
import type { UploadLimit } from './upload-limit';
import { ORIGINAL_WAITS, UploadTurns } from './upload-turns';
import { whenOver } from './when-over';

/** Connections of neighbours at a time. A neighbour keeps one for its stream and two for blocks, a blob. */
const MAX_CONNECTIONS = 1024;

/** How long blocks on their way may take when the daemon stops, in milliseconds. */
const LAST_BLOCKS = 5000;

/** How long a neighbour may take no byte, in milliseconds. */
const STALLED = 30_000;

/** What this node can give. */
export interface Holdings {
  /**
   * The blob as far as it is here; waits for one that is on its way. Undefined when there is nothing of it. The caller releases it.
   */
  hold(blob: BlobId, signal: AbortSignal): Promise<StoredBlob | undefined>;
  /** Whether original clients, which cannot check it, may have a block. */
  readonly isProven: IsProven;
}

/** What a path asks for. `piece`: a range in a frame, for original clients. */
type PeerRoute = BlobRoute | { readonly kind: 'piece'; readonly blob: BlobId };

/** Decides whether a request for what this node holds is served. The one place for it. */
export type Admission = (request: IncomingMessage, blob: BlobId) => boolean;

/** Gives blocks to neighbours, and pieces to original clients. */
export class PeerServer {
  readonly server: Server;
  private readonly turns: UploadTurns;
  private readonly feeds = new HaveFeeds();
  /** Blocks on their way to neighbours. */
  private readonly giving = new Set<Promise<unknown>>();

  /**
   * @param limit what neighbours together may take. Default: no limit.
   * @param own what the node's own pulls got so far, which come first. Default: there are none.
   */
  constructor(
    private readonly holdings: Holdings,
    private readonly admit: Admission,
    private readonly log: { warn(fields: object, message: string): void },
    private readonly limit?: UploadLimit,
    own: Readonly<Traffic> = noTraffic(),
  ) {
    this.turns = new UploadTurns(own, limit);
    this.server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 10_000, maxHeaderSize: 16 * 1024 });
    this.server.maxConnections = MAX_CONNECTIONS;
    this.server.timeout = STALLED;
    this.server.on('request', (request, response) => {
      // Who asks without waiting for the answer before would have us keep a block for each request.
      if (response.socket === null) {
        request.socket.destroy();
        return;
      }
      this.answer(request, response).catch((error: unknown) => {
        if (response.destroyed) return;
        this.log.warn({ err: error, path: request.url }, 'a neighbour could not be served');
        if (response.headersSent) response.destroy();
        else refuse(response, error instanceof DamagedBlock ? 404 : 500, 'it could not be read');
      });
    });
  }

  /** Takes no more requests, lets blocks that are being given end, for a few seconds at most, and closes all connections. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    if (this.giving.size > 0) {
      const late = new AbortController();
      const limit = delay(LAST_BLOCKS, undefined, { signal: late.signal }).catch(() => undefined);
      await Promise.race([limit, Promise.all(this.giving)]);
      late.abort();
    }
    this.server.closeAllConnections();
    await closed;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const route = request.method === 'GET' ? peerRoute(path) : undefined;
    if (route === undefined) {
      refuse(response, 404, `${path} is no route of a peer`);
      return;
    }
    if (!this.admit(request, route.blob)) {
      refuse(response, 403, 'not for you');
      return;
    }
    const gone = new AbortController();
    response.once('close', () => {
      // Nobody waits any more for what has gone out whole.
      if (route.kind === 'have' || !response.writableFinished) gone.abort(new Error('the neighbour is gone'));
    });
    if (route.kind === 'have') await this.tellHave(route.blob, request, response, gone.signal);
    else {
      const cut = (): void => void response.destroy();
      const patience = route.kind === 'piece' ? ORIGINAL_WAITS : undefined;
      const done = await this.turns.take(request.socket.remoteAddress ?? '', gone.signal, cut, patience);
      if (done === undefined) {
        refuse(response, 503, 'others come first');
        return;
      }
      const given = once(response, 'close').finally(() => this.giving.delete(given));
      if (!response.closed) this.giving.add(given);
      whenOver(request, response, (bytes) => done(response.statusCode < 300 ? bytes : 0));
      if (route.kind === 'piece') await this.givePiece(route.blob, request, response, gone.signal);
      else {
        const unattested = request.headers[UNATTESTED_HEADER] !== undefined;
        await this.giveBlock({ ...route, unattested }, response, gone.signal);
      }
    }
  }

  private async givePiece(
    blob: BlobId,
    request: IncomingMessage,
    response: ServerResponse,
    signal: AbortSignal,
  ): Promise<void> {
    const stored = await this.holdings.hold(blob, signal);
    try {
      const { isProven } = this.holdings;
      const gift =
        stored === undefined
          ? ({ status: 404, message: `${blob} is not here` } as const)
          : await givePiece(stored, isProven, request, response, (bytes) => this.paced(bytes, signal));
      if (gift.status !== 206) refuse(response, gift.status, gift.message);
    } finally {
      await stored?.release();
    }
  }

  private paced(bytes: Buffer, signal: AbortSignal): Iterable<Buffer> | AsyncIterable<Buffer> {
    return this.limit === undefined ? [bytes] : this.limit.paced(bytes, signal);
  }

  /** Gives the body of an answer, no faster than the limit allows. */
  private async send(response: ServerResponse, bytes: Buffer, signal: AbortSignal): Promise<void> {
    if (this.limit === undefined) response.end(bytes);
    else await pipeline(Readable.from(this.paced(bytes, signal)), response);
  }

  private async giveBlock(
    { blob, index, unattested }: { readonly blob: BlobId; readonly index: number; readonly unattested: boolean },
    response: ServerResponse,
    signal: AbortSignal,
  ): Promise<void> {
    const stored = await this.holdings.hold(blob, signal);
    try {
      const proof = stored?.proofOf(index);
      if (stored === undefined || proof === undefined || (proof.signature === undefined && !unattested)) {
        refuse(response, 404, `block ${index} of ${blob} is not here`);
        return;
      }
      const { bytes, done } = await this.turns.reading(() => stored.lend(index));
      response.writeHead(200, {
        'content-type': 'application/octet-stream',
        'content-length': bytes.length,
        [BLOCK_HASH_HEADER]: proof.hash.toString('hex'),
        ...(stored.edition === undefined ? {} : { [BLOCK_EDITION_HEADER]: stored.edition.id }),
        ...(proof.signature === undefined ? {} : { [BLOCK_SIGNATURE_HEADER]: proof.signature.toString('base64') }),
      });
      // When the connection has passed it on, or is closed: it does not touch it any more.
      response.once('finish', done);
      await this.send(response, bytes, signal);
    } finally {
      await stored?.release();
    }
  }

  private async tellHave(
    blob: BlobId,
    { url = '', socket }: IncomingMessage,
    response: ServerResponse,
    signal: AbortSignal,
  ): Promise<void> {
    const name = pingedTogether(url.slice(url.indexOf('?') + 1));
    // With the address: nobody else gets the pings of a neighbour by its name.
    const listener = this.feeds.open(response, name === undefined ? undefined : `${socket.remoteAddress} ${name}`);
    const stored = await this.holdings.hold(blob, signal);
    if (stored === undefined) {
      response.end();
      return;
    }
    // A neighbour that listens keeps no blob on a disk that needs the room.
    const hold = { isTaken: false };
    const taken = (): void => {
      hold.isTaken = true;
      response.end();
    };
    stored.yieldTo(taken);
    const unfollow = this.feeds.follow(listener, stored);
    try {
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener('abort', () => resolve(), { once: true });
      });
    } finally {
      unfollow();
      if (!hold.isTaken) await stored.release(taken);
    }
  }
}

function peerRoute(path: string): PeerRoute | undefined {
  const blob = blobInPeerFilePath(path);
  return blob === undefined ? blobRoute(path) : { kind: 'piece', blob };
}

function refuse(response: ServerResponse, status: number, message: string): void {
  const body = `${JSON.stringify({ code: status, message })}\n`;
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    .end(body);
}
