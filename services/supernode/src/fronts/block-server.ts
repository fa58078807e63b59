import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';

import { listen } from '@cdk8s-dragonfly/command';
import type { BoundAddress, Closeable, ListenOptions } from '@cdk8s-dragonfly/command';
import { BLOCK_HASH_HEADER, BLOCK_SIGNATURE_HEADER, blobRoute } from '@cdk8s-dragonfly/protocol';
import type { BlobId } from '@cdk8s-dragonfly/protocol';
import { DamagedBlock } from '@cdk8s-dragonfly/store';

import type { TaskTable } from '../tasks/task-table';

/** Takes a request that is not one for a block; answers false when it is not its own either. */
export type OtherRequests = (request: IncomingMessage, response: ServerResponse) => boolean;

/** The piece and block server on 8001. */
export class BlockServer implements Closeable {
  private readonly server: Server;

  constructor(
    private readonly tasks: TaskTable,
    private readonly log: { warn(fields: object, message: string): void },
    private readonly others: OtherRequests,
  ) {
    this.server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 10_000, maxHeaderSize: 16 * 1024 });
    this.server.on('request', (request, response) => {
      this.answer(request, response).catch((error: unknown) => {
        this.log.warn({ err: error, path: request.url }, 'a block could not be given');
        if (response.headersSent) response.destroy();
        else fail(response, error instanceof DamagedBlock ? 404 : 500, 'the block could not be read');
      });
    });
  }

  async start(options: ListenOptions): Promise<BoundAddress> {
    return listen(this.server, options, 'the piece server');
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    await closed;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const route = blobRoute(path);
    if (route?.kind === 'block' && request.method === 'GET') await this.block(route.blob, route.index, response);
    else if (!this.others(request, response)) fail(response, 404, `${path} is not here`);
  }

  private async block(blob: BlobId, index: number, response: ServerResponse): Promise<void> {
    const stored = this.tasks.find(blob)?.task.stored;
    const proof = stored?.proofOf(index);
    if (stored === undefined || proof?.signature === undefined) {
      fail(response, 404, `block ${index} of ${blob} is not here`);
      return;
    }
    const bytes = await stored.read(index);
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': bytes.length,
      [BLOCK_HASH_HEADER]: proof.hash.toString('hex'),
      [BLOCK_SIGNATURE_HEADER]: proof.signature.toString('base64'),
    });
    response.end(bytes);
  }
}

function fail(response: ServerResponse, status: number, message: string): void {
  const body = `${JSON.stringify({ code: status, message })}\n`;
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    .end(body);
}
