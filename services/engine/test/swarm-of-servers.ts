import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { BlockSet, Grid, blobRoute, lineOf } from '@cdk8s-dragonfly/protocol';
import type { Digest, HaveMessage, Neighbour } from '@cdk8s-dragonfly/protocol';
import type { Throttle } from '@cdk8s-dragonfly/origin';
import { BlobStore } from '@cdk8s-dragonfly/store';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

import { giveAttested } from '../../../test/support/attested-answer';
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

const PIECE = 4 * 1024 * 1024;

/** Blocks of a blob here, of 256 KiB each. */
export const BLOCKS = 8;

/** A blob that is fetched, and the key that attests its blocks. */
class Blob {
  readonly keys = generateKeyPairSync('ed25519');
  readonly content = randomBytes(BLOCKS * 256 * 1024);
  readonly digest: Digest = `sha256:${createHash('sha256').update(this.content).digest('hex')}`;
}

/** A supernode or a neighbour, that says and gives what a test wants. */
class Giver {
  /** The blocks that were asked for. */
  readonly asked: number[] = [];
  private readonly waiting = new Map<number, ServerResponse>();
  private following: ServerResponse | undefined;

  private constructor(
    readonly server: Server,
    private readonly blob: Blob,
  ) {
    server.on('request', ({ url = '' }, response: ServerResponse) => {
      const route = blobRoute(url);
      if (route?.kind === 'block') {
        this.asked.push(route.index);
        this.waiting.set(route.index, response);
      } else this.following = response;
    });
  }

  static async start(blob: Blob): Promise<Giver> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Giver(server, blob);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Says what it has. */
  async tell(line: HaveMessage): Promise<void> {
    await until(() => this.following !== undefined);
    this.following?.write(lineOf(line));
  }

  /** Ends what it says. */
  hangUp(): void {
    this.following?.end();
  }

  /** Gives a block that was asked for. */
  give(index: number, grid: StoredBlob['grid']): void {
    const { digest: blob, content: bytes, keys } = this.blob;
    giveAttested({ blob, bytes, grid, pieceSize: PIECE }, index, keys.privateKey, this.waiting.get(index));
  }

  /** Gives none. @param status why. */
  refuse(index: number, status: number): void {
    this.waiting.get(index)?.writeHead(status, { 'content-length': 0 }).end();
  }
}

/** A daemon in the swarm of one blob, its supernode and two neighbours, who all answer as a test wants. Nothing ticks. */
export interface SmallSwarm {
  readonly stored: StoredBlob;
  readonly swarm: SwarmIntake;
  readonly budget: FlightBudget;
  readonly blob: Digest;
  readonly supernode: Giver;
  readonly neighbours: readonly [Giver, Giver];
  /** Puts a block on disk. */
  readonly hold: (block: number) => Promise<void>;
  /** What a supernode says to whom it takes in anew; a failure: it does not. */
  readonly joining: { answer: () => Promise<unknown> };
}

/**
 * @param size whether it is known how long the blob is. @param share whether the supernode has said what to take from it: of 64 blocks the first.
 * @param blocks how many the blob has. Those behind {@link BLOCKS} nobody can give. @param limit of the rate. Default: there is none.
 */
export async function withSwarm(
  use: (world: SmallSwarm) => Promise<void>,
  {
    size = true,
    share = true,
    blocks: count = BLOCKS,
    limit,
  }: { size?: boolean; share?: boolean; blocks?: number; limit?: Pick<Throttle, 'pass' | 'giveBack'> } = {},
): Promise<void> {
  const blob = new Blob();
  const { digest, content } = blob;
  const folder = await mkdtemp(join(tmpdir(), 'swarm-'));
  const store = await BlobStore.open(folder);
  const last = new Grid(PIECE).span(count - 1);
  const length = size ? last.offset + last.length : undefined;
  const stored = await store.create(digest, PIECE, length);
  const supernode = await Giver.start(blob);
  const neighbours = [await Giver.start(blob), await Giver.start(blob)] as const;
  const { grid } = stored;
  const isFinished = { is: false };
  const intake = {
    request: { blob: digest, url: new URL('http://127.0.0.1:9/'), headers: [] },
    stored: () => stored,
    begin: () => Promise.resolve(stored),
    cursor: () => stored.held.firstMissing(),
    doubts: new Doubts(),
    took: () => undefined,
    finished: () => isFinished.is,
    changed: () => undefined,
    fail: (error: unknown) => {
      throw error;
    },
  } as unknown as Intake;
  const clock = new SteadyClock();
  const blocks = new BlockClient({ connect: 5000, stall: 60_000 }, store.buffers);
  const budget = new FlightBudget();
  const joined = { kind: 'joined', blocks: new URL(`http://127.0.0.1:${supernode.port}`), key: blob.keys.publicKey };
  const joining = {
    answer: (): Promise<unknown> => Promise.resolve({ link: { leave: nothing, report: nothing }, joined }),
  };
  const tools = {
    ...{ cid: 'me', store, blocks, budget, clock, limit, policy: DAEMON_POLICY, traffic: noTraffic() },
    supernodes: { join: () => joining.answer() },
    patience: new NeighbourPatience(60_000),
    streams: { connect: 5000, answer: 60_000 },
    timeouts: { swarmStall: 60_000, busy: 8000 },
    log: { debug: nothing, info: nothing, warn: nothing },
  } as unknown as DownloadTools;
  const swarm = new SwarmIntake(intake, tools, nothing, nothing);
  const hold = async (block: number): Promise<void> => {
    const { offset, length } = grid.span(block);
    const bytes = Buffer.from(content.subarray(offset, offset + length));
    await stored.write(block, [bytes], { hash: createHash('sha256').update(bytes).digest() });
  };
  try {
    await swarm.join();
    swarm.event({
      type: 'task',
      blob: digest,
      // Not fetching: then nothing is asked for ahead.
      state: 'complete',
      pieceSize: PIECE,
      size: length,
    });
    if (share) swarm.event({ type: 'share', blob: digest, share: { index: 0, count: 64 } });
    const peers = neighbours.map(({ port }, index): Neighbour => ({ cid: nameOf(index), ip: '127.0.0.1', port }));
    swarm.event({ type: 'neighbours', blob: digest, peers });
    for (const neighbour of neighbours) await neighbour.tell({ type: 'have', blocks: BlockSet.of([]).toBase64() });
    await until(() => swarm.neighbours.length === neighbours.length);
    await settled();
    await use({ stored, swarm, budget, blob: digest, supernode, neighbours, hold, joining });
  } finally {
    isFinished.is = true;
    swarm.leave();
    clock.stop();
    blocks.stop();
    for (const { server } of [supernode, ...neighbours]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    await stored.release();
    await store.stop();
    await rm(folder, { recursive: true });
  }
}

/** Of a neighbour, by its place. */
export function nameOf(index: number): string {
  return `n${index}`;
}

/** Waits until something is so. */
export async function until(is: () => boolean): Promise<void> {
  const limit = AbortSignal.timeout(60_000);
  while (!is()) {
    limit.throwIfAborted();
    await new Promise(setImmediate);
  }
}

/** Looks that were due have been taken. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
}

function nothing(): undefined {
  return undefined;
}
