import { once } from 'node:events';
import type { RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { GeneratedImage } from '@cdk8s-dragonfly/demo';
import { EmbeddedRegistry, generateImage, PullError, pullImage } from '@cdk8s-dragonfly/demo';
import { temporaryFolder } from '../temporary-folder';

const folder = temporaryFolder();
let image: GeneratedImage;
let registry: EmbeddedRegistry;
let proxy: Server | undefined;

beforeAll(async () => {
  image = await generateImage({ folder: folder.path, size: 2_000_000 });
  registry = await EmbeddedRegistry.start();
  registry.add('demo/app', 'v1', image);
});

afterEach(async () => {
  if (!proxy) return;
  const closed = once(proxy, 'close');
  proxy.close();
  proxy.closeAllConnections();
  await closed;
  proxy = undefined;
});

afterAll(async () => {
  await registry.stop();
});

/** A mirror of the registry that answers some paths in its own way. */
async function mirrorWith(fault: (path: string) => RequestListener | undefined): Promise<string> {
  proxy = createServer((request, response) => {
    const own = fault(request.url ?? '');
    if (own) {
      own(request, response);
      return;
    }
    void fetch(registry.url + (request.url ?? '')).then(async (upstream) => {
      const digest = upstream.headers.get('docker-content-digest');
      if (digest !== null) response.setHeader('docker-content-digest', digest);
      response.end(Buffer.from(await upstream.arrayBuffer()));
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

const pull = (mirror: string, extra: { stallTimeoutMs?: number; onProgress?: (bytes: number) => void } = {}) =>
  pullImage({ mirror, name: 'demo/app', tag: 'v1', signal: new AbortController().signal, ...extra });

test('every blob comes once, with progress up to the last byte', async () => {
  const progress: number[] = [];
  const pulled = await pull(registry.url, { onProgress: (bytes) => progress.push(bytes) });
  expect(pulled).toMatchObject({
    manifestDigest: image.manifest.digest,
    blobDigests: [image.config, ...image.layers].map((blob) => blob.digest),
    bytes: image.totalBytes,
  });
  expect(progress.at(-1)).toBe(image.totalBytes - image.manifest.size);
  expect(progress).toEqual([...progress].sort((left, right) => left - right));
  for (const blob of [image.config, ...image.layers]) {
    expect(registry.traffic.blob(blob.digest)).toEqual({ gets: 1, bytes: blob.size });
  }
});

test('a wrong byte is found', async () => {
  const layer = image.layers[0]!;
  const mirror = await mirrorWith((path) =>
    path.endsWith(layer.digest) ? (_request, response) => response.end(Buffer.alloc(layer.size)) : undefined,
  );
  await expect(pull(mirror)).rejects.toThrow(
    /^GET http:\S+\/v2\/demo\/app\/blobs\/sha256:\w+: the bytes have the digest sha256:\w{64}$/,
  );
});

test('a manifest with another digest than its header says is refused', async () => {
  const mirror = await mirrorWith((path) =>
    path.includes('/manifests/')
      ? (_request, response) => response.setHeader('docker-content-digest', image.manifest.digest).end('{}')
      : undefined,
  );
  await expect(pull(mirror)).rejects.toThrow('/v2/demo/app/manifests/v1: the bytes have the digest sha256:44136fa3');
});

test('a blob that ends early is told by its length', async () => {
  const layer = image.layers[1]!;
  const mirror = await mirrorWith((path) =>
    path.endsWith(layer.digest) ? (_request, response) => response.end('x') : undefined,
  );
  await expect(pull(mirror)).rejects.toThrow(`: 1 bytes came, the manifest says ${layer.size}`);
});

test('a status other than 200 is passed on with its message', async () => {
  const mirror = await mirrorWith((path) =>
    path.endsWith(image.config.digest)
      ? (_request, response) => response.writeHead(502).end('the origin is unreachable')
      : undefined,
  );
  await expect(pull(mirror)).rejects.toThrow(`${image.config.digest}: status 502 the origin is unreachable`);
});

test.each([
  ['before the answer', () => undefined],
  ['in the middle', (response: { write(text: string): unknown }) => response.write('x')],
])('a mirror that stands still %s is given up', async (_when, act) => {
  const mirror = await mirrorWith((path) =>
    path.endsWith(image.config.digest) ? (_request, response) => void act(response) : undefined,
  );
  await expect(pull(mirror, { stallTimeoutMs: 200 })).rejects.toThrow('nothing came for 200 ms');
});

test('a mirror that nobody listens on is named', async () => {
  const port = Number(new URL(await mirrorWith(() => undefined)).port);
  proxy?.close();
  proxy = undefined;
  const error = await pull(`http://127.0.0.1:${port}`).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(PullError);
  expect((error as PullError).message).toBe(
    `GET http://127.0.0.1:${port}/v2/demo/app/manifests/v1: connect ECONNREFUSED 127.0.0.1:${port}`,
  );
});
