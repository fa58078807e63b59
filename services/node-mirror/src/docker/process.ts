import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { hasCode } from '../files/errno';

/** A process as /proc shows it. */
export interface ProcessFacts {
  readonly pid: number;
  /** When it started, in clock ticks since boot: tells it from a later process with the same number. */
  readonly startTime: string;
  /** Its command line. */
  readonly args: readonly string[];
}

/** The process with this number; `undefined` when none is visible here. */
export async function processFacts(proc: string, pid: number): Promise<ProcessFacts | undefined> {
  try {
    const stat = await readFile(`${proc}/${pid}/stat`, 'utf8');
    const commandLine = await readFile(`${proc}/${pid}/cmdline`, 'utf8');
    const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
    return { pid, startTime, args: commandLine.replace(/\0$/, '').split('\0') };
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}

/** Whether a process is a dockerd, by the program that it runs. */
export function isDockerd(facts: ProcessFacts): boolean {
  return /^dockerd(-|$)/.test(basename(facts.args[0] ?? ''));
}

/** The values that a command line gives to a flag, in both forms: `--flag VALUE`, `--flag=VALUE`. */
export function flagValues(args: readonly string[], flag: string): readonly string[] {
  return args.flatMap((arg, index) => {
    if (arg === flag) return [args[index + 1] ?? ''];
    return arg.startsWith(`${flag}=`) ? [arg.slice(flag.length + 1)] : [];
  });
}
