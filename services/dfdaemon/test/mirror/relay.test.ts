import { createHash } from 'node:crypto';
import { Agent } from 'node:http';
import type { RequestListener } from 'node:http';
import { BlobUnavailable } from '@cdk8s-dragonfly/engine';
import { digestOf } from '@cdk8s-dragonfly/protocol';
import { ask, hear, say } from '../support/client';
import { FakeProvider } from '../support/fake-provider';
import { MirrorBench } from '../support/mirror-bench';

const BYTES = Buffer.from('a layer');
const DIGEST = digestOf(BYTES);
const BLOB = `/v2/library/thing/blobs/${DIGEST}`;
const MANIFEST = '/v2/library/thing/manifests/latest';

let bench: MirrorBench | undefined;

async function before(
  registry: RequestListener,
  provider = new FakeProvider(() => new Error('not expected')),
  options?: Parameters<typeof MirrorBench.start>[2],
): Promise<MirrorBench> {
  bench = await MirrorBench.start(provider, registry, options);
  return bench;
}

afterEach(async () => {
  await bench?.stop();
  bench = undefined;
});

describe('a manifest', () => {
  const HEAD = {
    'Content-Type': 'application/vnd.oci.image.index.v1+json',
    'Content-Length': '4711',
    'Docker-Content-Digest': DIGEST,
    Etag: `"${DIGEST}"`,
  };

  test('of HEAD has the headers of the registry', async () => {
    const { port, asked } = await before((_, response) => response.writeHead(200, HEAD).end());
    const answer = await ask(port, MANIFEST, { method: 'HEAD' });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject(
      Object.fromEntries(Object.entries(HEAD).map(([k, v]) => [k.toLowerCase(), v])),
    );
    expect(answer.rawHeaders).toContain('Docker-Content-Digest');
    expect(asked).toMatchObject([{ method: 'HEAD', url: MANIFEST }]);
  });

  test('comes with the very bytes, encoded as the registry sent them', async () => {
    const body = Buffer.from([0x1f, 0x8b, 1, 2, 3]);
    const { port } = await before((_, response) =>
      response.writeHead(200, { 'Content-Encoding': 'gzip', 'Set-Cookie': ['a=1', 'b=2'] }).end(body),
    );
    const answer = await ask(port, MANIFEST, { headers: { 'Accept-Encoding': 'gzip' } });
    expect(answer.headers['content-encoding']).toBe('gzip');
    expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(answer.body).toEqual(body);
    expect(answer.complete).toBe(true);
  });

  test("is asked with the client's own lines, without ns, under the registry's name", async () => {
    const { port, asked, registryHost } = await before((_, response) => response.end());
    const lines = ['Accept: a/b', 'Accept: c/d', 'authorization: Bearer abc', 'User-Agent: docker/28', 'X-Hop: 1'];
    const head = `GET ${MANIFEST}?ns=${encodeURIComponent(registryHost)}&x=%2F HTTP/1.1\r\nHost: me\r\n${lines.join('\r\n')}`;
    await hear(await say(port, `${head}\r\nConnection: close, x-hop\r\n\r\n`));
    expect(asked[0]?.url).toBe(`${MANIFEST}?x=%2F`);
    const { rawHeaders = [] } = asked[0] ?? {};
    const sent = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}`] : []));
    expect(sent).toEqual(expect.arrayContaining(lines.slice(0, 4)));
    expect(sent).not.toContain('X-Hop: 1');
    expect(sent.filter((line) => /^host:/i.test(line))).toEqual([expect.stringContaining(registryHost)]);
  });

  test('that the registry breaks off is refused before its first byte', async () => {
    const { port } = await before((_, response) => {
      response.writeHead(200, { 'Content-Length': '100' });
      response.write('half', () => response.destroy());
    });
    const answer = await ask(port, MANIFEST);
    expect([answer.status, answer.complete]).toEqual([502, true]);
    expect(answer.body.toString()).toContain('broke off');
  });
});

describe("the registry's own answer", () => {
  test.each([
    [401, { 'WWW-Authenticate': 'Bearer realm="https://auth.example/token",service="x",scope="y"' }],
    [404, { 'Content-Type': 'application/json' }],
    [307, { Location: 'https://storage.example/layer?sig=a%2Fb' }],
  ])('%i is passed on', async (status, headers) => {
    const { port, records } = await before((_, response) => response.writeHead(status, headers).end('{"errors":[]}'));
    const answer = await ask(port, '/v2/');
    expect(answer.status).toBe(status);
    for (const [name, value] of Object.entries(headers))
      expect(answer.rawHeaders).toEqual(expect.arrayContaining([name, value]));
    expect(answer.body.toString()).toBe('{"errors":[]}');
    expect(records).toMatchObject([{ kind: 'ping', from: 'registry', status }]);
  });

  test.each(['/', '/token?service=a%2Fb', '/v2/_catalog', `/v2/x/referrers/${DIGEST}`, '/v2/x/tags/list?n=1&last=a'])(
    'is that to %s',
    async (path) => {
      const { port, asked } = await before((_, response) => response.end('here'));
      expect((await ask(port, path)).body.toString()).toBe('here');
      expect(asked.map(({ url }) => url)).toEqual([path]);
    },
  );

  test('is that to HEAD of a blob, and to blobs of other algorithms', async () => {
    const sha512 = `/v2/x/blobs/sha512:${createHash('sha512').update(BYTES).digest('hex')}`;
    const { port, asked } = await before((_, response) =>
      response.writeHead(200, { 'Content-Length': '7' }).end(BYTES),
    );
    const head = await ask(port, BLOB, { method: 'HEAD' });
    const other = await ask(port, sha512);
    expect([head.status, head.headers['content-length'], other.body]).toEqual([200, '7', BYTES]);
    expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual([`HEAD ${BLOB}`, `GET ${sha512}`]);
  });
});

describe('/v2/ in an outage of the registry', () => {
  const version = 'docker-distribution-api-version';

  test('is answered by the mirror, so that podman asks for what the swarm has', async () => {
    const { port, records } = await before((_, response) => response.end());
    await bench?.stopRegistry();
    const answer = await ask(port, '/v2/');
    expect([answer.status, answer.headers[version], answer.body.toString()]).toEqual([200, 'registry/2.0', '{}']);
    expect(records).toMatchObject([{ kind: 'ping', from: 'mirror', status: 200 }]);
  });

  test.each([429, 503])('is answered by the mirror instead of %i', async (status) => {
    const { port } = await before((_, response) => response.writeHead(status, { 'Retry-After': '9' }).end('upset'));
    expect((await ask(port, '/v2/')).status).toBe(200);
    // Anything else is the registry's own answer.
    expect((await ask(port, '/v2/_catalog')).status).toBe(status === 429 ? 502 : status);
  });

  test('asks for a password where the registry did, and takes any: what is kept opens to those only that it knows', async () => {
    const challenge = 'Basic realm="x"';
    const { port } = await before((_, response) => response.writeHead(401, { 'WWW-Authenticate': challenge }).end());
    await ask(port, '/v2/');
    await bench?.stopRegistry();
    const first = await ask(port, '/v2/');
    expect([first.status, first.headers['www-authenticate']]).toEqual([401, challenge]);
    expect((await ask(port, '/v2/', { headers: { Authorization: 'Basic eDp5' } })).status).toBe(200);
  });

  test('wants no token, which could not be fetched and would open nothing', async () => {
    const { port } = await before((_, response) =>
      response.writeHead(401, { 'WWW-Authenticate': 'Bearer realm="https://auth.example/token"' }).end(),
    );
    expect((await ask(port, '/v2/')).status).toBe(401);
    await bench?.stopRegistry();
    expect((await ask(port, '/v2/')).status).toBe(200);
  });

  test('is the failure itself under the policy strict', async () => {
    const { port } = await before((_, response) => response.end(), undefined, { policy: 'strict' });
    await bench?.stopRegistry();
    expect((await ask(port, '/v2/')).status).toBe(502);
  });
});

describe('a blob that the swarm does not give', () => {
  const unavailable = (): FakeProvider =>
    new FakeProvider(() => new BlobUnavailable('origin-status', 'Origin x:5000 answered with status 401.', 401));

  test("gets the registry's challenge, on a connection that stays usable", async () => {
    const provider = unavailable();
    const { port, asked, records } = await before(({ url }, response) => {
      response.writeHead(url === BLOB ? 401 : 200, { 'WWW-Authenticate': 'Basic realm="x"' }).end();
    }, provider);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const answer = await ask(port, BLOB, { agent, headers: { Range: 'bytes=3-' } });
    const next = await ask(port, '/v2/', { agent });
    agent.destroy();
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Basic realm="x"']);
    expect(next.status).toBe(200);
    expect(asked[0]?.rawHeaders).toEqual(expect.arrayContaining(['Range', 'bytes=3-']));
    expect(records[0]).toMatchObject({
      digest: DIGEST,
      from: 'registry',
      status: 401,
      passedOnBecause: 'Origin x:5000 answered with status 401.',
      error: undefined,
    });
  });

  test.each([
    ['does not open', new FakeProvider(() => new Error('disk on fire')), 0],
    ['fails at its first byte', new FakeProvider(() => ({ bytes: BYTES, failAt: 0 })), 1],
  ])('because it %s comes from the registry', async (_, provider, released) => {
    const { port } = await before((_request, response) => response.end(BYTES), provider);
    const answer = await ask(port, BLOB);
    expect([answer.status, answer.body]).toEqual([200, BYTES]);
    expect(provider.released).toBe(released);
  });

  test('is 502 with the cause when the registry does not answer either, and the connection stays usable', async () => {
    const mirror = await before((_, response) => response.end(), unavailable());
    await mirror.stopRegistry();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const answer = await ask(mirror.port, BLOB, { agent });
    const next = await ask(mirror.port, BLOB, { agent, method: 'DELETE' });
    agent.destroy();
    expect([answer.status, answer.headers['content-type'], next.status]).toEqual([502, 'application/json', 405]);
    const body = JSON.parse(answer.body.toString()) as unknown;
    expect(body).toEqual({
      errors: [{ code: 'UNAVAILABLE', message: expect.stringContaining(mirror.registryHost) as string }],
    });
    expect(await mirror.record()).toMatchObject({
      status: 502,
      error: expect.stringContaining(mirror.registryHost) as string,
    });
  });

  test('and a registry that is silent end in a closed connection, not in a wait', async () => {
    const mirror = await before(() => undefined, unavailable(), { patience: { source: 100, client: 100 } });
    await expect(ask(mirror.port, BLOB)).rejects.toThrow('socket hang up');
    expect((await mirror.record()).error).toBe('the registry did not answer for 0.1 s');
  });
});

describe('ns', () => {
  test('of another name of the registry goes to it', async () => {
    const { port, asked } = await before((_, response) => response.end(), undefined, {
      registries: ['ghcr.io=http://REGISTRY'],
    });
    expect((await ask(port, `${MANIFEST}?ns=ghcr.io`)).status).toBe(200);
    expect(asked.map(({ url }) => url)).toEqual([MANIFEST]);
  });

  test.each([MANIFEST, BLOB, '/v2/'])(
    'that is unknown makes %s 404 at once, so that the client asks elsewhere',
    async (path) => {
      const provider = new FakeProvider(() => ({ bytes: BYTES }));
      const { port, asked } = await before((_, response) => response.end(), provider);
      const answer = await ask(port, `${path}?ns=quay.io`);
      expect(answer.status).toBe(404);
      expect(JSON.parse(answer.body.toString())).toEqual({
        errors: [{ code: 'NAME_UNKNOWN', message: 'this mirror does not serve the registry "quay.io"' }],
      });
      expect([asked, provider.requests]).toEqual([[], []]);
    },
  );
});

describe('what the mirror answers itself', () => {
  test('a push is 405', async () => {
    const { port, asked } = await before((_, response) => response.end());
    const answer = await ask(port, '/v2/x/blobs/uploads/', { method: 'POST', headers: { 'Content-Length': '0' } });
    expect([answer.status, answer.headers.allow, answer.headers['content-type']]).toEqual([
      405,
      'GET, HEAD',
      'application/json',
    ]);
    expect(JSON.parse(answer.body.toString())).toEqual({
      errors: [
        { code: 'UNSUPPORTED', message: 'this mirror only reads: POST is not supported; push to the registry itself' },
      ],
    });
    expect(asked).toEqual([]);
  });

  test.each([
    ['/v2/../../etc/passwd', 400],
    ['/v2/x%2Fy/manifests/z', 400],
    ['http://evil.example/v2/', 400],

    ['/debug/pprof/', 404],
  ])('%s is %i', async (target, status) => {
    const { port, asked } = await before((_, response) => response.end());
    const heard = await hear(await say(port, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`));
    expect(heard).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(asked).toEqual([]);
  });

  test('what is no HTTP is answered by 400 and closed', async () => {
    const { port } = await before((_, response) => response.end());
    expect(await hear(await say(port, 'hello\r\n\r\n'))).toMatch(/^HTTP\/1\.1 400 /);
  });
});
