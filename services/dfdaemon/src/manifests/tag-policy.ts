import { UsageError, parseDuration } from '@cdk8s-dragonfly/command';

/** When a tag is answered without its registry. */
export interface TagPolicy {
  /** For so long after its registry was asked it is not asked again, in milliseconds; 0: it is asked each time. */
  readonly ttl: number;
  /** Whether what was last seen is answered when the registry cannot be asked. */
  readonly stale: boolean;
}

/** @throws UsageError for anything but `revalidate`, `strict` and `ttl=DURATION`. */
export function parseTagPolicy(text: string): TagPolicy {
  if (text === 'revalidate') return { ttl: 0, stale: true };
  if (text === 'strict') return { ttl: 0, stale: false };
  const ttl = text.startsWith('ttl=') ? durationOf(text.slice('ttl='.length)) : undefined;
  if (ttl === undefined) {
    throw new UsageError(`--tag-policy must be revalidate, strict or ttl=DURATION such as ttl=5m, not "${text}"`);
  }
  return { ttl, stale: true };
}

function durationOf(text: string): number | undefined {
  try {
    return parseDuration(text);
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}
