import { PullError } from './pull-error';

/** A blob that a manifest names. */
export interface ManifestBlob {
  readonly digest: string;
  readonly size: number;
}

/** What a pull needs of an image manifest (OCI image specification 1.1). */
export interface ManifestContent {
  readonly config: ManifestBlob;
  readonly layers: readonly ManifestBlob[];
}

/**
 * @param source where it came from, for the message
 * @throws PullError when it is no image manifest with SHA-256 digests
 */
export function parseManifest(text: string, source: string): ManifestContent {
  const manifest = asRecord(parseJson(text, source));
  const { config, layers } = manifest;
  if (config === undefined || !Array.isArray(layers)) {
    throw new PullError(`GET ${source}: not an image manifest: config or layers are missing`);
  }
  return { config: asBlob(config, source), layers: layers.map((layer) => asBlob(layer, source)) };
}

function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new PullError(`GET ${source}: the manifest is not JSON`, { cause: error });
  }
}

function asBlob(value: unknown, source: string): ManifestBlob {
  const { digest, size } = asRecord(value);
  if (typeof digest !== 'string' || !/^sha256:[0-9a-f]{64}$/.test(digest)) {
    throw new PullError(`GET ${source}: a blob of the manifest has no SHA-256 digest`);
  }
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new PullError(`GET ${source}: the manifest gives ${digest} no size`);
  }
  return { digest, size };
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
