import { launcher } from '@cdk8s-dragonfly/command';
import type { Launch } from '@cdk8s-dragonfly/command';
import { DFGET, DFGET_PREHEAT } from '@cdk8s-dragonfly/contract';

import { downloadFile } from './download/download-file';
import { preheatImage } from './preheat';

const download = launcher(DFGET, downloadFile);
const preheat = launcher(DFGET_PREHEAT, preheatImage);

/** What the original had beside the download, and what to do instead. */
const GONE: ReadonlyMap<string, string> = new Map([
  ['server', 'dfget serves peers while it downloads, by itself; afterwards the df-daemon of the node does'],
  ['gen-doc', 'dfget --help lists the flags'],
]);

/** Called by `bin/dfget.js`. The first word decides: `dfget preheat` is a command of its own. */
export const main: Launch = async (argv, env) => {
  const [first, ...rest] = argv;
  if (first === 'preheat') return preheat(rest, env);
  if (first === 'version') return download(['--version'], env);
  if (first === 'help') return rest[0] === 'preheat' ? preheat(['--help'], env) : download(['--help'], env);
  const instead = GONE.get(first ?? '');
  if (instead === undefined) return download(argv, env);
  process.stderr.write(`dfget: there is no dfget ${first ?? ''}: ${instead}\n`);
  process.exitCode = DFGET.usageExitCode;
};
