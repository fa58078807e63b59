import { rmSync } from 'node:fs';

import type { Daemon } from '../../e2e/world/daemon';
import { eventually } from '../../e2e/world/eventually';
import { createImage } from '../../e2e/world/image';
import type { Image } from '../../e2e/world/image';
import { run } from '../../e2e/world/run';
import { startDfDaemon, startSupernode } from '../../e2e/world/swarm';
import { atMost } from '../rig/bars';
import type { Bar } from '../rig/bars';
import { Cluster, evenLayers } from '../rig/cluster';

const MIB = 1024 * 1024;

/** How many pulls, and which faults. */
export interface FaultOptions {
  /** Says where in the layers the faults are. */
  readonly seed: number;
  /** Pulls a fault. Default 50. */
  readonly pulls?: number;
  /** The beginning of the name of one fault. Default: all. */
  readonly fault?: string | undefined;
}

const LAYER = 16;

/** Rates in megabits a second: a pull has to last long enough to be hit in its middle. */
const MEGABITS = 400;

/** How long the place of a fault may take to come, in milliseconds: other work of the machine slows everything down. */
const REACHED_WITHIN = 120_000;

/** What happens in the middle of a pull. */
const FAULTS = ['supernode killed', 'peer killed', 'disk full'] as const;

/** Pulls during which something dies, at a place in the layer that the seed says: none may fail, and no byte may be wrong. */
export async function faults({ seed, pulls = 50, fault: only }: FaultOptions): Promise<Bar[]> {
  const chosen = FAULTS.filter((fault) => only === undefined || fault.startsWith(only));
  if (chosen.length === 0)
    throw new Error(`--fault takes the beginning of one of ${FAULTS.join(', ')}, not ${only ?? ''}`);
  const cluster = await Cluster.create(2, { node: MEGABITS, centre: MEGABITS, registry: MEGABITS });
  const random = randomFrom(seed);
  try {
    const bars: Bar[] = [];
    for (const fault of chosen) {
      const failures: string[] = [];
      const began = performance.now();
      for (let count = 0; count < pulls; count += 1) {
        const image = createImage(cluster.world.newFolder(`${fault} ${count}`), `fault-${count}`, evenLayers(LAYER, 1));
        await cluster.registry.push(image);
        const offset = Math.floor(random() * LAYER * MIB);
        const failure = await pullDuring(cluster, fault, image, offset);
        if (failure !== undefined) failures.push(`pull ${count}, fault at byte ${offset}: ${failure}`);
        process.stdout.write(failure === undefined ? '.' : 'F');
      }
      process.stdout.write(` ${fault}, ${((performance.now() - began) / 1000).toFixed(0)} s\n`);
      for (const failure of failures) process.stdout.write(`  ${failure}\n`);
      const wrong = failures.filter((failure) => failure.includes('WRONG BYTES')).length;
      bars.push(atMost(`${pulls} pulls, ${fault}: failed`, failures.length, 0));
      bars.push(atMost(`${pulls} pulls, ${fault}: with wrong bytes`, wrong, 0));
    }
    return bars;
  } finally {
    await cluster.stop();
  }
}

/** @returns why the pull failed; undefined when it did not. */
async function pullDuring(
  cluster: Cluster,
  fault: (typeof FAULTS)[number],
  image: Image,
  offset: number,
): Promise<string | undefined> {
  const { centre, registry, world } = cluster;
  const [node, peer] = cluster.nodes;
  if (node === undefined || peer === undefined) throw new Error('there are two nodes');
  const flags = ['--log-level', 'warn'];
  const supernode = await startSupernode(centre, registry, flags);
  const started: Daemon[] = [supernode];
  const folder = node.path('dfdaemon');
  let full: (() => Promise<void>) | undefined;
  try {
    if (fault === 'disk full') full = await smallDisk(folder);
    const peerDaemon = await startDfDaemon(peer, registry, centre, flags);
    const minFree = fault === 'disk full' ? ['--min-free', '0'] : [];
    started.push(peerDaemon, await startDfDaemon(node, registry, centre, [...flags, ...minFree]));
    const before = world.network.bytesSentBy(centre.name) + world.network.bytesSentBy(peer.name);
    let over: string | undefined;
    const pulls = [cluster.puller(0), cluster.puller(1)].map((puller) => puller.pull('http://127.0.0.1:65001', image));
    const [pull, other] = pulls.map((pulling) => pulling.then(() => undefined, String));
    void pull?.then(() => (over = 'the pull is over'));
    const strike = async (): Promise<void> => {
      await eventually(`byte ${offset}`, { limitMs: REACHED_WITHIN, hopeless: () => over }, () =>
        world.network.bytesSentBy(centre.name) + world.network.bytesSentBy(peer.name) - before > offset
          ? true
          : undefined,
      ).catch((error: unknown) => {
        if (over !== undefined) return;
        throw new Error(started.map((daemon) => daemon.tail()).join('\n'), { cause: error });
      });
      if (fault === 'supernode killed') await supernode.kill();
      else if (fault === 'peer killed') await peerDaemon.kill();
      else await fill(folder);
    };
    const [failure] = await Promise.all([pull, fault === 'peer killed' ? undefined : other, strike()]);
    await other;
    return failure;
  } finally {
    for (const daemon of started.reverse()) await daemon.kill();
    await full?.();
    for (const path of [folder, peer.path('dfdaemon'), centre.path('home')])
      rmSync(path, { recursive: true, force: true });
  }
}

/** A disk of its own for a folder. @returns what takes it away. */
async function smallDisk(folder: string): Promise<() => Promise<void>> {
  await run(['mkdir', '-p', folder]);
  await run(['mount', '-t', 'tmpfs', '-o', 'size=64m', 'bench', folder]);
  return async () => {
    await run(['umount', folder]);
  };
}

/** Fills a disk to its last byte. */
async function fill(folder: string): Promise<void> {
  await run(['sh', '-c', 'cat /dev/zero >"$1/filling" 2>/dev/null || true', 'fill', folder]);
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
