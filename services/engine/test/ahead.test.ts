import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  ARRIVING_HEADER,
  ATTESTATION_LENGTH,
  BlockSet,
  attest,
  attestationBytes,
  blobRoute,
} from '@cdk8s-dragonfly/protocol';
import type { Digest } from '@cdk8s-dragonfly/protocol';
import { BlobStore } from '@cdk8s-dragonfly/store';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

import { Ahead } from '../src/download/ahead';
import { Doubts } from '../src/download/doubts';
import { FlightBudget } from '../src/download/flight-budget';
import type { Intake } from '../src/download/intake';
import { SwarmIntake } from '../src/download/swarm-intake';
import { DAEMON_POLICY } from '../src/download/tools';
import type { DownloadTools } from '../src/download/tools';
import { BlockClient } from '../src/links/block-client';
import { NeighbourPatience } from '../src/links/neighbour-patience';
import { SteadyClock } from '../src/links/steady-clock';
import { noTraffic } from '../src/node/traffic';

const MIB = 1024 * 1024;

describe('what is asked for ahead', () => {
  const blocks = (...has: number[]): BlockSet => BlockSet.of(has);

  it('is what the supernode gets next, as far as it is not here and the blob goes', () => {
    const ahead = new Ahead();
    expect(ahead.blocks(blocks(), blocks(), 10)).toEqual([0, 1]);
    expect(ahead.blocks(blocks(0, 1), blocks(0), 10)).toEqual([2, 3]);
    // What came from there it says later.
    expect(ahead.blocks(blocks(0, 1), blocks(0, 1, 2), 10)).toEqual([3, 4]);
    // What an earlier process left there is not fetched again.
    expect(ahead.blocks(blocks(0, 3), blocks(1, 2), 10)).toEqual([4, 5]);
    expect(ahead.blocks(blocks(0, 1), blocks(), 3)).toEqual([2]);
    expect(ahead.blocks(blocks(0, 1, 2), blocks(), 3)).toEqual([]);
  });

  it('is nothing after a refusal, until the supernode has said something, and nothing at all after many', () => {
    const ahead = new Ahead();
    ahead.refused();
    expect(ahead.blocks(blocks(), blocks(), 10)).toEqual([]);
    ahead.heard();
    expect(ahead.blocks(blocks(), blocks(), 10)).toEqual([0, 1]);
    for (let count = 1; count < 8; count += 1) ahead.refused();
    ahead.heard();
    expect(ahead.blocks(blocks(), blocks(), 10)).toEqual([]);
    ahead.gave();
    expect(ahead.blocks(blocks(), blocks(), 10)).toEqual([0, 1]);
  });
});

/** A daemon that has joined the swarm of a blob at a supernode, which answers as a test wants. */
interface Joined {
  readonly blob: Digest;
  readonly stored: StoredBlob;
  readonly swarm: SwarmIntake;
  /** `asked` at each request for a block, `took` at each block that was kept. */
  readonly news: EventEmitter;
  /** The blocks that were asked for. */
  readonly asked: string[];
  /** The requests that are not answered yet, by block. */
  readonly waiting: Map<number, ServerResponse>;
  /** Gives a block in the form of one that has just arrived. @param damage is changed in it. */
  readonly give: (index: number, damage?: number) => void;
  readonly untilAsked: (count: number) => Promise<void>;
}

