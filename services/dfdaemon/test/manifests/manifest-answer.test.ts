import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobUnavailable } from '@cdk8s-dragonfly/engine';
import { digestOf } from '@cdk8s-dragonfly/protocol';
import { ManifestStore } from '../../src/index';
import { ask } from '../support/client';
import { FakeProvider } from '../support/fake-provider';
import { MirrorBench } from '../support/mirror-bench';
import type { BenchOptions } from '../support/mirror-bench';

const TYPE = 'application/vnd.oci.image.manifest.v1+json';
const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
const LAYER = Buffer.from('a layer');
const BLOB = digestOf(LAYER);
const IMAGE = Buffer.from(JSON.stringify({ mediaType: TYPE, layers: [{ digest: BLOB }] }));
const OTHER = Buffer.from(JSON.stringify({ mediaType: TYPE, layers: [{ digest: digestOf(Buffer.from('other')) }] }));
const INDEX = Buffer.from(
  JSON.stringify({ mediaType: INDEX_TYPE, manifests: [IMAGE, OTHER].map((body) => ({ digest: digestOf(body) })) }),
);
const at = (reference: string): string => `/v2/team/app/manifests/${reference}`;
const TAG = at('1');

/** A registry with one image behind an index; its faults can be changed while it runs. */
class Upstream {
  status = 200;
  tag = INDEX;
  /** What only this Authorization opens; undefined: it is public. */
  wanted: string | undefined;
  readonly listener: RequestListener = (request, response) => {
    const body = { [TAG]: this.tag, [at(digestOf(IMAGE))]: IMAGE, [at(digestOf(INDEX))]: INDEX }[request.url ?? ''];
    if (this.wanted !== undefined && request.headers.authorization !== this.wanted) response.writeHead(401).end();
    else if (this.status !== 200) response.writeHead(this.status, { 'Retry-After': '9' }).end('upset');
    else if (body === undefined) response.writeHead(404).end();
    else {
      const head = { 'Content-Type': body === INDEX ? INDEX_TYPE : TYPE, 'Docker-Content-Digest': digestOf(body) };
      response.writeHead(200, { ...head, 'Content-Length': body.length }).end(request.method === 'HEAD' ? '' : body);
    }
  };
}

let bench: MirrorBench | undefined;
let upstream: Upstream;
let provider: FakeProvider;
const homes: string[] = [];

async function start(options: BenchOptions = {}): Promise<MirrorBench> {
  bench = await MirrorBench.start(provider, upstream.listener, { authorization: 'origin', ...options });
  return bench;
}

beforeEach(() => {
  upstream = new Upstream();
  provider = new FakeProvider(() => ({ bytes: LAYER }));
});
afterEach(async () => {
  await bench?.stop();
  bench = undefined;
  for (const home of homes.splice(0)) rmSync(home, { recursive: true });
});

function home(): string {
  const folder = mkdtempSync(join(tmpdir(), 'manifests-'));
  homes.push(folder);
  return folder;
}

/** Index and image, as a runtime asks for them. */
async function pull({ port }: MirrorBench): Promise<void> {
  expect((await ask(port, TAG)).body.equals(INDEX)).toBe(true);
  expect((await ask(port, at(digestOf(IMAGE)))).body.equals(IMAGE)).toBe(true);
}

