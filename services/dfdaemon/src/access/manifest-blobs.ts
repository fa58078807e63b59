import { gunzipSync } from 'node:zlib';

import { isDigest } from '@cdk8s-dragonfly/protocol';
import type { Digest } from '@cdk8s-dragonfly/protocol';

/** The largest manifest that is read, in bytes (OCI distribution specification, "Pushing manifests": registries take 4 MiB). */
export const LARGEST_MANIFEST = 4 * 1024 * 1024;

/**
 * The SHA-256 blobs that a manifest names: its config and layers, of an OCI or docker image manifest or a docker manifest of
 * schema 1. An index names manifests, no blobs. Total: what is no manifest names nothing.
 *
 * @param encoding the body's `Content-Encoding`; undefined: none. Only gzip is understood.
 */
export function blobsNamedBy(body: Buffer, encoding: string | undefined): Digest[] {
  const text = decoded(body, encoding);
  if (text === undefined) return [];
  const manifest = objectOf(parsed(text));
  const descriptors = [manifest['config'], ...listOf(manifest['layers'])].map((one) => objectOf(one)['digest']);
  const sums = listOf(manifest['fsLayers']).map((one) => objectOf(one)['blobSum']);
  return [...new Set([...descriptors, ...sums])].filter((digest) => typeof digest === 'string').filter(isDigest);
}

function decoded(body: Buffer, encoding: string | undefined): string | undefined {
  if (encoding === undefined || encoding === 'identity') return body.toString('utf8');
  if (encoding !== 'gzip') return undefined;
  try {
    return gunzipSync(body, { maxOutputLength: LARGEST_MANIFEST }).toString('utf8');
  } catch {
    return undefined; // not gzip after all, or far too large: it names nothing for us, and the client judges for itself
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no manifest: it names nothing
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
