import { readFileSync, writeFileSync } from 'node:fs';

/** Clock ticks a second in /proc (Linux: always 100). */
const TICKS = 100;

/** CPU seconds that a process has taken so far, user and system, all its threads. */
export function cpuSecondsOf(pid: number): number {
  // Behind the name in parentheses: field 3 and on (proc(5)); user time is field 14, system time 15.
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Resident memory of a process now, or at most since {@link forgetPeakOf}, in MiB. */
export function memoryOf(pid: number, which: 'now' | 'peak' = 'now'): number {
  const field = which === 'now' ? 'VmRSS' : 'VmHWM';
  const [, kib] = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1024;
}

/** From now on the peak of a process is counted anew. */
export function forgetPeakOf(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}
