import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inspect, parseArgs } from 'node:util';

import { thisMachine } from '../machine';
import { nginxCost } from './nginx-cache';
import { plainWrite } from './plain-write';
import { figuresOf, nginxFigures, plainFigure, textOf } from './report';
import { runSteps } from './run';
import { startWorld } from './world';

const MIB = 1024 * 1024;

/** Blobs that are pulled at once. */
const TOGETHER = 4;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    size: { type: 'string' },
    profile: { type: 'string' },
    json: { type: 'string' },
  },
});

/** Runs the steps and tells what they came to; ends with 1 when a bar is missed. */
async function main(): Promise<void> {
  const { quick, size = quick ? '256' : '1024', profile, json } = values;
  const length = Number(size) * MIB;
  const machine = thisMachine();
  const home = await mkdtemp(join(tmpdir(), 'process-bench-'));
  const nodeArguments = (name: string): string[] =>
    profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(profile, name)}`];
  const world = await startWorld({ home, length, blobs: 1 + TOGETHER, nodeArguments });
  try {
    const steps = await runSteps(world, length);
    const figures = figuresOf(steps);
    process.stdout.write(textOf(figures));
    const nginx = await nginxCost(home, world.origin.port, world.digests[0] ?? '');
    const beside = [
      plainFigure(length, plainWrite(home, length)),
      ...(nginx === undefined ? [] : nginxFigures(length, nginx)),
    ];
    process.stdout.write(textOf(beside));
    if (nginx === undefined) process.stdout.write('nginx or openssl is not here\n');
    if (json !== undefined) {
      const result = { machine, date: new Date().toISOString(), figures: [...figures, ...beside], steps, nginx };
      await mkdir(dirname(json), { recursive: true });
      await writeFile(json, `${JSON.stringify(result, undefined, 2)}\n`);
    }
    if (figures.some(({ value, bar }) => bar !== undefined && value > bar)) process.exitCode = 1;
  } finally {
    await world.stop();
    await rm(home, { recursive: true, force: true });
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${inspect(error)}\n`);
  process.exitCode = 1;
});
