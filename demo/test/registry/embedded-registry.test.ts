import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import type { GeneratedImage, RegistryRequest, StoredBlob } from '@cdk8s-dragonfly/demo';
import { EmbeddedRegistry, generateImage } from '@cdk8s-dragonfly/demo';
import { temporaryFolder } from '../temporary-folder';

const folder = temporaryFolder();
let image: GeneratedImage;
let registry: EmbeddedRegistry;
const answered: RegistryRequest[] = [];

beforeAll(async () => {
  image = await generateImage({ folder: folder.path, size: 4_000_000 });
});

beforeEach(async () => {
  answered.length = 0;
  registry = await EmbeddedRegistry.start({ onRequest: (record) => answered.push(record) });
  registry.add('demo/app', 'v1', image);
});

afterEach(async () => {
  await registry.stop();
});

const url = (path: string) => `${registry.url}/v2/${path}`;
const fileOf = (blob: StoredBlob) => readFileSync((blob.content as { file: string }).file);

test('the ping answers 200 and names the protocol', async () => {
  const response = await fetch(url(''));
  expect(response.status).toBe(200);
  expect(response.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
});

test.each(['v1', 'digest'])('a manifest is given by %s, to HEAD and GET with the same head', async (reference) => {
  const path = url(`demo/app/manifests/${reference === 'digest' ? image.manifest.digest : reference}`);
  const heads = [];
  for (const method of ['HEAD', 'GET']) {
    const response = await fetch(path, { method });
    expect(await response.text()).toBe(method === 'GET' ? image.manifest.content.bytes.toString() : '');
    heads.push(
      ['content-type', 'content-length', 'docker-content-digest', 'etag'].map((name) => response.headers.get(name)),
    );
  }
  const { mediaType, size, digest } = image.manifest;
  expect(heads).toEqual(Array(2).fill([mediaType, `${size}`, digest, `"${digest}"`]));
});

test('tags are listed', async () => {
  expect(await (await fetch(url('demo/app/tags/list'))).json()).toEqual({ name: 'demo/app', tags: ['v1'] });
});

test('blobs are given whole, and every GET and every byte is counted', async () => {
  const [layer] = image.layers;
  for (const blob of [layer!, layer!, image.config]) {
    const response = await fetch(url(`demo/app/blobs/${blob.digest}`));
    const expected = 'file' in blob.content ? fileOf(blob) : blob.content.bytes;
    expect(Buffer.from(await response.arrayBuffer()).equals(expected)).toBe(true);
  }
  await fetch(url(`demo/app/blobs/${layer!.digest}`), { method: 'HEAD' });
  expect(registry.traffic.blob(layer!.digest)).toEqual({ gets: 2, bytes: 2 * layer!.size });
  expect(registry.traffic.blob(image.config.digest)).toEqual({ gets: 1, bytes: image.config.size });
  expect(registry.traffic.blob(image.layers[1]!.digest)).toEqual({ gets: 0, bytes: 0 });
  expect(registry.traffic.bytes).toBe(2 * layer!.size + image.config.size);
});

test('a range is answered 206 with these bytes and counts only them', async () => {
  const [layer] = image.layers;
  const response = await fetch(url(`demo/app/blobs/${layer!.digest}`), { headers: { range: 'bytes=1000-1999' } });
  expect(response.status).toBe(206);
  expect(response.headers.get('content-range')).toBe(`bytes 1000-1999/${layer!.size}`);
  expect(Buffer.from(await response.arrayBuffer()).equals(fileOf(layer!).subarray(1000, 2000))).toBe(true);
  expect(registry.traffic.blob(layer!.digest)).toEqual({ gets: 1, bytes: 1000 });
});

test('a range behind the end is answered 416 with the length', async () => {
  const response = await fetch(url(`demo/app/blobs/${image.config.digest}`), { headers: { range: 'bytes=999999-' } });
  expect(response.status).toBe(416);
  expect(response.headers.get('content-range')).toBe(`bytes */${image.config.size}`);
  expect(registry.traffic.blob(image.config.digest)).toEqual({ gets: 0, bytes: 0 });
});

test.each([
  ['GET', 'other/app/manifests/v1', 404, 'NAME_UNKNOWN'],
  ['GET', 'demo/app/manifests/v2', 404, 'MANIFEST_UNKNOWN'],
  ['GET', `demo/app/blobs/sha256:${'0'.repeat(64)}`, 404, 'BLOB_UNKNOWN'],
  ['GET', 'demo/app/blobs/../../etc/passwd', 404, 'UNSUPPORTED'],
  ['POST', 'demo/app/blobs/uploads/', 405, 'UNSUPPORTED'],
])('%s %s is answered %i %s', async (method, path, status, code) => {
  const response = await fetch(url(path), { method });
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ errors: [{ code }] });
});

test('a client that leaves early is counted with no more than the whole, and others are still served', async () => {
  const layer = image.layers[2]!;
  const client = request(url(`demo/app/blobs/${layer.digest}`)).end();
  const [response] = (await once(client, 'response')) as [NodeJS.ReadableStream];
  await once(response, 'readable');
  response.on('error', () => undefined);
  client.destroy();
  const { bytes } = await new Promise<RegistryRequest>((resolve) => {
    const poll = setInterval(() => {
      const [record] = answered;
      if (!record) return;
      clearInterval(poll);
      resolve(record);
    }, 5);
  });
  expect(bytes).toBeGreaterThan(0);
  expect(bytes).toBeLessThan(layer.size);
  expect(registry.traffic.blob(layer.digest)).toEqual({ gets: 1, bytes });
  expect((await fetch(url(`demo/app/blobs/${layer.digest}`))).status).toBe(200);
});

test('a port in use is said in one sentence', async () => {
  const port = Number(new URL(registry.url).port);
  await expect(EmbeddedRegistry.start({ port })).rejects.toThrow(
    `The registry cannot listen on 127.0.0.1:${port}: the port is in use; give another.`,
  );
});

test('stop ends open connections and can be called twice', async () => {
  const ping = url('');
  const client = connect(Number(new URL(registry.url).port), '127.0.0.1');
  await once(client, 'connect');
  const closed = once(client, 'close');
  await registry.stop();
  await closed;
  await registry.stop();
  await expect(fetch(ping)).rejects.toThrow('fetch failed');
});
