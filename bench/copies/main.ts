import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect, parseArgs } from 'node:util';

import { CASES } from './cases';
import type { Case, Incident } from './cases';
import { Fleet } from './fleet';
import { PacedOrigin } from './paced-origin';
import { Puller } from './pull';

const MIB = 1024 * 1024;

/** Bytes a second of the origin. */
const ORIGIN_RATE = 8 * MIB;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    nodes: { type: 'string' },
    replicas: { type: 'string' },
    size: { type: 'string', default: '32' },
    // Where logs of all processes are kept, at level debug.
    logs: { type: 'string' },
  },
});

/** What a case came to. Times are in ms. */
interface Result {
  readonly copies: number;
  readonly longestGap: number;
  readonly slowest: number;
  readonly failures: readonly string[];
  readonly reasons: readonly string[];
}

async function run({ nodes, replicas, nodeRate, incident }: Case, length: number, logs?: string): Promise<Result> {
  const origin = await PacedOrigin.start(length);
  let fleet: Fleet | undefined;
  try {
    const flags = nodeRate === undefined ? [] : ['--ratelimit', nodeRate];
    const started = await Fleet.start({ originPort: origin.port, replicas, daemons: nodes, flags, logs });
    fleet = started;
    origin.rate = ORIGIN_RATE;
    if (incident?.kind === 'stall') origin.stallOnceAt(Math.floor(length / 2), incident.ms);
    let isDue = incident !== undefined && incident.kind !== 'stall';
    const failures: string[] = [];
    let happening = Promise.resolve();
    const pullers = started.mirrors.map(() => new Puller());
    const happen = (what: Incident | undefined): void => {
      isDue = false;
      if (what?.kind === 'signal') started.signalOwner(origin.digest, what.signal);
      if (what?.kind === 'update')
        happening = started.update().catch((error: unknown) => void failures.push(String(error)));
      for (const puller of pullers) puller.watch();
    };
    const onBytes = (): void => {
      if (isDue && pullers.every(({ received }) => received > length / 4)) happen(incident);
    };
    const pulls = await Promise.all(
      pullers.map(async (puller, node) => puller.pull(started.mirrors[node] ?? 0, origin.path, origin.digest, onBytes)),
    );
    await happening;
    if (logs !== undefined) await writeFile(join(logs, 'origin.log'), origin.told.join(''));
    return {
      copies: origin.bytes / length,
      longestGap: Math.max(...pulls.map(({ longestGap }) => longestGap)),
      slowest: Math.max(...pulls.map(({ ms }) => ms)),
      failures: [...failures, ...pulls.flatMap(({ failure }) => (failure === undefined ? [] : [failure]))],
      reasons: await started.reasons(),
    };
  } finally {
    await fleet?.stop();
    await origin.stop();
  }
}

/** Runs the cases and tells what they came to; ends with 1 when a bar is missed. */
async function main(): Promise<void> {
  const { only, size, logs } = values;
  const length = Number(size) * MIB;
  process.stdout.write(
    `${size} MiB; the origin sends 8 MiB a second: at least ${((length / ORIGIN_RATE) * 1000).toFixed(0)} ms\n`,
  );
  for (const one of CASES) {
    if (only !== undefined && !only.split(',').includes(one.name)) continue;
    const { name, nodes, replicas, copies: most, gap = Infinity, nodeRate } = one;
    if (values.nodes !== undefined && Number(values.nodes) !== nodes) continue;
    if (values.replicas !== undefined && Number(values.replicas) !== replicas) continue;
    const dir = logs === undefined ? undefined : join(logs, `${name}-${nodes}-${replicas}`);
    const { copies, longestGap, slowest, failures, reasons } = await run(one, length, dir);
    const held = (most === 1 ? copies === 1 : copies <= most) && failures.length === 0 && longestGap < gap;
    const limit = nodeRate === undefined ? '' : `, ${nodeRate} a second each`;
    const figures = `${copies.toFixed(4)} copies, slowest ${slowest.toFixed(0)} ms, longest gap ${longestGap.toFixed(0)} ms`;
    process.stdout.write(
      `${held ? 'held  ' : 'MISSED'} ${name}: ${nodes} nodes, ${replicas} supernodes${limit}: ${figures}, ${failures.length} failed\n`,
    );
    for (const line of new Set([...failures, ...reasons])) process.stdout.write(`         ${line}\n`);
    if (!held) process.exitCode = 1;
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${inspect(error)}\n`);
  process.exitCode = 1;
});