async function withDaemon(limit: DownloadTools['limit'], use: (joined: Joined) => Promise<void>): Promise<void> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const content = randomBytes(MIB);
  const blob: Digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  const folder = await mkdtemp(join(tmpdir(), 'ahead-'));
  const store = await BlobStore.open(folder);
  const stored: StoredBlob = await store.create(blob, 4 * MIB, content.length);
  const { grid } = stored;
  const news = new EventEmitter();
  const waiting = new Map<number, ServerResponse>();
  const asked: string[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    const route = blobRoute(request.url ?? '');
    if (route?.kind !== 'block') throw new Error(`nobody asks for ${String(request.url)}`);
    const isAhead = request.headers[ARRIVING_HEADER] !== undefined;
    asked.push(`${route.index}${isAhead ? ' ahead' : ''}`);
    waiting.set(route.index, response);
    news.emit('asked');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const give = (index: number, damage = 0): void => {
    const { offset, length } = grid.span(index);
    const bytes = Buffer.from(content.subarray(offset, offset + length));
    const hash = createHash('sha256').update(bytes).digest();
    const attestation = attest({ blob, pieceSize: grid.pieceSize, index, length, hash }, privateKey);
    bytes[0] = (bytes[0] ?? 0) ^ damage;
    const headers = { 'content-length': length + ATTESTATION_LENGTH, [ARRIVING_HEADER]: '1' };
    waiting.get(index)?.writeHead(200, headers).write(bytes);
    waiting.get(index)?.end(attestationBytes(attestation));
  };
  const untilAsked = async (count: number): Promise<void> => {
    while (asked.length < count) await once(news, 'asked');
  };
  const isFinished = { is: false };
  const intake = {
    request: { blob, url: new URL('http://127.0.0.1:9/'), headers: [] },
    stored: () => stored,
    begin: () => Promise.resolve(stored),
    cursor: () => stored.held.firstMissing(),
    doubts: new Doubts(),
    took: () => news.emit('took'),
    finished: () => isFinished.is,
    changed: () => undefined,
    fail: (error: unknown) => {
      throw error;
    },
  } as unknown as Intake;
  const clock = new SteadyClock();
  const blockClient = new BlockClient({ connect: 1000, stall: 5000 }, store.buffers);
  const joined = { kind: 'joined', blocks: new URL(`http://127.0.0.1:${port}`), key: publicKey };
  const tools = {
    cid: 'me',
    supernodes: { join: () => Promise.resolve({ link: { leave: () => undefined }, joined }) },
    blocks: blockClient,
    streams: { connect: 1000, answer: 2000 },
    patience: new NeighbourPatience(2000),
    budget: new FlightBudget(),
    store,
    limit,
    traffic: noTraffic(),
    timeouts: { swarmStall: 2000, busy: 8000 },
    clock,
    policy: DAEMON_POLICY,
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined },
  } as unknown as DownloadTools;
  const nothing = (): void => undefined;
  const swarm = new SwarmIntake(intake, tools, nothing, nothing);
  try {
    await swarm.join();
    swarm.event({ type: 'task', blob, state: 'fetching', pieceSize: grid.pieceSize, size: content.length });
    await use({ blob, stored, swarm, news, asked, waiting, give, untilAsked });
  } finally {
    isFinished.is = true;
    swarm.leave();
    clock.stop();
    blockClient.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await stored.release();
    await store.stop();
    await rm(folder, { recursive: true });
  }
}

test('a daemon without neighbours asks for blocks before the supernode has them, and takes them as they arrive', async () => {
  await withDaemon(undefined, async ({ blob, stored, swarm, news, asked, waiting, give, untilAsked }) => {
    await untilAsked(2);
    expect(asked).toEqual(['0 ahead', '1 ahead']);
    give(0);
    await once(news, 'took');
    expect(stored.proofOf(0)?.signature).toBeDefined();
    // It was not said to be there yet, and is not asked for again.
    await untilAsked(3);
    expect(asked[2]).toBe('2 ahead');
    waiting.get(1)?.writeHead(404).end();
    swarm.event({ type: 'added', blob, blocks: [0, 1] });
    await untilAsked(5);
    expect(asked.slice(3).sort()).toEqual(['1', '3 ahead']);
    // What does not have its hash is not kept.
    give(2, 1);
    give(3);
    await once(news, 'took');
    expect([...stored.held]).toEqual([0, 3]);
  });
});

test('a limit of the rate is no excuse when what is asked for does not come', async () => {
  const passing: (() => void)[] = [];
  const given: number[] = [];
  const limit = {
    pass: () => new Promise<void>((resolve) => void passing.push(resolve)),
    giveBack: (bytes: number) => void given.push(bytes),
  };
  await withDaemon(
    limit as unknown as DownloadTools['limit'],
    async ({ blob, swarm, news, asked, waiting, untilAsked }) => {
      swarm.event({ type: 'added', blob, blocks: [0, 1, 2, 3] });
      const nextPass = async (): Promise<void> => {
        // As the download does every now and then.
        while (passing.length === 0) {
          swarm.pump();
          await new Promise(setImmediate);
        }
      };
      for (let failures = 0; failures < 4; failures += 1) {
        await nextPass();
        expect(swarm.isHeldBack).toBe(true);
        passing.shift()?.();
        await untilAsked(failures + 1);
        for (const [index, response] of waiting) {
          waiting.delete(index);
          // What is refused takes nothing of the limit.
          response.writeHead(failures === 0 ? 404 : 500, { 'content-length': 0 }).end();
        }
      }
      await nextPass();
      // As soon as it has heard of the last failure; something waits for the limit all the same.
      while (swarm.isHeldBack) await new Promise(setImmediate);
      expect(passing).not.toHaveLength(0);
      expect(asked).toHaveLength(4);
      expect(given).toEqual([256 * 1024]);
      expect(news.listenerCount('took')).toBe(0);
    },
  );
});
