import { OriginError, publicUrl, readWhole } from '@cdk8s-dragonfly/origin';
import type { OriginClient } from '@cdk8s-dragonfly/origin';
import { digestInUrl, digestOf, withoutHeaders } from '@cdk8s-dragonfly/protocol';
import type { Digest } from '@cdk8s-dragonfly/protocol';

import type { ImageUrl } from './image-url';
import { BadManifest, MANIFEST_ACCEPT, isForeign, parseManifest, platformInConfig } from './manifest';
import type { Descriptor, ImageIndex, ImageManifest } from './manifest';
import { fits, formatPlatform } from './platform';
import type { Platform } from './platform';
import type { RegistryAccess } from './registry-access';

/** The longest manifest, in bytes: what registries have to take (OCI distribution specification, "Pushing Manifests"). */
const LONGEST_MANIFEST = 4 * 1024 * 1024;

/** An index in an index in an index is enough. */
const DEEPEST = 3;

/** So many manifests and blobs one image may have. */
const MOST_MANIFESTS = 500;
const MOST_BLOBS = 10_000;

/** A blob of an image. */
export interface ImagePart {
  readonly digest: Digest;
  readonly url: URL;
  /** Bytes, as the manifest says. */
  readonly size: number;
  /** The platforms whose image has it, as the index names them; none for an image without an index. */
  readonly platforms: readonly string[];
  /** Registries need not have it. */
  readonly foreign: boolean;
}

interface Reading {
  readonly image: ImageUrl;
  /** Empty: all. */
  readonly platforms: readonly Platform[];
  readonly origin: Pick<OriginClient, 'open'>;
  readonly access: RegistryAccess;
  readonly signal: AbortSignal;
}

/**
 * The blobs of an image, each once: read from its index and manifests, of all platforms or those chosen.
 *
 * @throws Error, one sentence: what could not be read, or which platform there is not.
 */
export async function imageParts(reading: Reading): Promise<readonly ImagePart[]> {
  const { image, platforms } = reading;
  const walk = new Walk(reading);
  const { manifest: url } = image;
  const root = await walk.manifest({ url, digest: digestInUrl(url) });
  if (root.kind === 'index') await walk.index(root, 1);
  else {
    if (platforms.length > 0) await walk.checkPlatform(root);
    walk.add(root, undefined);
  }
  return [...walk.parts.values()];
}

class Walk {
  readonly parts = new Map<Digest, ImagePart>();
  private manifests = 0;

  constructor(private readonly reading: Reading) {}

  async index({ manifests }: ImageIndex, depth: number): Promise<void> {
    if (depth > DEEPEST) throw new Error(`the image has indexes in indexes, more than ${DEEPEST} deep`);
    for (const entry of this.chosen(manifests)) {
      const { digest, size, platform } = entry;
      const found = await this.manifest({ url: this.urlOf('manifests', digest), digest, size });
      if (found.kind === 'index') await this.index(found, depth + 1);
      else this.add(found, platform);
    }
  }

  add({ config, layers }: ImageManifest, platform: Platform | undefined): void {
    const name = platform === undefined ? [] : [formatPlatform(platform)];
    for (const descriptor of [config, ...layers]) {
      const { digest, size } = descriptor;
      const before = this.parts.get(digest);
      const platforms = [...new Set([...(before?.platforms ?? []), ...name])];
      const url = this.urlOf('blobs', digest);
      this.parts.set(digest, { digest, url, size, platforms, foreign: isForeign(descriptor) });
    }
    if (this.parts.size > MOST_BLOBS) throw new Error(`the image has more than ${MOST_BLOBS} blobs`);
  }

  /** An image without an index names its platform in its configuration. */
  async checkPlatform({ config }: ImageManifest): Promise<void> {
    const { platforms } = this.reading;
    const url = this.urlOf('blobs', config.digest);
    const body = await this.read({ url, digest: config.digest, size: config.size }, 'configuration');
    const own = readable(url, 'configuration', () => platformInConfig(body));
    const missing = platforms.filter((wanted) => !fits(own, wanted));
    if (missing.length > 0) throw noPlatform(missing, [own]);
  }

  async manifest(of: { url: URL; digest: Digest | undefined; size?: number }): Promise<ImageIndex | ImageManifest> {
    this.manifests += 1;
    if (this.manifests > MOST_MANIFESTS) throw new Error(`the image has more than ${MOST_MANIFESTS} manifests`);
    const body = await this.read(of, 'manifest');
    return readable(of.url, 'manifest', () => parseManifest(body));
  }

  private chosen(manifests: readonly Descriptor[]): readonly Descriptor[] {
    const { platforms } = this.reading;
    if (platforms.length === 0) return manifests;
    const offered = manifests.flatMap(({ platform }) => (platform === undefined ? [] : [platform]));
    const missing = platforms.filter((wanted) => !offered.some((one) => fits(one, wanted)));
    // An entry without a platform may be an index of its own, and is looked into only when all are wanted.
    if (missing.length > 0) throw noPlatform(missing, offered);
    return manifests.filter(({ platform }) => platform !== undefined && platforms.some((one) => fits(platform, one)));
  }

  private urlOf(collection: 'manifests' | 'blobs', digest: Digest): URL {
    return new URL(`${collection}/${digest}`, this.reading.image.repository);
  }

  private async read(
    { url, digest, size }: { url: URL; digest: Digest | undefined; size?: number },
    what: string,
  ): Promise<Buffer> {
    const { origin, access, signal } = this.reading;
    try {
      const body = await access.use(async (lines) => {
        const headers = [...withoutHeaders(lines, ['accept']), ['Accept', MANIFEST_ACCEPT] as const];
        return readWhole(origin, { url, headers }, LONGEST_MANIFEST, signal);
      }, signal);
      if (size !== undefined && body.length !== size) {
        throw new Error(`it has ${body.length} bytes instead of ${size}`);
      }
      if (digest !== undefined && digestOf(body) !== digest) {
        throw new Error(`its digest is ${digestOf(body)}`);
      }
      return body;
    } catch (error) {
      signal.throwIfAborted();
      const status = error instanceof OriginError ? error.status : undefined;
      const advice = status === 401 || status === 403 ? '; credentials are missing or not good enough' : '';
      throw new Error(`the ${what} ${publicUrl(url)} cannot be read: ${sentence(error)}${advice}`, { cause: error });
    }
  }
}

function readable<T>(url: URL, what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof BadManifest)) throw error;
    throw new Error(`the ${what} ${publicUrl(url)} cannot be used: ${error.message}`, { cause: error });
  }
}

function noPlatform(missing: readonly Platform[], offered: readonly Platform[]): Error {
  const list = (platforms: readonly Platform[]): string => [...new Set(platforms.map(formatPlatform))].join(', ');
  return new Error(
    `the image is not there for ${list(missing)}; it is for ${offered.length === 0 ? 'none' : list(offered)}`,
  );
}

function sentence(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
}
