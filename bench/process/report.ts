import type { NginxCost } from './nginx-cache';
import type { Steps } from './run';

const GIB = 1024 ** 3;

/** A figure with its bar. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: 'CPU s a GiB' | 'MiB';
  /** What it may be at most; undefined: it is only told. */
  readonly bar: number | undefined;
}

/** What the steps say of each bar, per GiB. */
export function figuresOf({ length, idle, cold, warm, upload, serve, together }: Steps): Figure[] {
  const perGib = (cpu: number): number => (cpu * GIB) / length;
  const served = perGib(serve.supernode.cpu);
  const cpu = (name: string, value: number, bar?: number): Figure => ({ name, value, unit: 'CPU s a GiB', bar });
  const memory = (name: string, value: number, bar?: number): Figure => ({ name, value, unit: 'MiB', bar });
  const all = perGib(cold.daemon.cpu + upload.daemon.cpu);
  return [
    cpu('df-daemon: receive, verify, store, serve the runtime, serve one peer', all, 5.5),
    cpu('  of these: receive, verify, store, serve the runtime', perGib(cold.daemon.cpu)),
    cpu('  of these: serve one peer', perGib(upload.daemon.cpu)),
    cpu('df-daemon: serve the runtime from its store', perGib(warm.daemon.cpu)),
    cpu('supernode: served', served, 1.5),
    cpu('supernode: fetched', perGib(cold.supernode.cpu) - served, 3),
    memory(
      `df-daemon: resident, ${together.blobs} blobs of ${(length / GIB).toFixed(2)} GiB at once`,
      together.daemon.peak,
      176,
    ),
    memory('df-daemon: resident, idle', idle, 96),
    memory(`supernode: resident, ${together.blobs} blobs at once`, together.supernode.peak),
  ];
}

/** What this machine takes for the writing alone, per GiB. @param cpu in seconds, for `length` bytes. */
export function plainFigure(length: number, cpu: number): Figure {
  return {
    name: 'this machine: write to a new file',
    value: (cpu * GIB) / length,
    unit: 'CPU s a GiB',
    bar: undefined,
  };
}

/** What nginx and openssl take for what the daemon does, per GiB. */
export function nginxFigures(length: number, { cold, warm, digest }: NginxCost): Figure[] {
  const figure = (name: string, value: number): Figure => ({
    name,
    value: (value * GIB) / length,
    unit: 'CPU s a GiB',
    bar: undefined,
  });
  return [
    figure('nginx proxy_cache + openssl dgst: the same', cold + warm + digest),
    figure('  of these: receive, store, serve one client', cold),
    figure('  of these: serve another', warm),
    figure('  of these: openssl dgst -sha256', digest),
  ];
}

/** The figures as lines. */
export function textOf(figures: readonly Figure[]): string {
  return figures
    .map(({ name, value, unit, bar }) => {
      const verdict = bar === undefined ? '' : value <= bar ? `held: ${bar}` : `MISSED: ${bar}`;
      return `${name.padEnd(72)} ${value.toFixed(unit === 'MiB' ? 0 : 2).padStart(6)} ${unit.padEnd(12)} ${verdict}`.trimEnd();
    })
    .map((line) => `${line}\n`)
    .join('');
}
