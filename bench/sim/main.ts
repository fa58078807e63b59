import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { inspect, parseArgs, promisify } from 'node:util';

import { runPoint } from './point-result';
import type { PointResult } from './point-result';
import { plot } from './plot';
import { points } from './points';
import { barLine, isBarred, markdown } from './report';
import { MOST_TRANSFERS } from './scenario';
import { supernodeCost } from './supernode-cost';
import type { SupernodeCost } from './supernode-cost';

/** What one point may take: seconds of CPU, however busy the machine is, and MiB. */
const POINT_SECONDS = 600;
const POINT_MEMORY = 4096;

/** Most objects are gone after a moment: with more room for young ones few of them are copied. In MiB. */
const YOUNG = 64;

/** CPU time is counted for a process: with threads of its own for compiling and collecting, these would count for whatever is measured meanwhile. */
const ONE_THREAD = '--single-threaded';

/** The name of what is measured beside the points. */
const SUPERNODE = 'supernode';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    most: { type: 'string', default: '4e6' },
    out: { type: 'string', default: 'bench/results' },
    point: { type: 'string' },
    supernode: { type: 'string' },
  },
});

/** What stands in `sim.json` beside the machine. */
interface Written {
  readonly points: readonly PointResult[];
  readonly supernode: readonly SupernodeCost[];
}

/** Runs each point in a process of its own, one after the other, and writes what they came to. */
async function main(): Promise<void> {
  const most = Math.min(Number(values.most), MOST_TRANSFERS);
  const all = points(most);
  if (values.supernode !== undefined) {
    const [nodes = NaN, blocks = NaN] = values.supernode.split('x').map(Number);
    process.stdout.write(JSON.stringify(await supernodeCost(nodes, blocks)));
    return;
  }
  if (values.point !== undefined) {
    const point = all.find(({ name }) => name === values.point);
    if (point === undefined)
      throw new Error(`--point ${values.point} is none of ${all.map(({ name }) => name).join('; ')}`);
    process.stdout.write(JSON.stringify(runPoint(point)));
    return;
  }
  const only = values.only === '' ? undefined : values.only.split(',');
  const names = [...all.map(({ name }) => name), SUPERNODE];
  const unknown = only?.filter((name) => !names.includes(name)) ?? [];
  if (unknown.length > 0) throw new Error(`--only ${unknown.join(',')}: the points are ${names.join(', ')}`);
  const before = await earlier();
  const known = new Map(before.points.map((result) => [result.scenario.name, result]));
  const results = (): PointResult[] => all.flatMap(({ name }) => known.get(name) ?? []);
  for (const { name } of all.filter((point) => only?.includes(point.name) ?? true)) {
    known.delete(name);
    try {
      known.set(name, await inOwnProcess<PointResult>(['--point', name, '--most', `${most}`]));
    } catch (error) {
      // The others are worth having.
      process.stderr.write(`${name}: ${inspect(error)}\n`);
      process.exitCode = 1;
    }
    // A run that is ended early keeps what it has.
    await write(results(), before.supernode);
    const result = known.get(name);
    if (result === undefined) continue;
    const { p50, p99, p999, supernodeCopies, cpuSeconds } = result;
    const ratios = `T/LB p50 ${p50.toFixed(3)} p99 ${p99.toFixed(3)} p99.9 ${p999.toFixed(3)}`;
    process.stdout.write(
      `${name}: ${ratios}, ${supernodeCopies.toFixed(2)} copies sent, ${cpuSeconds.toFixed(0)} CPU s\n`,
    );
    if (isBarred(result)) process.stdout.write(`${barLine(result)}\n`);
  }
  if (only?.includes(SUPERNODE) !== false) await measureSupernode(results());
  process.stdout.write(`written: ${values.out}/sim.json, sim.md, sim.svg\n`);
}

/** What swarms cost the supernode, for more and more nodes, and for few blocks and many. */
async function measureSupernode(results: readonly PointResult[]): Promise<void> {
  const costs: SupernodeCost[] = [];
  for (const nodes of [100, 1000, 10_000, 50_000])
    for (const blocks of [100, 3000])
      costs.push(await inOwnProcess<SupernodeCost>(['--supernode', `${nodes}x${blocks}`]));
  await write(results, costs);
}

/** The points that were written before: those that are not run again stay. */
async function earlier(): Promise<Written> {
  try {
    const text = await readFile(join(values.out, 'sim.json'), 'utf8');
    return JSON.parse(text) as Written;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { points: [], supernode: [] };
    throw error;
  }
}

async function write(results: readonly PointResult[], supernode: readonly SupernodeCost[]): Promise<void> {
  const { out } = values;
  const [cpu] = cpus();
  const machine = {
    cpu: cpu?.model,
    cores: cpus().length,
    memoryMiB: Math.round(totalmem() / 2 ** 20),
    node: process.version,
  };
  await mkdir(out, { recursive: true });
  await writeFile(join(out, 'sim.json'), `${JSON.stringify({ machine, points: results, supernode }, undefined, 2)}\n`);
  await writeFile(join(out, 'sim.md'), `${markdown(results, supernode)}\n`);
  await writeFile(join(out, 'sim.svg'), plot(results));
}

/** @throws Error when it took too much, or failed. */
async function inOwnProcess<T>(args: readonly string[]): Promise<T> {
  const memory = [`--max-old-space-size=${POINT_MEMORY}`, `--max-semi-space-size=${YOUNG}`];
  const node = [process.execPath, ...process.execArgv, ONE_THREAD, ...memory, __filename, ...args];
  try {
    const shell = ['-c', `ulimit -t ${POINT_SECONDS} && exec "$@"`, 'sh', ...node];
    const running = promisify(execFile)('sh', shell);
    // How far it is.
    running.child.stderr?.pipe(process.stderr);
    const { stdout } = await running;
    return JSON.parse(stdout) as T;
  } catch (error) {
    const { signal } = error as { readonly signal?: NodeJS.Signals | null };
    const isLong = signal === 'SIGXCPU' || signal === 'SIGKILL';
    if (!isLong) throw error;
    throw new Error(`${args.join(' ')}: not at its end after ${POINT_SECONDS} s of CPU`, { cause: error });
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${inspect(error)}\n`);
  process.exitCode = 1;
});
