import { constants } from 'node:os';
import type { Environment } from './parse-command';
import { readTextFile, type ReadFile } from './text-file';

/** The signals that ask a command to stop. */
export type StopSignal = 'SIGINT' | 'SIGTERM';

/** The process around a command. Tests bring their own. */
export interface CommandHost {
  /** The arguments after the command's name. */
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly stdout: NodeJS.WritableStream;
  /** Takes the log, too. */
  readonly stderr: NodeJS.WritableStream;
  readonly readFile: ReadFile;
  /** Calls back at each signal to stop. @returns How to end that. */
  onSignal(listener: (signal: StopSignal) => void): () => void;
  /** Calls back at each error that nobody handled. @returns How to end that. */
  onUnhandled(listener: (error: unknown) => void): () => void;
}

/** The real process. */
export function processHost(argv: readonly string[], env: Environment): CommandHost {
  return {
    argv,
    env,
    stdout: process.stdout,
    stderr: process.stderr,
    readFile: readTextFile,
    onSignal(listener) {
      process.on('SIGINT', listener).on('SIGTERM', listener);
      return () => process.off('SIGINT', listener).off('SIGTERM', listener);
    },
    onUnhandled(listener) {
      process.on('unhandledRejection', listener).on('uncaughtException', listener);
      return () => process.off('unhandledRejection', listener).off('uncaughtException', listener);
    },
  };
}

/** The exit code of a process that a signal ended, by the custom of shells: 130 for SIGINT, 143 for SIGTERM. */
export function signalExitCode(signal: StopSignal): number {
  return 128 + constants.signals[signal];
}
