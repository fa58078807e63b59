import type { RequestListener } from 'node:http';
import { gzipSync } from 'node:zlib';

import { digestOf } from '@cdk8s-dragonfly/protocol';

import { BlobRights, REMEMBERED_FOR, decodedManifest, namesIn } from '../../src/index';
import { ask, say } from '../support/client';
import { FakeProvider } from '../support/fake-provider';
import { MirrorBench } from '../support/mirror-bench';

const BYTES = Buffer.from('a private layer');
const DIGEST = digestOf(BYTES);
const OTHER = digestOf(Buffer.from('another'));
const BLOB = `/v2/team/app/blobs/${DIGEST}`;
const MANIFEST = '/v2/team/app/manifests/latest';
const OWNER = { authorization: 'Bearer owner' };
const manifest = Buffer.from(JSON.stringify({ config: { digest: OTHER }, layers: [{ digest: DIGEST }] }));

/** A registry of which only the owner may have anything. */
const guarded: RequestListener = (request, response) => {
  if (request.headers.authorization !== OWNER.authorization) {
    response.writeHead(401, { 'www-authenticate': 'Bearer realm="https://auth.example/token"' }).end('denied');
  } else if (request.url === MANIFEST) {
    response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }).end(manifest);
  } else {
    response.writeHead(200, { 'content-length': BYTES.length }).end(request.method === 'HEAD' ? undefined : BYTES);
  }
};

describe('a private blob that is on the node', () => {
  let bench: MirrorBench;
  const start = async (registry = guarded): Promise<void> => {
    // The provider has the bytes, as after another client's pull.
    const provider = new FakeProvider(() => ({ bytes: BYTES }));
    bench = await MirrorBench.start(provider, registry, { authorization: 'origin' });
  };
  afterEach(() => bench.stop());

  test("is not given without credentials: the registry's own challenge comes", async () => {
    await start();
    const answer = await ask(bench.port, BLOB);
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="https://auth.example/token"');
    expect(answer.body.toString()).toBe('denied');
    expect((await ask(bench.port, BLOB, { headers: { authorization: 'Bearer thief' } })).status).toBe(401);
  });

  test('is given to whom the registry gave the manifest that names it, without another question', async () => {
    await start();
    expect((await ask(bench.port, MANIFEST, { headers: OWNER })).body.equals(manifest)).toBe(true);
    const answer = await ask(bench.port, BLOB, { headers: OWNER });
    expect([answer.status, answer.body.toString()]).toEqual([200, 'a private layer']);
    // By HEAD the daemon looks, without the owner's credentials, whether all may see it.
    const asked = bench.asked.map(
      ({ method, url, rawHeaders }) => `${method} ${url} ${rawHeaders.includes('Bearer owner')}`,
    );
    expect(asked).toEqual([`GET ${MANIFEST} true`, `HEAD ${MANIFEST} false`]);
    expect((await ask(bench.port, BLOB)).status).toBe(401);
  });

  test('is given to whom the registry would give it, which is asked once by HEAD', async () => {
    await start();
    for (let times = 0; times < 2; times += 1) {
      const answer = await ask(bench.port, BLOB, { headers: { ...OWNER, range: 'bytes=2-' } });
      expect([answer.status, answer.body.toString()]).toEqual([206, 'private layer']);
    }
    expect(bench.asked.map(({ method, url }) => `${method} ${url}`)).toEqual([`HEAD ${BLOB}`]);
  });

  test('is not given under the name of a repository that one may read', async () => {
    await start((request, response) => {
      if (request.url?.startsWith('/v2/mine/') === true && request.method === 'HEAD') response.writeHead(404).end();
      else if (request.url?.startsWith('/v2/mine/') === true) response.writeHead(200).end(manifest);
      else guarded(request, response);
    });
    await ask(bench.port, '/v2/mine/app/manifests/latest');
    expect((await ask(bench.port, BLOB)).status).toBe(401);
  });

  test('is given in an outage to those only who are remembered', async () => {
    await start();
    await ask(bench.port, MANIFEST, { headers: OWNER });
    await bench.stopRegistry();
    expect((await ask(bench.port, BLOB, { headers: OWNER })).status).toBe(200);
    expect((await ask(bench.port, BLOB)).status).toBe(502);
  });

  test('is given to nobody else while it arrives for its owner', async () => {
    const provider = new FakeProvider(() => ({ bytes: BYTES, chunk: 4, hangAt: 8 }));
    bench = await MirrorBench.start(provider, guarded, { authorization: 'origin' });
    const socket = await say(
      bench.port,
      `GET ${BLOB} HTTP/1.1\r\nHost: x\r\nAuthorization: ${OWNER.authorization}\r\n\r\n`,
    );
    await provider.until(({ taken }) => taken === 8);
    expect((await ask(bench.port, BLOB)).status).toBe(401);
    expect(
      (await ask(bench.port, BLOB, { headers: { authorization: 'Bearer thief', range: 'bytes=0-3' } })).status,
    ).toBe(401);
    expect(provider.requests).toHaveLength(1);
    const again = await say(
      bench.port,
      `GET ${BLOB} HTTP/1.1\r\nHost: x\r\nAuthorization: ${OWNER.authorization}\r\n\r\n`,
    );
    await provider.until(({ taken }) => taken === 16);
    socket.destroy();
    again.destroy();
    await provider.until(({ released }) => released === 2);
  });

  test('that is public is given to everybody once the registry gave it to anybody', async () => {
    await start((_request, response) => response.writeHead(200, { 'content-length': 0 }).end());
    expect((await ask(bench.port, BLOB)).status).toBe(200);
    expect((await ask(bench.port, BLOB, { headers: { authorization: 'Bearer x' } })).status).toBe(200);
    expect(bench.asked).toHaveLength(1);
  });
});

