import type { Duration } from 'cdk8s';

/** What a flag for a duration takes, in milliseconds. */
interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

/**
 * A duration as a flag of the daemons is written; undefined when there is none.
 *
 * @throws Error naming the prop, the value and the bounds of the flag.
 */
export function durationText(
  prop: string,
  value: Duration | undefined,
  { min = 0, max = Infinity }: Bounds,
): string | undefined {
  if (value === undefined) {
    return undefined;
  }
  const milliseconds = value.toMilliseconds();
  if (milliseconds < min || milliseconds > max) {
    throw new Error(
      `${prop} is ${written(milliseconds)}: use ${max === Infinity ? `at least ${written(min)}` : `${written(min)} to ${written(max)}`}.`,
    );
  }
  return written(milliseconds);
}

/**
 * A duration as Kubernetes takes it, in whole seconds; undefined when there is none.
 *
 * @throws Error naming the prop and the value: a fraction of a second.
 */
export function wholeSeconds(prop: string, value: Duration | undefined): number | undefined {
  const seconds = value?.toSeconds({ integral: false });
  if (seconds !== undefined && !Number.isInteger(seconds)) {
    throw new Error(
      `${prop} is ${written(seconds * 1000)}, and Kubernetes counts whole seconds: use Duration.seconds(n).`,
    );
  }
  return seconds;
}

/** Milliseconds as flags take them: `30s`, `250ms`. */
export function written(milliseconds: number): string {
  return milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms`;
}
