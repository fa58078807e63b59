import { createHash, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { BlockSet, Grid, blobRoute, lineOf } from '@cdk8s-dragonfly/protocol';
import type { Digest, Neighbour } from '@cdk8s-dragonfly/protocol';

import { giveAttested } from '../../../test/support/attested-answer';

export const PIECE_SIZE = 4 * 1024 * 1024;

/** A blob, in blocks. */
export class Content {
  readonly grid = new Grid(PIECE_SIZE);
  readonly bytes: Buffer;
  readonly blob: Digest;

  constructor(size: number) {
    this.bytes = randomBytes(size);
    this.blob = `sha256:${createHash('sha256').update(this.bytes).digest('hex')}`;
  }

  get count(): number {
    return this.grid.blockCount(this.bytes.length);
  }

  /** The numbers of its blocks from one on. */
  from(first: number): number[] {
    return Array.from({ length: this.count - first }, (_, index) => first + index);
  }
}

/** A daemon that holds a blob, or says so: it gives what it has, as a supernode attested it. */
export class HoldingDaemon {
  /** The blocks that it was asked for, in order. */
  readonly asked: number[] = [];
  /** The size of pieces that it tells. */
  pieceSize = PIECE_SIZE;
  /** A block is given when what it returns resolves. */
  gate: (index: number) => Promise<void> = () => Promise.resolve();
  private readonly server: Server;

  private constructor(
    private readonly content: Content,
    private readonly key: KeyObject,
    private readonly blocks: readonly number[],
  ) {
    this.server = createServer(({ url = '' }, response) => {
      const route = blobRoute(url.split('?')[0] ?? '');
      if (route?.kind === 'block') void this.give(route.index, response);
      else this.tell(response);
    });
  }

  /** @param key what its blocks were attested with. @param blocks those that it says it has. */
  static async start(content: Content, key: KeyObject, blocks: readonly number[]): Promise<HoldingDaemon> {
    const daemon = new HoldingDaemon(content, key, blocks);
    daemon.server.listen(0, '127.0.0.1');
    await once(daemon.server, 'listening');
    return daemon;
  }

  get neighbour(): Neighbour {
    const { port } = this.server.address() as AddressInfo;
    return { cid: `daemon-${port}`, ip: '127.0.0.1', port };
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private tell(response: ServerResponse): void {
    const { length: size } = this.content.bytes;
    const blocks = BlockSet.of([...this.blocks]).toBase64();
    response.write(lineOf({ type: 'have', blocks, pieceSize: this.pieceSize, size }));
  }

  private async give(index: number, response: ServerResponse): Promise<void> {
    this.asked.push(index);
    await this.gate(index);
    const { blob, bytes, count, grid } = this.content;
    if (index >= count) response.writeHead(404).end();
    else giveAttested({ blob, bytes, grid, pieceSize: PIECE_SIZE }, index, this.key, response);
  }
}