describe('when the registry cannot be reached', () => {
  test.each(['GET', 'HEAD'])('%s of a tag is answered with what was last seen, and says so', async (method) => {
    const { port, records } = await start();
    await pull(bench as MirrorBench);
    await bench?.stopRegistry();
    const answer = await ask(port, TAG, { method });
    expect([answer.status, answer.headers['warning']]).toEqual([200, '110 dfdaemon "Response is Stale"']);
    expect(answer.headers).toMatchObject({
      'content-type': INDEX_TYPE,
      'content-length': `${INDEX.length}`,
      'docker-content-digest': digestOf(INDEX),
    });
    expect(answer.body.equals(method === 'GET' ? INDEX : Buffer.alloc(0))).toBe(true);
    expect(records.at(-1)).toMatchObject({ manifest: 'stale', from: 'mirror' });
    // What a digest names is never stale, and the blob comes without a question.
    const image = await ask(port, at(digestOf(IMAGE)));
    expect([image.status, image.headers['warning'], image.body.equals(IMAGE)]).toEqual([200, undefined, true]);
    expect((await ask(port, `/v2/team/app/blobs/${BLOB}`)).body.equals(LAYER)).toBe(true);
  });

  test('also when the tag was asked for by HEAD alone, as docker and containerd do', async () => {
    const { port } = await start();
    expect((await ask(port, TAG, { method: 'HEAD' })).status).toBe(200);
    for (const body of [INDEX, IMAGE]) expect((await ask(port, at(digestOf(body)))).body.equals(body)).toBe(true);
    await bench?.stopRegistry();
    const answer = await ask(port, TAG, { method: 'HEAD' });
    expect([answer.status, answer.headers['docker-content-digest']]).toEqual([200, digestOf(INDEX)]);
    expect((await ask(port, at(digestOf(INDEX)))).body.equals(INDEX)).toBe(true);
  });

  test('with what it meant when it was pulled, if it has come to mean another image that nobody pulled', async () => {
    const { port } = await start();
    await pull(bench as MirrorBench);
    upstream.tag = Buffer.from(JSON.stringify({ mediaType: TYPE, layers: [] }));
    const moved = await ask(port, TAG, { method: 'HEAD' });
    expect(moved.headers['docker-content-digest']).toBe(digestOf(upstream.tag));
    await bench?.stopRegistry();
    const answer = await ask(port, TAG);
    expect([answer.status, answer.headers['warning']]).toEqual([200, '110 dfdaemon "Response is Stale"']);
    expect(answer.body.equals(INDEX)).toBe(true);
  });

  test('but not when a blob that it names is out of reach', async () => {
    const { port } = await start();
    await pull(bench as MirrorBench);
    await bench?.stopRegistry();
    provider.reach = () => false;
    expect((await ask(port, TAG)).status).toBe(502);
    expect((await ask(port, at(digestOf(IMAGE)))).status).toBe(502);
  });

  test('but not to a client that does not take its type', async () => {
    const { port } = await start();
    await pull(bench as MirrorBench);
    await bench?.stopRegistry();
    expect((await ask(port, TAG, { headers: { Accept: 'application/json, x/y' } })).status).toBe(502);
    expect((await ask(port, TAG, { headers: { Accept: `x/y;q=1, ${INDEX_TYPE}` } })).status).toBe(200);
  });

  test('but not under the policy strict', async () => {
    const { port } = await start({ policy: 'strict' });
    await pull(bench as MirrorBench);
    await bench?.stopRegistry();
    expect((await ask(port, TAG)).status).toBe(502);
  });

  test('also after a restart, when it is public', async () => {
    const folder = home();
    const before = await start({ home: folder });
    await pull(before);
    await before.stop();
    const registryPort = Number(before.registryHost.split(':')[1]);
    upstream.status = 503;
    const { port } = await start({ home: folder, registryPort });
    expect((await ask(port, TAG, { headers: { Authorization: 'Bearer x' } })).body.equals(INDEX)).toBe(true);
  });

  test('a private one is for those only whom the registry gave it', async () => {
    upstream.wanted = 'Bearer owner';
    const owner = { headers: { Authorization: 'Bearer owner' } };
    const { port } = await start();
    await ask(port, TAG, owner);
    await ask(port, at(digestOf(IMAGE)), owner);
    await bench?.stopRegistry();
    expect((await ask(port, TAG)).status).toBe(502);
    expect((await ask(port, TAG, { headers: { Authorization: 'Bearer thief' } })).status).toBe(502);
    expect((await ask(port, TAG, owner)).status).toBe(200);
  });

  test('the right to a private one ends with its time, however often it is used meanwhile', async () => {
    upstream.wanted = 'Bearer owner';
    const owner = { headers: { Authorization: 'Bearer owner' } };
    const one = await start();
    await ask(one.port, TAG, owner);
    await ask(one.port, at(digestOf(IMAGE)), owner);
    await one.stopRegistry();
    const statuses: number[] = [];
    for (let minute = 0; minute < 20; minute += 4) {
      statuses.push((await ask(one.port, TAG, owner)).status);
      one.now += 4 * 60_000;
    }
    expect(statuses).toEqual([200, 200, 200, 502, 502]);
  });

  test('what was public is given to nobody else when it is so no more', async () => {
    const one = await start();
    await pull(one);
    const owner = { headers: { Authorization: 'Bearer owner' } };
    upstream.wanted = 'Bearer owner';
    one.now += 11 * 60_000;
    // The daemon looks again, with nobody's credentials, at the next pull.
    await ask(one.port, TAG, owner);
    await ask(one.port, at(digestOf(IMAGE)), owner);
    const heads = (): number => one.asked.filter(({ method }) => method === 'HEAD').length;
    while (heads() === 0) await new Promise((resolve) => setImmediate(resolve));
    await one.stopRegistry();
    let answer = await ask(one.port, TAG);
    // Until what it was told has arrived.
    while (answer.status === 200) answer = await ask(one.port, TAG);
    expect(answer.status).toBe(502);
    expect((await ask(one.port, TAG, owner)).status).toBe(200);
  });

  test.each([
    [429, 502],
    [500, 500],
    [503, 503],
  ])('a tag that was never seen and status %i is %i', async (status, expected) => {
    upstream.status = status;
    const { port } = await start();
    const answer = await ask(port, TAG);
    expect([answer.status, answer.headers['retry-after']]).toEqual([expected, '9']);
    const said = JSON.stringify(answer.body.toString());
    expect(said).toContain(status === 429 ? 'answered with status 429, too many requests.' : 'upset');
  });

  test('an answer that says no is passed on, whatever was seen before', async () => {
    const { port } = await start();
    await pull(bench as MirrorBench);
    upstream.wanted = 'Bearer owner';
    expect((await ask(port, TAG)).status).toBe(401);
  });
});

