import { cpus, loadavg, release, totalmem, type } from 'node:os';

/** What a result was measured on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly system: string;
  readonly node: string;
  /** Over the last minute, when the measurement began. */
  readonly load: number;
}

/** Describes this machine. */
export function thisMachine(): Machine {
  const [first] = cpus();
  return {
    cpu: first?.model ?? 'unknown',
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 1024 ** 3),
    system: `${type()} ${release()}`,
    node: process.version,
    load: loadavg()[0] ?? NaN,
  };
}
