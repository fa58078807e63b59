import { readFileSync } from 'node:fs';

/** Clock ticks a second in /proc (Linux: always 100). */
const TICKS = 100;

/** CPU seconds that a process has used, user and system. */
export function cpuSeconds(pid: number): number {
  // Behind the name in parentheses: field 3 and on (proc(5)); user time is field 14, system time 15.
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** The memory that a process has and the most that it ever had, in MiB. */
export function memory(pid: number): { readonly now: number; readonly peak: number } {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]) / 1024;
  return { now: field('VmRSS'), peak: field('VmHWM') };
}
