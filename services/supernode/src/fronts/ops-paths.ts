/** Health and measures: answered whatever the load, and while the supernode stops. */
export const OPS_PATHS = {
  /** As of the originals: 200 and `OK` while the process answers. */
  ping: '/_ping',
  /** 200 while the process answers. */
  live: '/livez',
  /** 200 while it can take work, else 503 and why not. */
  ready: '/readyz',
  /** Who it is. */
  version: '/version',
  /** For Prometheus. */
  metrics: '/metrics',
} as const;

const PATHS: ReadonlySet<string> = new Set(Object.values(OPS_PATHS));

/** Whether a path, without its query, is one of {@link OPS_PATHS}. */
export function isOpsPath(path: string): boolean {
  return PATHS.has(path);
}
