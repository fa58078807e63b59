import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

import { BlockSet } from '@cdk8s-dragonfly/protocol';
import type { BlobId } from '@cdk8s-dragonfly/protocol';

import { since } from './cpu-time';
import { SessionHub } from '../../services/supernode/src/sessions/session-hub';
import type { Task } from '../../services/supernode/src/tasks/task';
import { TaskSwarm } from '../../services/supernode/src/tasks/task-swarm';

const BLOB: BlobId = `sha256:${'1'.repeat(64)}`;

/** Blocks of 1 MiB a second from an origin of 10 Gbit/s. */
const BLOCKS_A_SECOND = 1192;

/** So many members join between two looks at what else is to be done. */
const JOINS_A_TURN = 64;

/** After so long, in ms, each session has been written to twice. */
const SETTLED = 1000;

/** A herd that is not measured: what a process compiles and makes once is not what nodes cost. */
const WARM = { nodes: 500, blocks: 1000 };

/** What the swarm of one blob, its placement, sessions and news, cost the supernode. */
export interface SupernodeCost {
  readonly nodes: number;
  readonly blocks: number;
  /** CPU microseconds a node that joins, what is written to the others included. */
  readonly joinMicroseconds: number;
  /** CPU microseconds a node for hearing of all blocks while they arrive, pings included. */
  readonly newsMicroseconds: number;
  /** Seconds in which they arrived and were told. */
  readonly newsSeconds: number;
  /** Bytes of memory a node when all have joined, and what more when all have heard of all blocks. */
  readonly bytes: number;
  readonly bytesMore: number;
  /** Bytes that were written to a node's session. */
  readonly written: number;
}

/** A session of which nobody reads: what is written is counted. */
class Session extends Writable {
  static written = 0;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    Session.written += chunk.length;
    done();
  }
}

/** What a swarm looks at of a task whose blob arrives: no disk and no bytes, which are the same for any number of nodes. */
class ArrivingTask {
  readonly blob = BLOB;
  readonly state = 'fetching';
  readonly needsCredentials = false;
  private readonly held = new BlockSet();
  private watcher: ((block: number) => void) | undefined;
  readonly stored = {
    held: this.held,
    grid: { pieceSize: 4 << 20 },
    size: undefined,
    edition: undefined,
    watch: (watcher: (block: number) => void): (() => void) => {
      this.watcher = watcher;
      return () => undefined;
    },
  };

  watch(): () => void {
    return () => undefined;
  }

  arrived(block: number): void {
    if (this.held.add(block)) this.watcher?.(block);
  }
}

/**
 * What the swarm of a blob with so many blocks costs for so many nodes. Sessions, placement and news are those of the supernode; what is written to a
 * session goes nowhere. To be called in a process of its own that was started with `--expose-gc`.
 */
export async function supernodeCost(nodes: number, blocks: number): Promise<SupernodeCost> {
  await measure(WARM.nodes, WARM.blocks);
  return measure(nodes, blocks);
}

/** Lets the nodes join, and then the blocks arrive as from a fast origin. */
async function measure(nodes: number, blocks: number): Promise<SupernodeCost> {
  const hub = new SessionHub();
  const task = new ArrivingTask();
  // What it has not got it is not asked for.
  const swarm = new TaskSwarm(task as unknown as Task, 0, hub);
  const before = await memory();
  const writtenBefore = Session.written;
  let began = process.cpuUsage();
  for (let number = 0; number < nodes; number += 1) {
    const cid = `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}-1-${'0123456789abcdef'.repeat(2)}`;
    hub.join({ cid, ip: '10.0.0.1', port: 15_001 }, swarm);
    hub.open(cid, new Session(), 1);
    if (number % JOINS_A_TURN === JOINS_A_TURN - 1) await delay(0);
  }
  await delay(SETTLED);
  const joined = since(began);
  const after = await memory();
  began = process.cpuUsage();
  const from = performance.now();
  for (let block = 0; block < blocks;) {
    const due = Math.min(blocks, ((performance.now() - from) / 1000) * BLOCKS_A_SECOND);
    for (; block < due; block += 1) task.arrived(block);
    await delay(1);
  }
  await delay(SETTLED);
  const newsSeconds = (performance.now() - from) / 1000;
  const news = since(began);
  const last = await memory();
  const written = Session.written - writtenBefore;
  const { size } = swarm;
  swarm.stop();
  hub.stop();
  return {
    ...{ nodes: size, blocks, joinMicroseconds: joined / nodes, newsMicroseconds: news / nodes, newsSeconds },
    ...{ bytes: (after - before) / nodes, bytesMore: (last - after) / nodes, written: written / nodes },
  };
}

/** Bytes in use. */
async function memory(): Promise<number> {
  if (globalThis.gc === undefined) throw new Error('memory can be told only with node --expose-gc');
  // What the first collection gives up takes buffers with it that the second finds.
  globalThis.gc();
  await delay(0);
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
