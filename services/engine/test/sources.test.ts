import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { BlockSet, Grid, attest, lineOf } from '@cdk8s-dragonfly/protocol';
import type { BlobId } from '@cdk8s-dragonfly/protocol';

import { Bell } from '../src/download/bell';
import { FlightBudget } from '../src/download/flight-budget';
import { Sources } from '../src/download/sources';
import type { DownloadTools } from '../src/download/tools';
import { BlockClient } from '../src/links/block-client';
import { LinkFailure } from '../src/links/failure';
import { fetchBlock } from '../src/links/fetch-block';
import { NeighbourPatience } from '../src/links/neighbour-patience';

const MIB = 1024 * 1024;
const OLD = '0d'.repeat(16);
const NEW = 'ef'.repeat(16);

describe('a neighbour that has another version of a file', () => {
  const blob: BlobId = `task:${'ab'.repeat(32)}`;
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const grid = new Grid(4 * MIB);
  const bytes = randomBytes(1000);
  const streams = { connect: 1000, answer: 5000 };
  const blocks = new BlockClient({ connect: 1000, stall: 5000 });
  let server: Server;
  /** What the neighbour has, and whether it says so. */
  let has: string;
  let says: boolean;
  let gone: string[];
  /** How often it was heard of. */
  let heard: number;
  let changed: Bell;
  let wanted: string;
  let sources: Sources;

  beforeEach(async () => {
    // The pauses alone: sockets and limits of waits keep their own.
    jest.useFakeTimers({
      doNotFake: [
        'clearImmediate',
        'clearInterval',
        'nextTick',
        'performance',
        'queueMicrotask',
        'setImmediate',
        'setInterval',
      ],
    });
    [has, says, gone, wanted, heard] = [OLD, true, [], NEW, 0];
    server = createServer((request, response) => {
      if (request.url?.includes('/have') === true) {
        const told = says ? { edition: has } : {};
        response.write(lineOf({ type: 'have', blocks: BlockSet.of([0]).toBase64(), ...told }));
        return;
      }
      const hash = createHash('sha256').update(bytes).digest();
      const statement = { blob, edition: has, pieceSize: grid.pieceSize, index: 0, length: bytes.length, hash };
      response.writeHead(200, {
        'content-length': bytes.length,
        'x-dragonfly-block-sha256': hash.toString('hex'),
        'x-dragonfly-block-signature': attest(statement, privateKey).signature.toString('base64'),
        'x-dragonfly-edition': has,
      });
      response.end(bytes);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    changed = new Bell();
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
    const tools = { cid: 'me', streams, budget: new FlightBudget(), patience: new NeighbourPatience(5000), log };
    sources = new Sources(blob, tools as unknown as DownloadTools, {
      end: () => 1,
      edition: () => wanted,
      changed: () => {
        heard += 1;
        changed.ring();
      },
      added: () => undefined,
      gone: (cid) => void gone.push(cid),
    });
    sources.setNeighbours([{ cid: 'other', ip: '127.0.0.1', port: (server.address() as AddressInfo).port }]);
  });
  afterEach(async () => {
    sources.close();
    jest.useRealTimers();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  afterAll(() => blocks.stop());

  const { signal } = new AbortController();
  const news = async (times: number): Promise<void> => {
    while (heard < times) await changed.next(AbortSignal.timeout(60_000));
  };
  const askable = (): string[] => sources.toPick([], 0, 4, { unattested: false, ahead: [] }).map(({ id }) => id);
  const fetched = async (): Promise<unknown> => {
    const question = { blob, edition: wanted, grid, size: bytes.length, index: 0, key: publicKey };
    return fetchBlock(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), question, blocks, signal);
  };

  it('is not asked, is no liar, and is asked as soon as it has this one', async () => {
    await news(1);
    expect(sources.offered(0, new Set(), false)).toBe(false);
    expect(sources.alivePeers).toBe(0);
    expect(askable()).toEqual([]);
    // Named again, it is not heard at once again.
    sources.setNeighbours([{ cid: 'other', ip: '127.0.0.1', port: 9 }]);
    has = NEW;
    // That there is one neighbour less was news, too.
    expect(heard).toBe(2);
    jest.advanceTimersByTime(1000);
    await news(3);
    expect(askable()).toEqual(['other']);
    expect(gone).toEqual([]);
    expect(await fetched()).toMatchObject({ length: bytes.length });
  });

  it('is asked less and less often when it does not say so, and nobody is told that it fails', async () => {
    says = false;
    await news(1);
    expect(askable()).toEqual(['other']);
    const failure = (await fetched().catch((error: unknown) => error)) as LinkFailure;
    expect(failure).toBeInstanceOf(LinkFailure);
    expect(failure.kind).toBe('outdated');
    // In a moment it, or this node, goes over to the other version: it is no fault of its own.
    for (const [times, pause] of [1000, 2000, 4000].entries()) {
      sources.failed('other', failure, 0);
      expect(askable()).toEqual([]);
      jest.advanceTimersByTime(pause - 1);
      expect(sources.originOf('other')).toBeUndefined();
      jest.advanceTimersByTime(1);
      // That it is gone, and that it is back.
      await news(3 + 2 * times);
      expect(askable()).toEqual(['other']);
    }
    expect(gone).toEqual([]);
  });
});
