import { writeFileSync } from 'node:fs';
import { inspect, parseArgs } from 'node:util';

import { Containerd } from '../../e2e/world/containerd';
import { createImage } from '../../e2e/world/image';
import type { Image } from '../../e2e/world/image';
import { MIRROR } from '../../e2e/world/swarm';
import { thisMachine } from '../machine';
import type { Machine } from '../machine';
import { atMost, lineOf } from '../rig/bars';
import type { Bar } from '../rig/bars';
import { Cluster, evenLayers } from '../rig/cluster';
import type { Links } from '../rig/cluster';
import { Direct, Swarm } from '../rig/system';
import type { System } from '../rig/system';
import { cpuSeconds } from '../rig/usage';

/** A herd of nodes, each with a containerd of its own that pulls as the kubelet has it. */
interface HerdOfContainerd {
  readonly nodes: number;
  readonly links: Links;
  readonly mebibytes: number;
  readonly layers: number;
  /** T/LB at most. */
  readonly bar: number;
}

const HERDS: Readonly<Record<string, HerdOfContainerd>> = {
  fast: { nodes: 6, links: { node: 400, centre: 400, registry: 100 }, mebibytes: 96, layers: 6, bar: 1.3 },
  narrow: { nodes: 12, links: { node: 64, centre: 64, registry: 64 }, mebibytes: 48, layers: 3, bar: 1.4 },
};

/** Until when a pull has to be done, in ms. */
const LIMIT = 150_000;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(HERDS).join(',') },
    cold: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});

/** Milliseconds of each pull that succeeded, ascending, and why others failed. */
interface Pulled {
  readonly ms: readonly number[];
  readonly failures: readonly string[];
  /** CPU seconds that the processes took for it. */
  readonly cpu: { readonly containerds: number; readonly daemons: number; readonly supernode: number };
}

/** What is pulled. */
interface Images {
  /** By everybody at once. */
  readonly herd: Image;
  /** By everybody before that, and not measured: daemons that run for long have run their code before. Undefined: they have just started. */
  readonly before: Image | undefined;
}

/** Has containerds that are new on the first `nodes` nodes pull an image at once. */
async function herd(cluster: Cluster, system: System, nodes: number, images: Images, round: number): Promise<Pulled> {
  return await cluster.with(system, nodes, async (hosts) => {
    const mirror = system instanceof Direct ? cluster.registry.url : `http://${MIRROR}`;
    const options = { mirror, name: `run${round}`, snapshotter: 'overlayfs' } as const;
    const containerds = await Promise.all(hosts.map((host) => Containerd.start(host, options)));
    const cpu = (): Pulled['cpu'] => {
      const of = (role: 'centre' | 'node'): number =>
        sum(system.processes().flatMap((process) => (process.role === role ? [cpuSeconds(process.pid)] : [])));
      return {
        containerds: sum(containerds.map(({ pid }) => cpuSeconds(pid))),
        daemons: of('node'),
        supernode: of('centre'),
      };
    };
    const { before: first, herd: image } = images;
    if (first !== undefined) await Promise.all(containerds.map(async (containerd) => containerd.pull(first, LIMIT)));
    const before = cpu();
    const began = performance.now();
    const outcomes = await Promise.allSettled(
      containerds.map(async (containerd) => {
        await containerd.pull(image, LIMIT);
        return performance.now() - began;
      }),
    );
    const after = cpu();
    await Promise.all(containerds.map(async (containerd) => await containerd.stop()));
    return {
      cpu: {
        containerds: after.containerds - before.containerds,
        daemons: after.daemons - before.daemons,
        supernode: after.supernode - before.supernode,
      },
      ms: outcomes
        .flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
        .sort((one, other) => one - other),
      failures: outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [String(outcome.reason)] : [])),
    };
  });
}

async function measure(
  name: string,
  { nodes, links, mebibytes, layers, bar }: HerdOfContainerd,
  machine: Machine,
): Promise<Bar[]> {
  const cluster = await Cluster.create(nodes, links);
  try {
    const image = createImage(cluster.world.newFolder('image'), 'herd', evenLayers(mebibytes, layers));
    const before = values.cold
      ? undefined
      : createImage(cluster.world.newFolder('before'), 'before', evenLayers(12, layers));
    for (const pushed of [image, before]) if (pushed !== undefined) await cluster.registry.push(pushed);
    const images = { herd: image, before };
    // What the narrowest link takes for one copy, unpacking included: less is not to be had.
    const alone = await herd(cluster, new Direct(), 1, images, 0);
    const requests = cluster.registry.requests().length;
    const { ms, failures, cpu } = await herd(cluster, new Swarm(), nodes, images, 1);
    const left = cluster.registry
      .requests()
      .slice(requests)
      .filter(({ method, path }) => method === 'GET' && path.includes(`/${image.repository}/blobs/`))
      .reduce((sum, { bytes }) => sum + bytes, 0);
    const bound = alone.ms[0] ?? NaN;
    const p50 = ms[Math.ceil(ms.length / 2) - 1] ?? NaN;
    const times = `p50 ${p50.toFixed(0)} ms, max ${(ms.at(-1) ?? NaN).toFixed(0)} ms, one alone from the registry ${bound.toFixed(0)} ms`;
    process.stdout.write(`${name}: ${nodes} containerds, ${mebibytes} MiB in ${layers} layers: ${times}\n`);
    const { containerds, daemons, supernode } = cpu;
    const used = `containerds ${containerds.toFixed(1)}, df-daemons ${daemons.toFixed(1)}, supernode ${supernode.toFixed(1)}`;
    // However well everything overlaps, it takes the cores so long.
    const least = ((containerds + daemons + supernode) * 1000) / machine.cores / bound;
    process.stdout.write(`${name}: CPU s: ${used}; on ${machine.cores} cores T/LB is ${least.toFixed(2)} at least\n`);
    for (const failure of [...alone.failures, ...failures]) process.stdout.write(`FAILED ${failure}\n`);
    return [
      atMost(`${name}: pulls that failed`, failures.length, 0),
      atMost(`${name}: T/LB p50`, p50 / bound, bar),
      atMost(`${name}: copies that left the registry`, left / (mebibytes * 1024 * 1024), 1.02),
    ];
  } finally {
    await cluster.stop();
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((one, other) => one + other, 0);
}

/** Measures the herds that are asked for; ends with 1 when a bar is missed. */
async function main(): Promise<void> {
  const machine = thisMachine();
  const bars: Bar[] = [];
  for (const name of values.only.split(',')) {
    const wanted = HERDS[name];
    if (wanted === undefined)
      throw new Error(`--only takes ${Object.keys(HERDS).join(', ')}, not ${JSON.stringify(name)}`);
    const measured = await measure(name, wanted, machine);
    for (const bar of measured) process.stdout.write(lineOf(bar));
    bars.push(...measured);
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ machine, bars }, undefined, 2)}\n`);
  if (bars.some(({ held }) => !held)) process.exitCode = 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`${inspect(error)}\n`);
  process.exitCode = 2;
});
