import { isBlobId } from '../digest';
import type { BlobId } from '../digest';
import { MAX_BLOCK } from '../grid/block-set';

/** A request for one block, or for the stream of what a peer has. */
export type BlobRoute =
  | { readonly kind: 'block'; readonly blob: BlobId; readonly index: number }
  | { readonly kind: 'have'; readonly blob: BlobId };

export const SESSION_PATH = '/native/v1/session';

export const HOLDINGS_PATH = '/native/v1/holdings';

export const REPORTS_PATH = '/native/v1/reports';

export const REPLICA_PATH = '/native/v1/replica';

export function blockPath(blob: BlobId, index: number): string {
  return `/native/v1/blobs/${blob}/blocks/${index}`;
}

/**
 * @param pings `each` stream is pinged while it has no news; or `one` of all that this name has open at the peer, since who asks takes any
 * line for a sign of life. Peers that do not know of it ping each. Default `each`.
 */
export function havePath(blob: BlobId, cid: string, pings: 'each' | 'one' = 'each'): string {
  const path = `/native/v1/blobs/${blob}/have?cid=${encodeURIComponent(cid)}`;
  return pings === 'one' ? `${path}&pings=one` : path;
}

/** The name whose streams are pinged together; undefined: each for itself. @param query the text after the `?` */
export function pingedTogether(query: string): string | undefined {
  const fields = new URLSearchParams(query);
  return fields.get('pings') === 'one' ? (fields.get('cid') ?? undefined) : undefined;
}

/** What a path (without its query) asks for; undefined when it is no route of the native protocol. */
export function blobRoute(path: string): BlobRoute | undefined {
  const [, blob, what, index] = /^\/native\/v1\/blobs\/([^/]+)\/(have|blocks)(?:\/(\d{1,8}))?$/.exec(path) ?? [];
  if (blob === undefined || !isBlobId(blob)) return undefined;
  if (what === 'have') return index === undefined ? { kind: 'have', blob } : undefined;
  const number = Number(index);
  return index !== undefined && number <= MAX_BLOCK ? { kind: 'block', blob, index: number } : undefined;
}
