import { inspect, parseArgs } from 'node:util';

import { classicLoad } from './classic-load';
import { nativeLoad } from './native-load';
import { classicReport, nativeReport } from './report';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    runs: { type: 'string', default: '1' },
    core: { type: 'string', default: '0' },
    rate: { type: 'string', default: '5000' },
    'tasks-of-daemon': { type: 'string' },
    'cpu-prof': { type: 'string' },
    // As the construct library starts it: the heap is half of the 1 GiB that the pod may have.
    'node-options': { type: 'string', default: '--max-old-space-size=512' },
  },
});

/** Runs both loads and tells what they came to; ends with 1 when a bar is missed. */
async function main(): Promise<void> {
  const { quick, only, runs, core, rate } = values;
  const profile = values['cpu-prof'];
  const nodeArguments = [
    ...values['node-options'].split(' ').filter((option) => option !== ''),
    ...(profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]),
  ];
  const shared = { core: Number(core), seconds: quick ? 10 : 30, nodeArguments };
  let missed = 0;
  for (let run = 0; run < Number(runs); run += 1) {
    if (only !== 'native') {
      const load = { ...shared, tasks: 1000, peers: 1000, tasksOfPeer: 4, rate: Number(rate) };
      const { text, missed: bars } = classicReport(load, await classicLoad(load));
      process.stdout.write(text);
      missed += bars;
    }
    if (only !== 'classic') {
      const tasksOfDaemon = Number(values['tasks-of-daemon'] ?? (quick ? '4' : '20'));
      const load = { ...shared, daemons: 5000, tasks: 20, tasksOfDaemon, joinRate: 1500, taskRate: 1024 * 1024 };
      const { text, missed: bars } = nativeReport(load, await nativeLoad(load));
      process.stdout.write(text);
      missed += bars;
    }
  }
  if (missed > 0) process.exitCode = 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`${inspect(error)}\n`);
  process.exitCode = 1;
});
