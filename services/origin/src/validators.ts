import { OriginError } from './origin-error';
import type { OriginAnswer } from './origin-client';

/** What tells one version of a resource from another. */
export interface Validators {
  readonly size: number | undefined;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

/** An entity tag that `If-Range` accepts (RFC 9110, 13.1.5); undefined when there is none. */
export function strongEtag(etag: string | undefined): string | undefined {
  return etag !== undefined && /^"[^"]*"$/.test(etag) ? etag : undefined;
}

function differ<T>(before: T | undefined, now: T | undefined): boolean {
  return before !== undefined && now !== undefined && before !== now;
}

/**
 * Checks that an answer is of the same resource as the one that was begun.
 *
 * @param byDigest - the URL names the content's digest: only the length must agree, since copies of one blob may have different tags.
 * @throws OriginError `changed`.
 */
export function checkSame(before: Validators, answer: OriginAnswer, byDigest: boolean): void {
  const fault = differ(before.size, answer.size)
    ? `its length was ${before.size ?? 0} and is ${answer.size ?? 0} bytes now`
    : !byDigest && differ(before.etag, answer.etag)
      ? 'its ETag is another one'
      : !byDigest && before.etag === undefined && differ(before.lastModified, answer.lastModified)
        ? 'its Last-Modified is another one'
        : undefined;
  if (fault !== undefined) {
    const text = `The resource at origin ${answer.finalHost} changed during the download: ${fault}.`;
    throw new OriginError('changed', text);
  }
}
