import { isBlobId } from '../digest';
import type { BlobId } from '../digest';
import { MAX_BLOCK } from '../grid/block-set';
import { NATIVE_VERSION } from './messages';

/** A request for one block, or for the stream of what a peer has. */
export type BlobRoute =
  | { readonly kind: 'block'; readonly blob: BlobId; readonly index: number }
  | { readonly kind: 'have'; readonly blob: BlobId };

const ROOT = `/native/v${NATIVE_VERSION}`;

/** Where a daemon opens the stream on which a supernode tells it of its blobs. */
export const SESSION_PATH = `${ROOT}/session`;

/** Where daemons of builds before open their session. */
export const FORMER_SESSION_PATHS: readonly string[] = ['/native/v1/session'];

/** Where a daemon tells a supernode which blobs it has whole. */
export const HOLDINGS_PATH = `${ROOT}/holdings`;

/** Where a daemon tells a supernode which neighbours failed. */
export const REPORTS_PATH = `${ROOT}/reports`;

/** Where a supernode says who it is, to its replicas and to daemons. */
export const REPLICA_PATH = `${ROOT}/replica`;

/** Where a block is served, at a supernode's block port and a daemon's peer port. */
export function blockPath(blob: BlobId, index: number): string {
  return `${ROOT}/blobs/${blob}/blocks/${index}`;
}

/**
 * @param pings `each` stream is pinged while it has no news; or `one` of all that this name has open at the peer, since who asks takes any
 * line for a sign of life. Peers that do not know of it ping each. Default `each`.
 */
export function havePath(blob: BlobId, cid: string, pings: 'each' | 'one' = 'each'): string {
  const path = `${ROOT}/blobs/${blob}/have?cid=${encodeURIComponent(cid)}`;
  return pings === 'one' ? `${path}&pings=one` : path;
}

/** The name whose streams are pinged together; undefined: each for itself. @param query the text after the `?` */
export function pingedTogether(query: string): string | undefined {
  const fields = new URLSearchParams(query);
  return fields.get('pings') === 'one' ? (fields.get('cid') ?? undefined) : undefined;
}

const BLOB_PATH = new RegExp(`^${ROOT}/blobs/([^/]+)/(have|blocks)(?:/(\\d{1,8}))?$`);

/** What a path (without its query) asks for; undefined when it is no route of the native protocol. */
export function blobRoute(path: string): BlobRoute | undefined {
  const [, blob, what, index] = BLOB_PATH.exec(path) ?? [];
  if (blob === undefined || !isBlobId(blob)) return undefined;
  if (what === 'have') return index === undefined ? { kind: 'have', blob } : undefined;
  const number = Number(index);
  return index !== undefined && number <= MAX_BLOCK ? { kind: 'block', blob, index: number } : undefined;
}