describe('rights', () => {
  const claim = { upstream: new URL('https://r.example'), name: 'a/b', authorization: 'Basic x' };

  test('end after ten minutes', () => {
    let now = 1000;
    const rights = new BlobRights(() => now);
    rights.grant(claim, [DIGEST]);
    now += REMEMBERED_FOR - 1;
    expect(rights.has(claim, DIGEST)).toBe(true);
    now += 2;
    expect(rights.has(claim, DIGEST)).toBe(false);
  });

  test('are of one client, one registry, one repository and one blob', () => {
    const rights = new BlobRights();
    rights.grant(claim, [DIGEST]);
    expect(rights.has(claim, OTHER)).toBe(false);
    expect(rights.has({ ...claim, name: 'a/c' }, DIGEST)).toBe(false);
    expect(rights.has({ ...claim, upstream: new URL('https://s.example') }, DIGEST)).toBe(false);
    expect(rights.has({ ...claim, authorization: undefined }, DIGEST)).toBe(false);
  });
});

describe('the blobs that a manifest names', () => {
  test('are not its foreign layers, and those of an index are manifests', () => {
    const foreign = { digest: OTHER, urls: ['https://elsewhere.example/layer'] };
    expect(namesIn(Buffer.from(JSON.stringify({ layers: [{ digest: DIGEST }, foreign] })))).toEqual({
      blobs: [DIGEST],
      manifests: [],
    });
    expect(namesIn(Buffer.from(JSON.stringify({ manifests: [{ digest: DIGEST }] }))).manifests).toEqual([DIGEST]);
  });

  test.each([
    ['an image', manifest, undefined, [OTHER, DIGEST]],
    ['an image, compressed', gzipSync(manifest), 'gzip', [OTHER, DIGEST]],
    [
      'schema 1',
      Buffer.from(JSON.stringify({ fsLayers: [{ blobSum: DIGEST }, { blobSum: DIGEST }] })),
      undefined,
      [DIGEST],
    ],
    ['an index', Buffer.from(JSON.stringify({ manifests: [{ digest: DIGEST }] })), undefined, []],
    ['a false digest', Buffer.from(JSON.stringify({ layers: [{ digest: 'sha256:../x' }, null, 7] })), undefined, []],
    ['no manifest', Buffer.from('nonsense'), undefined, []],
    ['another encoding', manifest, 'zstd', []],
    ['no gzip after all', manifest, 'gzip', []],
    ['a bomb', gzipSync(Buffer.alloc(5 * 1024 * 1024)), 'gzip', []],
  ])('of %s', (_what, body, encoding, digests) => {
    const decoded = decodedManifest(body, encoding);
    expect(decoded === undefined ? [] : namesIn(decoded).blobs).toEqual(digests);
  });
});
