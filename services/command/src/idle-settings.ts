import type { Log } from './log';

/** A setting that was given and does nothing. */
export interface IdleSetting {
  /** Who gave it: `--pool-size`, `the key base.linkLimit in FILE`. */
  readonly where: string;
  /** Why it does nothing, as the end of a sentence. */
  readonly why: string;
}

/** Tells a user of what was given and does nothing, in one line of the log; none when there is nothing to tell. */
export function warnOfIdle(log: Pick<Log, 'warn'>, settings: readonly IdleSetting[]): void {
  if (settings.length === 0) return;
  log.warn({ settings: settings.map(({ where, why }) => `${where}: ${why}`) }, 'accepted, but without effect');
}
