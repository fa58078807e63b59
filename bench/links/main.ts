import { cpus } from 'node:os';
import { writeFileSync } from 'node:fs';
import { inspect, parseArgs } from 'node:util';

import { lineOf } from '../rig/bars';
import type { Bar } from '../rig/bars';
import { faults } from './faults';
import { memoryOfDaemon } from './memory';
import { speed } from './speed';
import { uploads } from './uploads';
import { warmBlob } from './warm-blob';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    fault: { type: 'string' },
    pulls: { type: 'string', default: '50' },
    seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
    json: { type: 'string' },
  },
});

/** What is measured, by the name that `--only` takes. */
const MEASUREMENTS: Readonly<Record<string, () => Promise<Bar[]>>> = {
  speed,
  warm: warmBlob,
  uploads,
  memory: memoryOfDaemon,
  faults: () => faults({ seed: Number(values.seed), pulls: Number(values.pulls), fault: values.fault }),
};

/** Measures what is asked for, tells of each bar whether it was held, and ends with 1 when one was missed. */
async function main(): Promise<void> {
  const names = values.only?.split(',') ?? Object.keys(MEASUREMENTS);
  const bars: Bar[] = [];
  for (const name of names) {
    const measure = MEASUREMENTS[name];
    if (measure === undefined) {
      throw new Error(`--only takes ${Object.keys(MEASUREMENTS).join(', ')}, not ${JSON.stringify(name)}`);
    }
    process.stdout.write(`${name}${name === 'faults' ? ` (seed ${values.seed})` : ''}\n`);
    const measured = await measure();
    for (const bar of measured) process.stdout.write(lineOf(bar));
    bars.push(...measured);
  }
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  const document = JSON.stringify({ machine, seed: values.seed, bars }, undefined, 2);
  if (values.json === undefined) process.stdout.write(`${document}\n`);
  else writeFileSync(values.json, `${document}\n`);
  if (bars.some(({ held }) => !held)) process.exitCode = 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`${inspect(error)}\n`);
  process.exitCode = 2;
});
