import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

import { listen } from '@cdk8s-dragonfly/command';
import type { BoundAddress, Closeable, ListenOptions, Log } from '@cdk8s-dragonfly/command';
import { whenOver } from '@cdk8s-dragonfly/engine';
import {
  ARRIVING_HEADER,
  BLOCK_EDITION_HEADER,
  BLOCK_HASH_HEADER,
  BLOCK_SIGNATURE_HEADER,
  blobRoute,
} from '@cdk8s-dragonfly/protocol';
import type { BlobId } from '@cdk8s-dragonfly/protocol';
import { BlockSlots, DamagedBlock } from '@cdk8s-dragonfly/store';

import type { TaskTable } from '../tasks/task-table';
import { ArrivingAnswers } from './arriving-answers';
import { clientErrors } from './client-error';
import { ConnectionCount } from './connection-count';
import { BLOCK_LIMITS, checkEvery } from './limits';
import type { FrontLimits } from './limits';
import { OVERLOADED, STOPPING, pathOf, refuseRaw } from './refusal';
import { requestIds } from './request-id';

/**
 * Takes a request that is not one for a block; answers false when it is not its own either.
 *
 * @param slots the turns of all who take bytes of blobs.
 */
export type OtherRequests = (
  request: IncomingMessage,
  response: ServerResponse,
  slots: Pick<BlockSlots, 'take'>,
) => boolean;

/** What the piece and block server works with. */
export interface BlockServerOptions {
  readonly tasks: TaskTable;
  readonly log: Log;
  readonly others: OtherRequests;
  /** Is told of the bytes of each block that was given. */
  readonly served?: ((bytes: number) => void) | undefined;
  readonly limits?: Partial<FrontLimits> | undefined;
}

/** How often it is looked whether all answers are out, when it stops, in ms. */
const STEP = 10;

/** The piece and block server on 8001. */
export class BlockServer implements Closeable {
  private readonly server: Server;
  private readonly connections: ConnectionCount;
  private readonly limits: FrontLimits;
  private readonly slots = new BlockSlots();
  private running = 0;
  private readonly arriving: ArrivingAnswers;
  private stopping = false;

  constructor(private readonly options: BlockServerOptions) {
    this.limits = { ...BLOCK_LIMITS, ...options.limits };
    this.arriving = new ArrivingAnswers((bytes) => options.served?.(bytes));
    const { headerBytes, requestTimeout, idle } = this.limits;
    this.server = createServer({
      keepAliveTimeout: idle,
      requestTimeout,
      headersTimeout: requestTimeout,
      connectionsCheckingInterval: checkEvery(this.limits),
      maxHeaderSize: headerBytes,
    });
    this.server.timeout = idle;
    this.connections = new ConnectionCount(this.server, this.limits);
    this.server.on('clientError', clientErrors(requestIds(), options.log));
    this.server.on('request', (request, response) => {
      // Who asks without waiting for the answer before would have us keep a block for each request.
      if (response.socket === null) {
        request.socket.destroy();
        return;
      }
      this.running += 1;
      response.once('close', () => (this.running -= 1));
      this.answer(request, response).catch((error: unknown) => {
        if (response.closed) return;
        this.options.log.warn({ err: error, path: pathOf(request.url ?? '') }, 'a block could not be given');
        if (response.headersSent) response.destroy();
        else refuseRaw(response, error instanceof DamagedBlock ? 404 : 500, 'the block could not be read');
      });
    });
  }

  /** Whether it takes requests. */
  get listening(): boolean {
    return this.server.listening && !this.stopping;
  }

  /** How many connections are open. */
  get openConnections(): number {
    return this.connections.open;
  }

  async start(options: ListenOptions): Promise<BoundAddress> {
    return listen(this.server, options, 'the piece server');
  }

  /** Closes the port, lets the running answers end, at most for the time of the limits, and closes all connections. */
  async stop(): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    // The origin may take its time.
    this.arriving.refuseAll();
    const end = performance.now() + this.limits.stop;
    while (this.running > 0 && performance.now() < end) await delay(STEP);
    this.server.closeAllConnections();
    await closed;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.stopping || this.connections.isSurplus(request.socket)) {
      const { status, message } = this.stopping ? STOPPING : OVERLOADED;
      refuseRaw(response.setHeader('connection', 'close'), status, message);
      return;
    }
    const path = pathOf(request.url ?? '');
    const route = blobRoute(path);
    if (route?.kind === 'block' && request.method === 'GET') await this.block(route, request, response);
    else if (!this.options.others(request, response, this.slots)) refuseRaw(response, 404, `${path} is not here`);
  }

  private async block(
    { blob, index }: { readonly blob: BlobId; readonly index: number },
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { tasks, served } = this.options;
    if (request.headers[ARRIVING_HEADER] !== undefined) {
      const arriving = tasks.find(blob)?.task;
      if (arriving !== undefined && this.arriving.give(arriving, index, request, response)) return;
    }
    const gone = new AbortController();
    response.once('close', () => gone.abort(new Error('the client is gone')));
    const cut = (): void => void response.destroy();
    const done = await this.slots.take(request.socket.remoteAddress ?? '', gone.signal, cut);
    let given = 0;
    whenOver(request, response, (sent) => {
      const block = sent > 0 ? given : 0;
      done(block);
      if (block > 0) served?.(block);
    });
    const task = tasks.find(blob)?.task;
    const stored = task?.stored;
    const proof = stored?.proofOf(index);
    if (stored === undefined || proof?.signature === undefined) {
      refuseRaw(response, 404, `block ${index} of ${blob} is not here`);
      return;
    }
    const { bytes, done: taken } = await stored.lend(index).catch((error: unknown) => {
      // It is fetched anew; this client asks its neighbours meanwhile.
      if (error instanceof DamagedBlock) task?.repair();
      throw error;
    });
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': bytes.length,
      [BLOCK_HASH_HEADER]: proof.hash.toString('hex'),
      ...(stored.edition === undefined ? {} : { [BLOCK_EDITION_HEADER]: stored.edition.id }),
      [BLOCK_SIGNATURE_HEADER]: proof.signature.toString('base64'),
    });
    given = bytes.length;
    // Called when the connection has passed it on, or is closed: it does not touch it any more.
    response.end(bytes, taken);
  }
}
