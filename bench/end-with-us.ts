import type { ChildProcess } from 'node:child_process';

const children = new Set<ChildProcess>();

/** A process that is killed when this one ends without having stopped it: by an error that nobody caught, or by a signal. */
export function endWithUs(child: ChildProcess): void {
  watch();
  children.add(child);
  child.once('exit', () => children.delete(child));
}

let isWatching = false;

function watch(): void {
  if (isWatching) return;
  isWatching = true;
  process.once('exit', () => {
    for (const child of children) child.kill('SIGKILL');
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
}
