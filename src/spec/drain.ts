import { DFDAEMON } from '../contract/index';
import type { DfDaemonProps } from '../df-daemon-props';
import { durationText, written } from './durations';

/**
 * How long pulls may go on at the end of a pod; undefined: the daemon's own default. The kubelet gives the grace to all that happens then: runtimes
 * that are taken off first, and what comes after the drain.
 *
 * @throws Error naming the prop, the value and the fix.
 */
export function drainTimeout(props: DfDaemonProps, graceSeconds: number): string | undefined {
  const reserve = END_SECONDS + (props.configureRuntime === undefined ? 0 : MAX_WAIT_SECONDS);
  const given = props.drainTimeout?.toMilliseconds();
  if (given !== undefined && given > (graceSeconds - reserve) * 1000) {
    throw new Error(
      `drainTimeout is ${written(given)} and terminationGracePeriod ${graceSeconds}s, of which ${reserve}s are for what else happens at the end: ` +
        `use at most ${Math.max(0, graceSeconds - reserve)}s, or raise terminationGracePeriod.`,
    );
  }
  if (given !== undefined) {
    return durationText('drainTimeout', props.drainTimeout, DFDAEMON.flags.drainTimeout);
  }
  const fitting = `${Math.max(0, Math.min(DEFAULT_DRAIN_SECONDS, graceSeconds - reserve))}s`;
  return fitting === DFDAEMON.flags.drainTimeout.default ? undefined : fitting;
}

const DEFAULT_DRAIN_SECONDS = Number.parseInt(DFDAEMON.flags.drainTimeout.default, 10);
const END_SECONDS = 30;
/** How long a df-daemon waits at most for the runtimes to be off it. */
export const MAX_WAIT_SECONDS = 60;
