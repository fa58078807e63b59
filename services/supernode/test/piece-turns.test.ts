import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, get } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Grid } from '@cdk8s-dragonfly/protocol';
import type { Digest } from '@cdk8s-dragonfly/protocol';
import { BlobStore } from '@cdk8s-dragonfly/store';
import type { BlockSlots, StoredBlob } from '@cdk8s-dragonfly/store';

import { pieceDownload } from '../src/classic/piece-download';
import type { PieceDownloadTools } from '../src/classic/piece-download';

const MIB = 1024 * 1024;
const PIECE_SIZE = 4 * MIB;
const LENGTH = 12 * MIB;
const TASK = 'ab'.repeat(32);

/** Turns that come when the test says so. */
class HeldTurns implements Pick<BlockSlots, 'take'> {
  readonly asked: { readonly client: string; readonly begin: () => void }[] = [];
  /** What was sent in each turn that has ended. */
  readonly ended: number[] = [];
  isFree = false;
  onAsked: () => void = () => undefined;
  onEnded: () => void = () => undefined;

  async take(client: string, signal: AbortSignal): Promise<(bytes: number) => void> {
    await new Promise<void>((resolve, reject) => {
      const gone = (): void => reject(signal.reason as Error);
      signal.addEventListener('abort', gone);
      const begin = (): void => {
        signal.removeEventListener('abort', gone);
        resolve();
      };
      this.asked.push({ client, begin });
      if (this.isFree) begin();
      this.onAsked();
    });
    return (bytes) => {
      this.ended.push(bytes);
      this.onEnded();
    };
  }
}

describe('pieces for original clients', () => {
  const content = randomBytes(LENGTH);
  const blob: Digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  const grid = new Grid(PIECE_SIZE);
  let home: string;
  let store: BlobStore;
  let stored: StoredBlob;
  let server: Server;
  let turns: HeldTurns;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'piece-turns-'));
    store = await BlobStore.open(home);
    stored = await store.create(blob, PIECE_SIZE, LENGTH);
    for (let index = 0; index < grid.blockCount(LENGTH); index += 1) {
      const { offset } = grid.span(index);
      const bytes = Buffer.from(content.subarray(offset, offset + grid.blockLength(index, LENGTH)));
      await stored.write(index, [bytes], { hash: createHash('sha256').update(bytes).digest() });
    }
    turns = new HeldTurns();
    const task = { blob, stored, state: 'complete', repair: () => undefined };
    const tools = {
      tasks: { find: () => ({ task }), touch: () => undefined },
      aliases: { blobOf: () => blob },
      log: { warn: () => undefined },
    };
    const answer = pieceDownload(tools as unknown as PieceDownloadTools);
    server = createServer((request, response) => void answer(request, response, turns)).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await stored.release();
    await store.stop();
    await rm(home, { recursive: true });
  });

  const ask = (range: string): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const { port } = server.address() as AddressInfo;
      const path = `/download/${TASK.slice(0, 3)}/${TASK}`;
      get({ host: '127.0.0.1', port, path, headers: { range }, agent: false }, resolve).once('error', reject);
    });

  it('come block by block, each in the turn of its client', async () => {
    const asked = new Promise<void>((resolve) => (turns.onAsked = resolve));
    const answered = ask(`bytes=0-${PIECE_SIZE - 1}`);
    await asked;
    // Nothing is read, and no memory taken, before the turn.
    expect(turns.asked.map(({ client }) => client)).toEqual(['127.0.0.1']);
    expect(turns.ended).toEqual([]);
    turns.isFree = true;
    turns.asked[0]?.begin();
    const chunks: Buffer[] = [];
    for await (const chunk of await answered) chunks.push(chunk as Buffer);
    const frame = Buffer.concat(chunks);
    expect(frame.subarray(4, -1).equals(content.subarray(0, grid.pieceLength))).toBe(true);
    const { first, end } = grid.blocksOfPiece(0, LENGTH);
    const blocks = Array.from({ length: end - first }, (_, index) => grid.blockLength(first + index, LENGTH));
    // The last block of a piece is cut to it.
    expect(turns.ended).toEqual(blocks);
    expect(turns.asked).toHaveLength(blocks.length);
  });

  it('wait for their turn as long as it takes; in it, a client may take nothing for a minute', async () => {
    const timeouts = new Set<string>();
    let socket: Socket | undefined;
    server.once('connection', (made: Socket) => (socket = made));
    turns.isFree = true;
    turns.onAsked = () => timeouts.add(`waiting ${socket?.timeout}`);
    turns.onEnded = () => timeouts.add(`in its turn ${socket?.timeout}`);
    (await ask(`bytes=0-${PIECE_SIZE - 1}`)).resume();
    while (turns.ended.length < grid.blocksOfPiece(0, LENGTH).end) await new Promise(setImmediate);
    expect([...timeouts]).toEqual(['waiting 0', 'in its turn 60000']);
  });

  it('hold one turn for a client that takes nothing, until it goes', async () => {
    turns.isFree = true;
    const response = await ask('bytes=0-');
    response.pause();
    // All that fits into the buffers of the system goes out; then one turn does not end.
    const before = turns.ended.length;
    response.destroy();
    while (turns.ended.length < turns.asked.length) await new Promise<void>((resolve) => (turns.onEnded = resolve));
    expect(turns.ended.length).toBeGreaterThanOrEqual(before);
    expect(turns.ended.at(-1)).toBe(0);
    expect(turns.ended.length).toBeLessThan(grid.blockCount(LENGTH));
  });
});
