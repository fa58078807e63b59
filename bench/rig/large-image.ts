import { createHash, randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { createImage } from '../../e2e/world/image';
import type { Descriptor, Image } from '../../e2e/world/image';

const MIB = 1024 * 1024;

/** An image whose layers do not fit in memory; nobody could unpack them. */
export function createLargeImage(layout: string, name: string, layers: number, mebibytes: number): Image {
  const small = createImage(layout, name, [1]);
  const blobs = join(layout, 'blobs', 'sha256');
  mkdirSync(blobs, { recursive: true });
  const made = Array.from({ length: layers }, () => writeLayer(blobs, mebibytes));
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: small.manifest.mediaType,
    config: small.config,
    layers: made,
  });
  const digest = `sha256:${createHash('sha256').update(manifest).digest('hex')}`;
  writeFileSync(join(blobs, digest.slice('sha256:'.length)), manifest);
  const described = { mediaType: small.manifest.mediaType, digest, size: Buffer.byteLength(manifest) };
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [described] }));
  return { ...small, manifest: described, layers: made };
}

function writeLayer(blobs: string, mebibytes: number): Descriptor {
  const part = randomBytes(MIB);
  const hash = createHash('sha256');
  const writing = join(blobs, 'writing');
  const file = openSync(writing, 'w');
  for (let count = 0; count < mebibytes; count += 1) {
    part.writeUInt32BE(count);
    hash.update(part);
    writeSync(file, part);
  }
  closeSync(file);
  const digest = hash.digest('hex');
  renameSync(writing, join(blobs, digest));
  return {
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    digest: `sha256:${digest}`,
    size: mebibytes * MIB,
  };
}
