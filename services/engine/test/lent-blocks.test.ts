import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Grid, UNATTESTED_HEADER, blockPath } from '@cdk8s-dragonfly/protocol';
import type { BlobId, Digest } from '@cdk8s-dragonfly/protocol';
import { BlobStore, assembleBlocks } from '@cdk8s-dragonfly/store';
import type { AssembledBlock, StoredBlob } from '@cdk8s-dragonfly/store';

import { PeerServer } from '../src/node/peer-server';

const MIB = 1024 * 1024;
const PIECE = MIB;
/** The blocks before it are small. */
const LARGE = new Grid(PIECE).blockAt(PIECE);

/** A blob that is written block by block, from memory that the store uses again. */
interface Arriving {
  readonly blob: Digest;
  readonly content: Buffer;
  readonly stored: StoredBlob;
  /** Writes the blocks up to this one. */
  readonly write: (end?: number) => Promise<void>;
}

async function arriving(store: BlobStore): Promise<Arriving> {
  // The last block is shorter.
  const content = randomBytes(24 * MIB - MIB / 4);
  const blob: Digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  const stored = await store.create(blob, PIECE, content.length);
  const one = async function* (): AsyncGenerator<Buffer> {
    for (let at = 0; at < content.length; at += MIB) yield await Promise.resolve(content.subarray(at, at + MIB));
  };
  const blocks = assembleBlocks(stored.grid, 0, one(), store.buffers);
  const write = async (end?: number): Promise<void> => {
    while (!stored.whole && (end === undefined || !stored.held.has(end - 1))) {
      const { value } = (await blocks.next()) as { value: AssembledBlock };
      await stored.write(value.index, value.chunks, { hash: value.hash });
    }
  };
  return { blob, content, stored, write };
}

test('memory of blocks is not used again while a neighbour that is slow still gets them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lent-blocks-'));
  const store = await BlobStore.open(folder);
  const holdings = { hold: (blob: BlobId) => store.find(blob), isProven: () => true };
  const warnings: object[] = [];
  const server = new PeerServer(holdings, () => true, { warn: (fields) => warnings.push(fields) });
  // The buffers of such a socket are small: most of a block stays in this process while its reader waits.
  const socketPath = join(folder, 'peer.sock');
  server.server.listen(socketPath);
  await once(server.server, 'listening');

  const begin = async ({ blob }: Arriving, index: number): Promise<IncomingMessage> => {
    const headers = { [UNATTESTED_HEADER]: '1' };
    const asked = request({ socketPath, path: blockPath(blob, index), headers, agent: false });
    const [response] = (await once(asked.end(), 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(200);
    return response;
  };
  /** Begins to read a block. @returns what reads the rest and tells whether all of it is right. */
  const read = async (one: Arriving, index: number): Promise<() => Promise<boolean>> => {
    const response = await begin(one, index);
    return async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      const { offset, length } = one.stored.grid.span(index);
      return Buffer.concat(chunks).equals(one.content.subarray(offset, offset + length));
    };
  };
  const leave = async (one: Arriving, index: number): Promise<void> => {
    (await begin(one, index)).destroy();
  };

  try {
    const first = await arriving(store);
    await first.write(LARGE + 4);
    const fromMemory = [await read(first, LARGE), await read(first, LARGE + 3)];
    for (let index = LARGE; index < LARGE + 4; index += 1) await leave(first, index);
    // What was written first makes room for what follows.
    await first.write();
    await first.stored.finish();
    const fromDisk = await read(first, LARGE + 7);
    await leave(first, LARGE + 8);
    const second = await arriving(store);
    await second.write(LARGE + 16);
    for (let index = LARGE; index < LARGE + 16; index += 4) await leave(first, index);
    const ofSecond = await read(second, LARGE + 1);
    await second.write();
    await second.stored.finish();
    const reading = [...fromMemory, fromDisk, ofSecond];
    expect(await Promise.all(reading.map((rest) => rest()))).toEqual([true, true, true, true]);
    expect(warnings).toEqual([]);
    await first.stored.release();
    await second.stored.release();
  } finally {
    await server.stop();
    await store.stop();
    await rm(folder, { recursive: true });
  }
});
