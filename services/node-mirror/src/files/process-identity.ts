import { readFile, readlink } from 'node:fs/promises';
import { hasCode } from './errno';

/**
 * Which process this is, in words of `/proc`: boot, PID namespace, number and time of start. Enough to tell a living process from
 * one that has ended, also after a reboot.
 *
 * @returns `undefined` when there is no such process, or `/proc` is not mounted
 */
export async function processIdentity(pid: number | 'self'): Promise<string | undefined> {
  try {
    const [boot, namespace, stat] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readlink('/proc/self/ns/pid'),
      readFile(`/proc/${pid}/stat`, 'utf8'),
    ]);
    const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return [boot.trim(), namespace, pid === 'self' ? process.pid : pid, started].join(' ');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}
