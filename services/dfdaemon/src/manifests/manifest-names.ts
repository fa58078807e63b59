import { gunzipSync } from 'node:zlib';

import { isDigest, jsonOf } from '@cdk8s-dragonfly/protocol';
import type { Digest } from '@cdk8s-dragonfly/protocol';

/** The largest manifest that is read, in bytes (OCI distribution specification, "Pushing manifests": registries take 4 MiB). */
export const LARGEST_MANIFEST = 4 * 1024 * 1024;

/** What a manifest names. */
export interface ManifestNames {
  /** Its config and layers. */
  readonly blobs: readonly Digest[];
  /** The manifests of an index. */
  readonly manifests: readonly Digest[];
}

/**
 * What a manifest names by SHA-256: the config and layers of an OCI or docker image manifest or a docker manifest of schema 1, the
 * manifests of an index. Layers that have URLs of their own (foreign layers) are left out: registries need not have them. Total: what is
 * no manifest names nothing.
 */
export function namesIn(body: Buffer): ManifestNames {
  const manifest = objectOf(jsonOf(body.toString('utf8')));
  const layers = listOf(manifest['layers']).map(objectOf);
  const own = layers.filter(({ urls }) => !Array.isArray(urls) || urls.length === 0);
  const descriptors = [objectOf(manifest['config']), ...own].map(({ digest }) => digest);
  const sums = listOf(manifest['fsLayers']).map((one) => objectOf(one)['blobSum']);
  const manifests = listOf(manifest['manifests']).map((one) => objectOf(one)['digest']);
  return { blobs: digestsOf([...descriptors, ...sums]), manifests: digestsOf(manifests) };
}

/**
 * A body as it was before its `Content-Encoding`; undefined when that is none that is understood here, or the body is too long or broken.
 */
export function decodedManifest(body: Buffer, encoding: string | undefined): Buffer | undefined {
  if (encoding === undefined || encoding === 'identity') return body;
  if (encoding !== 'gzip') return undefined;
  try {
    return gunzipSync(body, { maxOutputLength: LARGEST_MANIFEST });
  } catch {
    return undefined; // not gzip after all, or far too large: it names nothing for us, and the client judges for itself
  }
}

function digestsOf(values: readonly unknown[]): readonly Digest[] {
  return [...new Set(values)].filter((value) => typeof value === 'string').filter(isDigest);
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
