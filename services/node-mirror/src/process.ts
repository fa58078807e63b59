import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { hasCode } from './files/errno';
import { Refusal } from './refusal';

/** A process as /proc shows it. */
export interface ProcessFacts {
  readonly pid: number;
  /** When it started, in clock ticks since boot: tells it from a later process with the same number. */
  readonly startTime: string;
  /** Its command line. */
  readonly args: readonly string[];
}

/**
 * The process with this number; `undefined` when none is visible here.
 *
 * @throws Refusal when the system keeps it from us
 */
export async function processFacts(proc: string, pid: number): Promise<ProcessFacts | undefined> {
  try {
    const stat = await readFile(`${proc}/${pid}/stat`, 'utf8');
    const commandLine = await readFile(`${proc}/${pid}/cmdline`, 'utf8');
    const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
    return { pid, startTime, args: commandLine.replace(/\0$/, '').split('\0') };
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH')) return undefined;
    throw hidden(pid, error);
  }
}

/** Of whom nothing can be read, as with hidepid=1, it cannot be told whether it is a runtime. */
function hidden(pid: number, error: unknown): unknown {
  if (!hasCode(error, 'EPERM', 'EACCES')) return error;
  return new Refusal(
    `the system does not show what runs here (process ${pid}; /proc is mounted with hidepid, perhaps): run as root; in a pod, hostPID: true and privileged: true are needed`,
    { cause: error },
  );
}

/** Whether a process runs this program: `dockerd`, `/usr/bin/dockerd`, `dockerd-dev`. */
export function isProgram(facts: ProcessFacts, name: string): boolean {
  const own = basename(facts.args[0] ?? '');
  return own === name || own.startsWith(`${name}-dev`);
}

/** Whether a process lives in a PID namespace below this one: the runtime of a container (kind, docker in docker), not the node's. */
async function isNested(proc: string, pid: number): Promise<boolean> {
  try {
    const status = await readFile(`${proc}/${pid}/status`, 'utf8');
    return /^NSpid:\t\d+\t/m.test(status);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH')) return true;
    throw hidden(pid, error);
  }
}

/** The node's own processes that run this program. @throws Refusal when the system keeps one from us */
export async function processesOf(proc: string, name: string): Promise<readonly ProcessFacts[]> {
  const pids = (await readdir(proc)).filter((entry) => /^\d+$/.test(entry)).map(Number);
  const all = await Promise.all(pids.map(async (pid) => await processFacts(proc, pid)));
  const found: ProcessFacts[] = [];
  for (const facts of all) {
    if (facts !== undefined && isProgram(facts, name) && !(await isNested(proc, facts.pid))) found.push(facts);
  }
  return found;
}

/** USER_HZ, which is 100 on every architecture that Linux and Node share. */
const TICKS_PER_SECOND = 100;

/** When a process started, in milliseconds since 1970, to within some hundredths of a second. */
export async function startedAt(proc: string, facts: ProcessFacts): Promise<number> {
  const uptime = Number((await readFile(`${proc}/uptime`, 'utf8')).split(' ')[0]);
  return Date.now() - (uptime - Number(facts.startTime) / TICKS_PER_SECOND) * 1000;
}

/**
 * Sends a signal to a process that must still be the one that was found.
 *
 * @throws Refusal when it has ended, or the system does not permit it
 */
export async function signalProcess(proc: string, facts: ProcessFacts, name: string): Promise<void> {
  const who = `${name} (process ${facts.pid})`;
  const ended = `${who} has ended in the meantime: run again when it is up`;
  const now = await processFacts(proc, facts.pid);
  if (now?.startTime !== facts.startTime) throw new Refusal(ended);
  try {
    process.kill(facts.pid, 'SIGHUP');
  } catch (cause) {
    if (hasCode(cause, 'ESRCH')) throw new Refusal(ended, { cause });
    if (!hasCode(cause, 'EPERM', 'EACCES')) throw cause;
    throw new Refusal(
      `${who} cannot be told, as the system does not permit SIGHUP to it: run as root; in a pod, hostPID: true and privileged: true are needed`,
      { cause },
    );
  }
}

/** The values that a command line gives to a flag, in both forms: `--flag VALUE`, `--flag=VALUE`. */
export function flagValues(args: readonly string[], ...flags: readonly string[]): readonly string[] {
  return args.flatMap((arg, index) => {
    if (flags.includes(arg)) return [args[index + 1] ?? ''];
    return flags.flatMap((flag) => (arg.startsWith(`${flag}=`) ? [arg.slice(flag.length + 1)] : []));
  });
}

/** Device and inode of what a path leads to; `undefined` when there is nothing. */
async function inodeOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(path);
    return `${dev} ${ino}`;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/**
 * Whether two paths lead to one file, which need not be there, nor its folders: the same names below the same folder, however
 * that is mounted.
 */
export async function sameFile(a: string, b: string): Promise<boolean> {
  if (basename(a) !== basename(b)) return false;
  const [above, other] = [dirname(a), dirname(b)];
  const [left, right] = await Promise.all([inodeOf(above), inodeOf(other)]);
  if (left !== undefined || right !== undefined) return left === right;
  return above === a || other === b ? a === b : await sameFile(above, other);
}
