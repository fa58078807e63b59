import { launcher } from '@cdk8s-dragonfly/command';
import type { Launch } from '@cdk8s-dragonfly/command';
import { DFGET, DFGET_DOCTOR, DFGET_PREHEAT } from '@cdk8s-dragonfly/contract';

import { examineNode } from './doctor/doctor';
import { downloadFile } from './download/download-file';
import { preheatImage } from './preheat';

const download = launcher(DFGET, downloadFile);
/** The commands that a first word chooses. */
const COMMANDS: ReadonlyMap<string, Launch> = new Map([
  ['preheat', launcher(DFGET_PREHEAT, preheatImage)],
  ['doctor', launcher(DFGET_DOCTOR, examineNode)],
]);

/** What the original had beside the download, and what to do instead. */
const GONE: ReadonlyMap<string, string> = new Map([
  ['server', 'dfget serves peers while it downloads, by itself; afterwards the df-daemon of the node does'],
  ['gen-doc', 'dfget --help lists the flags'],
]);

/** Called by `bin/dfget.js`. The first word decides: `dfget preheat` and `dfget doctor` are commands of their own. */
export const main: Launch = async (argv, env) => {
  const [first, ...rest] = argv;
  const command = COMMANDS.get(first ?? '');
  if (command !== undefined) return command(rest, env);
  if (first === 'version') return download(['--version'], env);
  if (first === 'help') return (COMMANDS.get(rest[0] ?? '') ?? download)(['--help'], env);
  const instead = GONE.get(first ?? '');
  if (instead === undefined) return download(argv, env);
  process.stderr.write(`dfget: there is no dfget ${first ?? ''}: ${instead}\n`);
  process.exitCode = DFGET.usageExitCode;
};
