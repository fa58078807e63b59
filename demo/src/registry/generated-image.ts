import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Descriptor, MemoryBlob, StoredBlob } from './descriptor';
import { MEDIA_TYPES } from './descriptor';
import { writeRandomLayer } from './random-layer';

/** An image made for one run. */
export interface GeneratedImage {
  readonly manifest: MemoryBlob;
  readonly config: MemoryBlob;
  readonly layers: readonly StoredBlob[];
  /** The bytes of all layers. */
  readonly layerBytes: number;
  /** The bytes that a pull takes: manifest, config and layers. */
  readonly totalBytes: number;
}

export interface GenerateImageOptions {
  /** An existing folder for the layers. */
  readonly folder: string;
  /** The bytes of all layers together. */
  readonly size: number;
  /**
   * How the layers share the size: one layer a weight.
   *
   * @default [1, 3, 4]
   */
  readonly weights?: readonly number[];
}

/**
 * Makes an image of random layers: a real one, which every container runtime can unpack, and which compresses to nothing less.
 *
 * @throws RangeError when the size is too small for the number of layers
 */
export async function generateImage(options: GenerateImageOptions): Promise<GeneratedImage> {
  const sizes = shareOut(options.size, options.weights ?? [1, 3, 4]);
  const layers: StoredBlob[] = [];
  for (const [index, size] of sizes.entries()) {
    const name = `layer-${index + 1}`;
    layers.push(await writeRandomLayer(join(options.folder, `${name}.tar`), size, `${name}.bin`));
  }
  const config = inMemory(MEDIA_TYPES.config, {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
  });
  const manifest = inMemory(MEDIA_TYPES.manifest, {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    config: descriptorOf(config),
    layers: layers.map(descriptorOf),
  });
  const layerBytes = layers.reduce((sum, layer) => sum + layer.size, 0);
  return { manifest, config, layers, layerBytes, totalBytes: manifest.size + config.size + layerBytes };
}

/** Splits `total` into whole numbers in the proportions of `weights`; the last takes what rounding leaves. */
function shareOut(total: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((left, right) => left + right, 0);
  const shares = weights.slice(0, -1).map((weight) => Math.floor((total * weight) / sum));
  return [...shares, total - shares.reduce((left, right) => left + right, 0)];
}

function descriptorOf({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

function inMemory(mediaType: string, document: object): MemoryBlob {
  const bytes = Buffer.from(JSON.stringify(document));
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return { mediaType, digest, size: bytes.length, content: { bytes } };
}
