import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { StoredBlob } from '@cdk8s-dragonfly/demo';
import { generateImage } from '@cdk8s-dragonfly/demo';
import { temporaryFolder } from '../temporary-folder';

const folder = temporaryFolder();
const fresh = () => mkdtempSync(join(folder.path, 'image-'));
const contentOf = (blob: StoredBlob) => ('file' in blob.content ? readFileSync(blob.content.file) : blob.content.bytes);

test('three layers of one, three and four eighths add up to the size, each with its digest', async () => {
  const image = await generateImage({ folder: fresh(), size: 1_000_003 });
  expect(image.layers.map((layer) => layer.size)).toEqual([125_000, 375_001, 500_002]);
  expect(image.layerBytes).toBe(1_000_003);
  expect(image.totalBytes).toBe(1_000_003 + image.config.size + image.manifest.size);
  for (const blob of [image.manifest, image.config, ...image.layers]) {
    const content = contentOf(blob);
    expect(content).toHaveLength(blob.size);
    expect(blob.digest).toBe(`sha256:${createHash('sha256').update(content).digest('hex')}`);
  }
});

test('the manifest names config and layers, the config names the layers', async () => {
  const image = await generateImage({ folder: fresh(), size: 100_000, weights: [1, 1] });
  const describe = ({ mediaType, digest, size }: StoredBlob) => ({ mediaType, digest, size });
  expect(JSON.parse(contentOf(image.manifest).toString())).toEqual({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: describe(image.config),
    layers: image.layers.map(describe),
  });
  expect(JSON.parse(contentOf(image.config).toString())).toMatchObject({
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: image.layers.map((layer) => layer.digest) },
  });
});

test('a layer is a tar archive that tar reads, and does not compress', async () => {
  const image = await generateImage({ folder: fresh(), size: 300_000, weights: [1] });
  const [layer] = image.layers;
  const file = (layer!.content as { file: string }).file;
  expect(execFileSync('tar', ['-tvf', file]).toString()).toMatch(/^-rw-r--r-- .* 297984 .* layer-1\.bin\n$/);
  expect(gzipSync(readFileSync(file)).length).toBeGreaterThan(297_984);
});

test('two images differ', async () => {
  const [one, two] = [
    await generateImage({ folder: fresh(), size: 20_000 }),
    await generateImage({ folder: fresh(), size: 20_000 }),
  ];
  expect(one.layers.map((layer) => layer.digest)).not.toEqual(two.layers.map((layer) => layer.digest));
});

test('a size without room for an archive is refused', async () => {
  await expect(generateImage({ folder: fresh(), size: 8 * 2048 - 1 })).rejects.toThrow(
    'A layer of 2047 bytes is too small: give at least 2048 bytes.',
  );
});
