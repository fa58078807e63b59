import type { CommandSpec } from '@cdk8s-dragonfly/contract';
import { readArguments } from './arguments';
import type { CommandHost } from './command-host';
import { CommandRun, type CommandContext } from './command-run';
import type { CommandValues } from './command-values';
import { CommandError, UsageError } from './errors';
import { helpText } from './help';
import { warnOfIdle } from './idle-settings';
import { createLog, type Log, type LogLevel } from './log';
import { idleSettings, valuesOf } from './parse-command';
import { commandVersion } from './version';

/**
 * What a command does. It resolves to an exit code when its work is done. A daemon registers the parts that it
 * started with `ctx.lifecycle` and resolves to nothing: the command then runs until a signal, or `ctx.fail`. With neither a code nor parts the exit code is 0.
 */
export type CommandMain<Spec extends CommandSpec> = (
  values: CommandValues<Spec>,
  ctx: CommandContext,
) => Promise<number> | Promise<void>;

/** How a command is run. */
export interface RunOptions {
  /** How long the parts may take to stop, in milliseconds. Default 30000. */
  readonly stopTimeout?: number;
}

/** The exit code of an error that nobody foresaw (`EX_SOFTWARE` of BSD's sysexits). */
const UNEXPECTED_EXIT_CODE = 70;

/**
 * Runs a command from its arguments to its exit code; nothing here ends the process.
 *
 * - `--help` and `--version`: text on standard output, 0.
 * - UsageError: one line on standard error, `spec.usageExitCode` (default 2). CommandError: one line, its exit code.
 * - Any other error, also one that nobody handled: logged with its stack, 70.
 * - SIGTERM or SIGINT: `ctx.signal` aborts and the parts stop, last started first; 0 for a daemon; 128 and the number of the
 *   signal when it came before `main` was done. A part that fails to stop, or not within `stopTimeout`, is logged: 1.
 * - A second signal: at once, 128 and the number of the signal.
 */
export async function runCommand<const Spec extends CommandSpec>(
  spec: Spec,
  main: CommandMain<Spec>,
  host: CommandHost,
  { stopTimeout = 30_000 }: RunOptions = {},
): Promise<number> {
  const given = readArguments(spec, host.argv);
  if (given.help || given.version) {
    host.stdout.write(given.help ? helpText(spec) : `${spec.name} ${commandVersion()}\n`);
    return 0;
  }
  let values: CommandValues<Spec>;
  let log = createLog('info', spec.name, host.stderr);
  const fail = (error: unknown): number => report(error, spec, log, host);
  try {
    values = valuesOf(spec, given, host);
    log = createLog(levelOf(values), spec.name, host.stderr);
  } catch (error) {
    return fail(error);
  }
  warnOfIdle(log, idleSettings(values));
  const run = new CommandRun({ host, log, stopTimeout, version: commandVersion(), fail });
  return run.end((ctx) => main(values, ctx));
}

/** Tells the user why the command ends. @returns The exit code. */
function report(error: unknown, spec: CommandSpec, log: Log, host: CommandHost): number {
  if (error instanceof UsageError || error instanceof CommandError) {
    host.stderr.write(`${spec.name}: ${error.message}\n`);
    return error instanceof CommandError ? error.exitCode : (spec.usageExitCode ?? 2);
  }
  log.fatal({ err: error }, 'unexpected error');
  return UNEXPECTED_EXIT_CODE;
}

function levelOf(values: object): LogLevel {
  if (('debug' in values && values.debug === true) || ('verbose' in values && values.verbose === true)) return 'debug';
  const level: unknown = 'logLevel' in values ? values.logLevel : undefined;
  return level === 'error' || level === 'warn' || level === 'debug' ? level : 'info';
}
