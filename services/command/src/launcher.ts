import type { CommandSpec } from '@cdk8s-dragonfly/contract';
import { processHost } from './command-host';
import { runCommand, type CommandMain, type RunOptions } from './run-command';
import { codeOf } from './text-file';

/** How long a slow reader of our last output may take, in milliseconds. */
const FLUSH_TIMEOUT = 1000;

/** Node ends a process that waits for nothing, with code 0. Where work is unfinished that is a fault (`EX_SOFTWARE`). */
const UNFINISHED_EXIT_CODE = 70;
const UNFINISHED = 'ended with its work unfinished: nothing was left to wait for';

/** What the committed launchers in `bin/` call: runs a command in this process and ends the process. */
export type Launch = (argv: readonly string[], env: NodeJS.ProcessEnv) => Promise<void>;

/**
 * The `main` of a service, for its launcher:
 *
 *     export const main = launcher(DFDAEMON, runDfdaemon);
 */
export function launcher<const Spec extends CommandSpec>(
  spec: Spec,
  main: CommandMain<Spec>,
  options?: RunOptions,
): Launch {
  return async (argv, env) => {
    process.stdout.on('error', dropUnread);
    process.stderr.on('error', dropUnwritten);
    process.exitCode = UNFINISHED_EXIT_CODE;
    const reportUnfinished = (): void => void process.stderr.write(`${spec.name}: ${UNFINISHED}\n`);
    process.once('beforeExit', reportUnfinished);
    const code = await runCommand(spec, main, processHost(argv, env), options);
    await Promise.race([
      Promise.all([flush(process.stdout), flush(process.stderr)]),
      new Promise((resolve) => setTimeout(resolve, FLUSH_TIMEOUT).unref()),
    ]);
    process.exit(code);
  };
}

/** Resolves when all that was written before is out, or cannot get out. */
function flush(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.once('error', () => resolve());
    stream.write('', () => resolve());
  });
}

/** Output is dropped when its reader has gone, as in `dfget --help | head -1`; any other error counts as unhandled. */
function dropUnread(error: Error): void {
  if (codeOf(error) !== 'EPIPE') throw error;
}

/** What a disk answers that takes no more. */
const FULL_DISK: readonly (string | undefined)[] = ['ENOSPC', 'EDQUOT', 'EIO'];

/** Nobody is served better for want of a log: lines that its disk does not take are dropped as well. */
function dropUnwritten(error: Error): void {
  if (!FULL_DISK.includes(codeOf(error))) dropUnread(error);
}
