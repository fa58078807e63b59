import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { tarOf } from './tar';

/** A blob as a manifest names it (OCI Image Format 1.0, descriptor). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** An image of random bytes that no registry and no cache has ever seen, as an OCI layout on disk. */
export interface Image {
  /** The repository, as in `library/NAME`. */
  readonly repository: string;
  readonly tag: string;
  /** The folder of its OCI layout. */
  readonly layout: string;
  readonly manifest: Descriptor;
  /** What its tag names, when it is there for several platforms: `manifest` is for this machine then, and the one that engines take. */
  readonly index?: Descriptor;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  /** SHA-256 of each layer's tar archive: what engines list after they have unpacked it. */
  readonly diffIds: readonly string[];
}

/** `sha256:` and the hexadecimal SHA-256 of the content. */
export function digestOf(content: Buffer | string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** The blobs that a pull fetches: the configuration and the layers. */
export function blobsOf(image: Image): readonly Descriptor[] {
  return [image.config, ...image.layers];
}

export interface ImageOptions {
  /** Further architectures, each with a layer of its own of 1 MiB, behind an index. Default: none, and no index. */
  readonly others?: readonly string[];
}

/** What the tag of an image names. */
export function targetOf({ index, manifest }: Image): Descriptor {
  return index ?? manifest;
}

/**
 * Makes an image with one layer for each size, in bytes, in the folder `layout`.
 *
 * @param repository below `library/` when it has no slash
 */
export function createImage(
  layout: string,
  repository: string,
  layerSizes: readonly number[],
  more: ImageOptions = {},
): Image {
  const blobs = join(layout, 'blobs', 'sha256');
  mkdirSync(blobs, { recursive: true });
  const add = (mediaType: string, content: Buffer): Descriptor => {
    const digest = digestOf(content);
    writeFileSync(join(blobs, digest.slice('sha256:'.length)), content);
    return { mediaType, digest, size: content.length };
  };
  const addJson = (mediaType: string, content: object): Descriptor =>
    add(mediaType, Buffer.from(JSON.stringify(content)));

  const own = process.arch === 'x64' ? 'amd64' : process.arch;
  const makeFor = (architecture: string, sizes: readonly number[]): Omit<Image, 'repository' | 'tag' | 'layout'> => {
    const archives = sizes.map((size, index) => tarOf(`layer-${index}.bin`, randomBytes(size)));
    const layers = archives.map((archive) =>
      add('application/vnd.oci.image.layer.v1.tar+gzip', gzipSync(archive, { level: 1 })),
    );
    const diffIds = archives.map((archive) => digestOf(archive));
    const config = addJson('application/vnd.oci.image.config.v1+json', {
      architecture,
      os: 'linux',
      config: { Cmd: ['/bin/true'] },
      rootfs: { type: 'layers', diff_ids: diffIds },
    });
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    return { manifest: addJson(mediaType, { schemaVersion: 2, mediaType, config, layers }), config, layers, diffIds };
  };

  const image = makeFor(own, layerSizes);
  const { others = [] } = more;
  // The one for this machine stands last: an engine that takes the first has the wrong one.
  const manifests = [
    ...others.map((architecture) => ({
      ...makeFor(architecture, [1024 * 1024]).manifest,
      platform: { architecture, os: 'linux' },
    })),
    { ...image.manifest, platform: { architecture: own, os: 'linux' } },
  ];
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const index = others.length === 0 ? undefined : addJson(mediaType, { schemaVersion: 2, mediaType, manifests });
  writeFileSync(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [index ?? image.manifest] }));
  const name = repository.includes('/') ? repository : `library/${repository}`;
  return { repository: name, tag: '1', layout, ...image, ...(index === undefined ? {} : { index }) };
}
