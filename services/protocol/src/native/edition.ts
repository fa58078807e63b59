import { createHash, randomBytes } from 'node:crypto';

import { z } from 'zod';

/** What an origin says of a version is told as far as it is not longer than this. */
const LONGEST = 500;

/** What an edition is called. */
export const editionId = z.string().regex(/^[0-9a-f]{32}$/);

/**
 * A version of what stands at a URL. Such a blob has no digest beforehand, and its origin may replace it at any time: blocks of two versions must
 * not be put together, so an attestation holds for one edition alone.
 */
export const edition = z.object({
  id: editionId,
  /** By what its origin tells it from others, as it wrote it. */
  etag: z.string().max(LONGEST).optional(),
  lastModified: z.string().max(LONGEST).optional(),
});
export type Edition = z.infer<typeof edition>;

/** What an origin says of the resource that it gives. */
export interface EditionMarks {
  readonly size?: number | undefined;
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
}

/**
 * The edition of a resource that is read from its beginning. With a strong entity tag, whoever reads the same bytes names it the same; else nobody
 * else can know whether they are, and it has a name of its own.
 */
export function editionOf({ size, etag, lastModified }: EditionMarks): Edition {
  const isStrong = etag?.startsWith('"') === true;
  const id = isStrong
    ? createHash('sha256')
        .update(`${size ?? ''} ${etag}`)
        .digest('hex')
        .slice(0, 32)
    : randomBytes(16).toString('hex');
  return { id, ...(isTold(etag) ? { etag } : {}), ...(isTold(lastModified) ? { lastModified } : {}) };
}

/** Whether its origin says anything by which one edition can be told from another. */
export function isMarked({ etag, lastModified }: Edition): boolean {
  return etag !== undefined || lastModified !== undefined;
}

/** Whether the origin still gives this edition: by its entity tag, without one by its date (RFC 9110, 13.2.2). Nothing said: nobody knows. */
export function isOfEdition({ etag, lastModified }: Edition, now: EditionMarks): boolean {
  if (etag !== undefined) return etag === now.etag;
  return lastModified !== undefined && lastModified === now.lastModified;
}

function isTold(text: string | undefined): text is string {
  return text !== undefined && text.length <= LONGEST;
}
