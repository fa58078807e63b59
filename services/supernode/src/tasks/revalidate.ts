import { OriginError, fetchFrom } from '@cdk8s-dragonfly/origin';
import type { OriginFetch } from '@cdk8s-dragonfly/origin';
import { isMarked } from '@cdk8s-dragonfly/protocol';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

import type { TaskSource, TaskTools } from './task';

/** RFC 9110, 304. */
const NOT_MODIFIED = 304;

/**
 * Asks the origin whether a file that is named by its URL is still the one that is here whole, as the original does before it fetches one
 * anew (Dragonfly 0.x protocol, 6.2): by its entity tag, or by the time of its last change.
 *
 * @returns what the origin has now, to be read; undefined: it is the same.
 * @throws OriginError when the origin cannot be asked; the signal's reason when it aborts.
 */
export async function revalidate(
  stored: StoredBlob,
  source: TaskSource,
  origin: TaskTools['origin'],
  signal: AbortSignal,
): Promise<OriginFetch | undefined> {
  if (!stored.finished || stored.edition === undefined || !isMarked(stored.edition))
    return fetchFrom(origin, source, { signal });
  const { etag, lastModified } = stored.edition;
  try {
    const answer = await fetchFrom(origin, { ...source, unless: { etag, lastModified } }, { signal });
    // An origin that knows no conditions says by its entity tag that it is the same.
    if (!isStrong(answer.etag) || answer.etag !== etag || answer.size !== stored.size) return answer;
    answer.discard();
    return undefined;
  } catch (error) {
    if (error instanceof OriginError && error.status === NOT_MODIFIED) return undefined;
    throw error;
  }
}

function isStrong(etag: string | undefined): boolean {
  return etag?.startsWith('"') === true;
}
