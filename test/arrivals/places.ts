/** The names of a subject: whose pod, which container. */
export interface Place {
  readonly object: string;
  readonly container: string;
}

export const DAEMON: Place = { object: 'DaemonSet df-daemon', container: 'df-daemon' };
export const RUNTIMES: Place = { object: 'DaemonSet df-daemon', container: 'node-mirror' };
export const SEED: Place = { object: 'Deployment supernode', container: 'supernode' };
export const MIRROR_JOB: Place = { object: 'Job node-mirror', container: 'node-mirror' };
export const PREHEAT: Place = { object: 'Job preheat', container: 'image-0' };
export const CRON_PREHEAT: Place = { object: 'CronJob preheat', container: 'image-0' };

/** A part of a container's view. */
export function within({ object, container }: Place, part: object): object {
  return { pods: { [object]: { by: { [container]: part } } } };
}

/** Values that a command understands. */
export function values(place: Place, part: object): object {
  return within(place, { values: part });
}

/** A part of a pod. */
export function pod({ object }: Place, part: object): object {
  return { pods: { [object]: part } };
}

/** A part of an object. */
export function object(name: string, part: object): object {
  return { objects: { [name]: part } };
}
