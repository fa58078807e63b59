import { isDigest } from '@cdk8s-dragonfly/protocol';
import type { Digest } from '@cdk8s-dragonfly/protocol';
import { z } from 'zod';

import type { Platform } from './platform';

/** Something that a manifest names (OCI image specification, "Content Descriptors"). */
export interface Descriptor {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly mediaType: string;
  /** Of a manifest in an index. */
  readonly platform?: Platform | undefined;
}

/** A list of manifests, most often one a platform. */
export interface ImageIndex {
  readonly kind: 'index';
  readonly manifests: readonly Descriptor[];
}

/** The parts of one image. */
export interface ImageManifest {
  readonly kind: 'image';
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

const TYPES = {
  index: ['application/vnd.oci.image.index.v1+json', 'application/vnd.docker.distribution.manifest.list.v2+json'],
  image: ['application/vnd.oci.image.manifest.v1+json', 'application/vnd.docker.distribution.manifest.v2+json'],
} as const;

/** What is asked for, in the order of liking (RFC 9110, 12.5.1). */
export const MANIFEST_ACCEPT = [...TYPES.index, ...TYPES.image].join(', ');

/** Registries are not trusted with what ends on a terminal. */
const WORD = z.string().regex(/^[A-Za-z0-9_.+-]{1,40}$/, 'it is no name of a platform');
const PLATFORM = z.object({
  os: WORD,
  architecture: WORD,
  variant: z
    .union([z.literal(''), WORD])
    .optional()
    .transform((variant) => (variant === '' ? undefined : variant)),
});

const DESCRIPTOR = z.object({
  mediaType: z.string().default(''),
  digest: z.string().refine((text): text is Digest => isDigest(text), 'only sha256 digests are supported'),
  size: z.int().min(0),
  platform: PLATFORM.optional(),
});

const DOCUMENT = z.object({
  schemaVersion: z.literal(2, 'it has to be 2: images of the first schema have to be pushed anew'),
  mediaType: z.string().optional(),
  manifests: z.array(DESCRIPTOR).max(1000).optional(),
  config: DESCRIPTOR.optional(),
  layers: z.array(DESCRIPTOR).max(1000).optional(),
});

/** A manifest that cannot be used; the message is the end of a sentence. */
export class BadManifest extends Error {
  override readonly name = 'BadManifest';
}

/**
 * Reads an index or a manifest, OCI or Docker. One that could be read as both is refused: tools would not agree on what it is
 * (OCI advisory GHSA-mc8v-mgrf-8f4m).
 *
 * @throws BadManifest
 */
export function parseManifest(body: Buffer): ImageIndex | ImageManifest {
  const { mediaType, manifests, config, layers } = documentOf(body);
  const isIndex = manifests !== undefined;
  if (isIndex && (config !== undefined || layers !== undefined)) {
    throw new BadManifest('it is an index and an image at once');
  }
  const known: readonly string[] = isIndex ? TYPES.index : TYPES.image;
  if (mediaType !== undefined && !known.includes(mediaType)) {
    throw new BadManifest(`its media type ${JSON.stringify(mediaType.slice(0, 80))} is none of ${known.join(', ')}`);
  }
  if (isIndex) return { kind: 'index', manifests };
  if (config === undefined || layers === undefined)
    throw new BadManifest('it has neither manifests nor config and layers');
  return { kind: 'image', config, layers };
}

/** The platform that an image's configuration names (OCI image specification, "Image Configuration"). @throws BadManifest */
export function platformInConfig(body: Buffer): Platform {
  const parsed = PLATFORM.safeParse(jsonOf(body));
  if (!parsed.success) throw new BadManifest('it names no os and architecture');
  return parsed.data;
}

/** Whether registries need not have it (OCI image specification, "Non-Distributable Layers"; `foreign` layers of Docker). */
export function isForeign({ mediaType }: Descriptor): boolean {
  return mediaType.includes('.nondistributable.') || mediaType.includes('.foreign.');
}

function documentOf(body: Buffer): z.infer<typeof DOCUMENT> {
  const parsed = DOCUMENT.safeParse(jsonOf(body));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new BadManifest(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong'}`);
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) throw new BadManifest('it is no JSON', { cause: error });
    throw error;
  }
}
