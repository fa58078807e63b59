import { once } from 'node:events';
import { Agent, get } from 'node:http';
import type { IncomingMessage } from 'node:http';

import { Grid, blockPath, havePath, pieceSizeOf } from '@cdk8s-dragonfly/protocol';
import type { BlobId } from '@cdk8s-dragonfly/protocol';

/** Connections that a neighbour keeps for blocks. */
const CONNECTIONS = 2;

/** Whom is asked for which blob. */
export interface BlocksQuestion {
  readonly port: number;
  readonly blob: BlobId;
  /** Of the blob, in bytes. */
  readonly length: number;
  /** Whether it is a daemon, which tells its neighbours over a stream what it has. */
  readonly isDaemon: boolean;
}

/** Asks for all blocks of a blob, as one neighbour does, and lets the bytes go. @throws Error when one is not given whole. */
export async function takeBlocks({ port, blob, length, isDaemon }: BlocksQuestion): Promise<void> {
  const grid = new Grid(pieceSizeOf(length));
  const count = grid.blockCount(length);
  const agent = new Agent({ keepAlive: true });
  const open = async (path: string): Promise<IncomingMessage> => {
    const [answer] = (await once(get({ host: '127.0.0.1', port, path, agent }), 'response')) as [IncomingMessage];
    if (answer.statusCode !== 200) throw new Error(`${path} was answered with ${answer.statusCode}`);
    return answer;
  };
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      let got = 0;
      for await (const bytes of (await open(blockPath(blob, index))) as AsyncIterable<Buffer>) got += bytes.length;
      const expected = grid.blockLength(index, length);
      if (got !== expected) throw new Error(`block ${index} has ${got} of ${expected} bytes`);
    }
  };
  const told = isDaemon ? await open(havePath(blob, 'bench')) : undefined;
  try {
    told?.resume();
    await Promise.all(Array.from({ length: CONNECTIONS }, work));
  } finally {
    told?.on('error', () => undefined).destroy();
    agent.destroy();
  }
}