describe('the policy ttl', () => {
  test('asks the registry once in its time', async () => {
    const { port, asked } = await start({ policy: 'ttl=5m' });
    await pull(bench as MirrorBench);
    const before = asked.length;
    upstream.tag = IMAGE;
    const kept = await ask(port, TAG);
    expect([kept.body.equals(INDEX), kept.headers['warning'], asked.length]).toEqual([true, undefined, before]);
    (bench as MirrorBench).now += 5 * 60_000;
    expect((await ask(port, TAG)).body.equals(IMAGE)).toBe(true);
    expect(asked).toHaveLength(before + 1);
  });

  test('asks the registry when the clock was set back', async () => {
    const { port, asked } = await start({ policy: 'ttl=5m' });
    await pull(bench as MirrorBench);
    const before = asked.length;
    upstream.tag = IMAGE;
    (bench as MirrorBench).now -= 60_000;
    expect((await ask(port, TAG)).body.equals(IMAGE)).toBe(true);
    expect(asked).toHaveLength(before + 1);
  });
});

describe('a manifest is refused with 502', () => {
  test('when its bytes are not those of its digest', async () => {
    upstream.tag = OTHER;
    const { port } = await start();
    const lying: RequestListener = (_request, response) => response.end(OTHER);
    await bench?.stop();
    bench = await MirrorBench.start(provider, lying);
    const answer = await ask(bench.port, at(digestOf(IMAGE)));
    expect(port).not.toBe(0);
    expect(answer.status).toBe(502);
    expect(answer.body.toString()).toContain(
      `sent a manifest with the digest ${digestOf(OTHER)} for ${digestOf(IMAGE)}`,
    );
  });

  test('while a blob that it names cannot be had, so that podman goes elsewhere at once', async () => {
    provider = new FakeProvider(() => ({
      bytes: LAYER,
      failAt: 3,
      error: new BlobUnavailable('digest-mismatch', 'no'),
    }));
    const { port } = await start({ authorization: 'none' });
    expect((await ask(port, at(digestOf(IMAGE)))).status).toBe(200);
    // The connection is cut, and the client sees as much of it as had left.
    await ask(port, `/v2/team/app/blobs/${BLOB}`).catch(() => undefined);
    await bench?.record(1);
    for (const method of ['GET', 'HEAD']) {
      const answer = await ask(port, at(digestOf(IMAGE)), { method });
      expect(answer.status).toBe(502);
    }
    const answer = await ask(port, at(digestOf(IMAGE)));
    expect(answer.body.toString()).toContain(`Its blob ${BLOB} cannot be had here at the moment: no`);
  });
});

