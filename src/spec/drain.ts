import { DFDAEMON } from '../contract/index';
import type { DfDaemonProps } from '../df-daemon-props';
import { durationText, written } from './durations';
import { offSeconds } from './runtime-configuration';

/** What happens at the end of a pod, one after the other. */
export interface DrainSpec {
  /** How long the df-daemon waits at most for the runtimes to be off it; in seconds. */
  readonly waitSeconds: number;
  /** How long pulls may go on then; undefined: the daemon's own default. */
  readonly drainTimeout: string | undefined;
}

/**
 * The end of a pod. The kubelet gives the grace to all that happens then: runtimes that are taken off first, the drain, and what comes after it.
 *
 * @throws Error naming the prop, the value and the fix.
 */
export function drainSpec(props: DfDaemonProps, graceSeconds: number): DrainSpec {
  const { configureRuntime } = props;
  const reserve = END_SECONDS + (configureRuntime === undefined ? 0 : LEAST_WAIT_SECONDS);
  const given = props.drainTimeout?.toMilliseconds();
  if (given !== undefined && given > (graceSeconds - reserve) * 1000) {
    throw new Error(
      `drainTimeout is ${written(given)} and terminationGracePeriod ${graceSeconds}s, of which ${reserve}s are for what else happens at the end: ` +
        `use at most ${Math.max(0, graceSeconds - reserve)}s, or raise terminationGracePeriod.`,
    );
  }
  const fitting = Math.max(0, Math.min(DEFAULT_DRAIN_SECONDS, graceSeconds - reserve));
  const drain = given === undefined ? fitting : Math.ceil(given / 1000);
  // A grace that was given may be shorter than all of this: then pulls that are under way come before a runtime that does not answer.
  const left = graceSeconds - END_SECONDS - drain;
  const off = configureRuntime === undefined ? 0 : offSeconds(configureRuntime);
  return {
    waitSeconds: Math.max(LEAST_WAIT_SECONDS, Math.min(off, left)),
    drainTimeout:
      given !== undefined
        ? durationText('drainTimeout', props.drainTimeout, DFDAEMON.flags.drainTimeout)
        : fitting === DEFAULT_DRAIN_SECONDS
          ? undefined
          : `${fitting}s`,
  };
}

const DEFAULT_DRAIN_SECONDS = Number.parseInt(DFDAEMON.flags.drainTimeout.default, 10);
const END_SECONDS = 30;
const LEAST_WAIT_SECONDS = 60;
