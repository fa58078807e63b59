import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const PART = 1024 * 1024;

/**
 * CPU seconds that this machine takes to write bytes to a new file, and nothing else: whoever stores what it receives takes as much for it. In a
 * virtual machine the first use of memory is dear, and new files have new memory.
 */
export function plainWrite(home: string, length: number): number {
  const path = join(home, 'plain');
  const part = Buffer.alloc(PART, 1);
  const file = openSync(path, 'wx');
  try {
    const before = process.cpuUsage();
    for (let written = 0; written < length;) written += writeSync(file, part, 0, Math.min(PART, length - written));
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  } finally {
    closeSync(file);
    rmSync(path);
  }
}