describe('the store of manifests', () => {
  const log = { warn: jest.fn() };
  const manifest = { digest: digestOf(IMAGE), mediaType: TYPE, body: IMAGE };

  test('keeps to its size, and forgets what was not used for the longest time', async () => {
    const folder = home();
    const store = await ManifestStore.open(folder, log, { bytes: IMAGE.length + INDEX.length });
    const index = { digest: digestOf(INDEX), mediaType: INDEX_TYPE, body: INDEX };
    store.keep(manifest);
    store.keep(index);
    expect(await store.find(manifest.digest)).toEqual(manifest);
    store.keep({ digest: digestOf(OTHER), mediaType: TYPE, body: OTHER });
    await store.stop();
    expect(await store.find(index.digest)).toBeUndefined();
    expect(readdirSync(join(folder, 'manifests')).sort()).toEqual(
      [manifest.digest, digestOf(OTHER)].map((digest) => digest.slice('sha256:'.length)).sort(),
    );
  });

  test('forgets what is damaged or half written, and takes up the rest', async () => {
    const folder = home();
    const first = await ManifestStore.open(folder, log);
    const tag = { upstream: new URL('https://r.example'), name: 'a', tag: '1' };
    first.keep(manifest);
    first.see(tag, { digest: manifest.digest, seenAt: 7, isPublic: true });
    first.keep({ digest: digestOf(OTHER), mediaType: TYPE, body: OTHER });
    await first.stop();
    const file = (name: string): string => join(folder, 'manifests', name);
    writeFileSync(file(digestOf(OTHER).slice('sha256:'.length)), '{"mediaType":"x"}\nwrong');
    writeFileSync(file('9.half'), 'half');
    writeFileSync(file(`${'0'.repeat(64)}.tag`), '{"digest":"sha256:../../x"');
    const second = await ManifestStore.open(folder, log);
    expect(await second.find(manifest.digest)).toEqual(manifest);
    expect(second.tag(tag)).toEqual({ digest: manifest.digest, seenAt: 7, isPublic: true });
    expect(await second.find(digestOf(OTHER))).toBeUndefined();
    expect(readdirSync(join(folder, 'manifests'))).not.toContain('9.half');
    expect(readdirSync(join(folder, 'manifests'))).not.toContain(`${'0'.repeat(64)}.tag`);
  });

  test('gives what it has while the disk hangs, and lets no more than so much wait for it', async () => {
    const folder = home();
    const store = await ManifestStore.open(folder, log);
    const written = { digest: digestOf(OTHER), mediaType: TYPE, body: OTHER };
    store.keep(written);
    await store.stop();
    // Whoever opens it to write waits for a reader.
    const stuck = join(folder, 'manifests', '2.half');
    execFileSync('mkfifo', [stuck]);
    store.keep(manifest);
    expect(await store.find(manifest.digest)).toEqual(manifest);
    expect(await store.find(written.digest)).toEqual(written);
    const more = Array.from({ length: 256 }, (_, index) => Buffer.from(`{"index":${index}}`));
    for (const body of more) store.keep({ digest: digestOf(body), mediaType: TYPE, body });
    expect(more.filter((body) => store.has(digestOf(body)))).toHaveLength(255);
    expect(await readFile(stuck, 'utf8')).toContain(TYPE);
    await store.stop();
    expect(readdirSync(join(folder, 'manifests'))).toHaveLength(257);
  });
});
