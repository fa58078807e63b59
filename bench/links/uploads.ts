import { join } from 'node:path';

import type { Daemon } from '../../e2e/world/daemon';
import { eventually } from '../../e2e/world/eventually';
import type { Host } from '../../e2e/world/host';
import { createImage } from '../../e2e/world/image';
import type { Image } from '../../e2e/world/image';
import { run } from '../../e2e/world/run';
import { atMost } from '../rig/bars';
import type { Bar } from '../rig/bars';
import { Cluster, evenLayers } from '../rig/cluster';
import { Swarm } from '../rig/system';

const MIB = 1024 * 1024;

/** Neighbours that take blocks. Each asks for six at a time, two of each layer: a df-daemon asks a neighbour for at most four, so some always wait. */
const NEIGHBOURS = 2;
const CONNECTIONS = 2;

/** A pull of what is here takes less than a second, and chance is much of that: the median of so many counts. */
const WARM_PULLS = 5;

/** Links in megabits a second; undefined: no limit, so that the one core that the daemon gets is what is short. */
const LINKS = [100, undefined] as const;

/** How much longer its own pull may take. */
const SLOWER = 1.5;

/** What a node's own pull takes while its neighbours take from it all that it gives. */
export async function uploads(): Promise<Bar[]> {
  const bars: Bar[] = [];
  for (const megabits of LINKS) {
    const cluster = await Cluster.create(1 + NEIGHBOURS, { node: megabits, centre: megabits, registry: megabits });
    try {
      const [given, alone, beside] = ['given', 'alone', 'beside'].map((name) =>
        createImage(cluster.world.newFolder(name), name, evenLayers(96, 3)),
      );
      if (given === undefined || alone === undefined || beside === undefined) throw new Error('there are three images');
      for (const image of [given, alone, beside]) await cluster.registry.push(image);
      const { own, warm, sent } = await measure(cluster, { given, alone, beside }, megabits);
      const links = megabits === undefined ? 'links without a limit' : `links of ${megabits} Mbit/s`;
      const besideUploads = `beside uploads of ${sent.toFixed(1)} MiB/s, as a multiple of alone`;
      bars.push(atMost(`${links}: own pull ${besideUploads}`, own, SLOWER));
      bars.push(atMost(`${links}: own pull of what is here ${besideUploads}`, warm, SLOWER));
    } finally {
      await cluster.stop();
    }
  }
  return bars;
}

interface Images {
  /** What neighbours take. */
  readonly given: Image;
  readonly alone: Image;
  readonly beside: Image;
}

async function measure(
  cluster: Cluster,
  { given, alone, beside }: Images,
  megabits: number | undefined,
): Promise<{ readonly own: number; readonly warm: number; readonly sent: number }> {
  const swarm = new Swarm();
  return await cluster.with(swarm, 1, async ([host]) => {
    if (host === undefined) throw new Error('there is a node');
    const puller = cluster.puller(0);
    const daemon = swarm.daemons.at(-1);
    if (megabits === undefined) {
      for (const { pid } of [...swarm.daemons, puller.daemon, cluster.registry.daemon]) {
        await run(['taskset', '-acp', pid === daemon?.pid ? '0' : '1', `${pid}`]);
      }
    }
    const pull = async (image: Image): Promise<number> => (await puller.pull(swarm.mirrorUrl(), image)).ms;
    await pull(given);
    const warmPull = async (image: Image): Promise<number> => {
      const times: number[] = [];
      while (times.length < WARM_PULLS) times.push(await pull(image));
      return times.sort((one, other) => one - other)[Math.floor(WARM_PULLS / 2)] ?? NaN;
    };
    const before = { own: await pull(alone), warm: await warmPull(alone) };
    const taking = cluster.nodes.slice(1).flatMap((node) => takers(node, host, given));
    try {
      const sentBy = (): number => cluster.world.network.bytesSentBy(host.name);
      const from = sentBy();
      await eventually('uploads', { limitMs: 30_000 }, () => (sentBy() - from > 32 * MIB ? true : undefined));
      const [begun, sent] = [performance.now(), sentBy()];
      const own = await pull(beside);
      const warm = await warmPull(beside);
      const rate = (sentBy() - sent) / MIB / ((performance.now() - begun) / 1000);
      process.stdout.write(
        `  alone ${before.own.toFixed(0)} and ${before.warm.toFixed(0)} ms, beside ${own.toFixed(0)} and ${warm.toFixed(0)} ms\n`,
      );
      return { own: own / before.own, warm: warm / before.warm, sent: rate };
    } finally {
      for (const taker of taking) await taker.kill();
    }
  });
}

function takers(node: Host, host: Host, { layers }: Image): readonly Daemon[] {
  return layers.map(({ digest, size }, index) =>
    node.start(`taker${index}`, [
      ...['taskset', '-c', '1', 'nice', '-n', '5', process.execPath, join(__dirname, 'take-blocks.js')],
      ...[host.ip, '15001', digest, `${size}`, `${CONNECTIONS}`],
    ]),
  );
}
