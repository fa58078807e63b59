import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { performance } from 'node:perf_hooks';
import { fetchOk } from './fetch';
import type { ManifestContent } from './manifest';
import { parseManifest } from './manifest';
import { PullError } from './pull-error';

export interface PullOptions {
  /** The mirror or registry, such as `http://127.0.0.1:65001`. */
  readonly mirror: string;
  /** The repository, such as `demo/app`. */
  readonly name: string;
  readonly tag: string;
  readonly signal: AbortSignal;
  /** Called with the bytes of config and layers received so far. */
  readonly onProgress?: (bytes: number) => void;
  /**
   * How long a connection may stand still, in milliseconds.
   *
   * @default 30000
   */
  readonly stallTimeoutMs?: number;
}

/** A finished pull: every digest was right. */
export interface PulledImage {
  readonly manifestDigest: string;
  /** The digests of config and layers, in the manifest's order. */
  readonly blobDigests: readonly string[];
  /** The bytes of manifest, config and layers. */
  readonly bytes: number;
  readonly seconds: number;
}

/** Manifests have at most 4 MiB (OCI distribution specification 1.1, "Pushing Manifests"). */
const MANIFEST_LIMIT = 4 * 1024 * 1024;

/**
 * Pulls an image as a container runtime does: the manifest by its tag, then config and layers at once; every length and every
 * SHA-256 is checked while the bytes come. What it pulled is thrown away.
 *
 * @throws PullError at the first thing that is not right; the other downloads are ended then
 */
export async function pullImage(options: PullOptions): Promise<PulledImage> {
  const started = performance.now();
  const failed = new AbortController();
  // One of its own: many pulls may share the caller's.
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const { manifest, digest, bytes } = await pullManifest({ ...options, signal });
  const blobs = [manifest.config, ...manifest.layers];
  let received = 0;
  const pullBlob = async (blob: { readonly digest: string; readonly size: number }) => {
    const url = new URL(`/v2/${options.name}/blobs/${blob.digest}`, options.mirror);
    const response = await fetchOk(url, { stallTimeoutMs: options.stallTimeoutMs ?? 30_000, signal });
    await check(response, url, blob, (chunk) => {
      received += chunk.length;
      options.onProgress?.(received);
    });
  };
  const results = await Promise.allSettled(
    blobs.map(async (blob) => {
      try {
        await pullBlob(blob);
      } catch (error) {
        failed.abort(error);
        throw error;
      }
    }),
  );
  if (results.some((result) => result.status === 'rejected')) throw failed.signal.reason;
  return {
    manifestDigest: digest,
    blobDigests: blobs.map((blob) => blob.digest),
    bytes: bytes + received,
    seconds: (performance.now() - started) / 1000,
  };
}

async function pullManifest(
  options: PullOptions,
): Promise<{ readonly manifest: ManifestContent; readonly digest: string; readonly bytes: number }> {
  const url = new URL(`/v2/${options.name}/manifests/${options.tag}`, options.mirror);
  const response = await fetchOk(url, {
    headers: {
      Accept: 'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json',
    },
    stallTimeoutMs: options.stallTimeoutMs ?? 30_000,
    signal: options.signal,
  });
  const digest = response.headers['docker-content-digest'];
  if (typeof digest !== 'string') throw new PullError(`GET ${url.href}: no Docker-Content-Digest in the answer`);
  const chunks: Buffer[] = [];
  let bytes = 0;
  await check(response, url, { digest }, (chunk) => {
    bytes += chunk.length;
    if (bytes > MANIFEST_LIMIT) throw new PullError(`GET ${url.href}: more than ${MANIFEST_LIMIT} bytes of manifest`);
    chunks.push(chunk);
  });
  return { manifest: parseManifest(Buffer.concat(chunks).toString(), url.href), digest, bytes };
}

/** Reads the body to its end and compares length and SHA-256. */
async function check(
  response: IncomingMessage,
  url: URL,
  expected: { readonly digest: string; readonly size?: number },
  onChunk: (chunk: Buffer) => void,
): Promise<void> {
  const hash = createHash('sha256');
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      hash.update(chunk);
      onChunk(chunk);
    }
  } catch (error) {
    if (error instanceof PullError) throw error;
    const { message } = error as Error;
    throw new PullError(`GET ${url.href}: cut after ${size} bytes: ${message}`, { cause: error });
  }
  if (expected.size !== undefined && size !== expected.size) {
    throw new PullError(`GET ${url.href}: ${size} bytes came, the manifest says ${expected.size}`);
  }
  const digest = `sha256:${hash.digest('hex')}`;
  if (digest !== expected.digest) throw new PullError(`GET ${url.href}: the bytes have the digest ${digest}`);
}
