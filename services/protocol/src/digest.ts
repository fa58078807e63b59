import { createHash } from 'node:crypto';

/** `sha256:` and 64 lowercase hexadecimal digits (OCI image specification, "Digests"). */
export type Digest = `sha256:${string}`;

/** `task:` and the classic task id, for content whose URL names no digest (Dragonfly 0.x protocol, 2.2). */
export type TaskName = `task:${string}`;

/** What the swarm calls a blob: its digest when it is known beforehand, else its task. */
export type BlobId = Digest | TaskName;

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const BLOB_ID = /^(?:sha256|task):[0-9a-f]{64}$/;

/** Whether `text` is a SHA-256 digest as the OCI image specification writes it. */
export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

/** Whether `text` names a blob. Only what passes here may become part of a path on disk. */
export function isBlobId(text: string): text is BlobId {
  return BLOB_ID.test(text);
}

/** The 64 hexadecimal digits of a blob's name. */
export function hexOf(blob: BlobId): string {
  return blob.slice(blob.indexOf(':') + 1);
}

/** The digest of `bytes`. */
export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The end of a registry URL's path that names content by its digest; the colon may be escaped. */
const DIGEST_PATH = /\/(?:blobs|manifests)\/sha256(?::|%3[Aa])([0-9a-f]{64})$/;

/**
 * The digest that a registry URL names as its blob or manifest (`…/blobs/sha256:<hex>`), else undefined.
 * Query and host do not matter: who names the digest means the same content.
 */
export function digestInUrl(url: URL): Digest | undefined {
  const hex = DIGEST_PATH.exec(url.pathname)?.[1];
  return hex === undefined ? undefined : `sha256:${hex}`;
}
