import { once } from 'node:events';
import { createServer as createPlainServer } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';

import { DockerCredentials } from '../../src/index';
import { SERVER_LIMITS } from '../../src/mirror/limits';
import { Pattern } from '../../src/proxy/rules';
import { hear, say } from '../support/client';
import { askPlainly, askSecurely, throughProxy } from '../support/proxy-client';
import { BLOB, DIGEST, LAYER, ProxyWorld } from '../support/proxy-world';

describe('the proxy', () => {
  let world: ProxyWorld;
  beforeAll(async () => {
    world = await ProxyWorld.open();
  });
  beforeEach(() => world.reset());
  afterEach(() => world.stop());
  afterAll(() => world.close());

  describe('of a host whose TLS is ended here', () => {
    it('gives a blob from the swarm to whom the registry gives it, over TLS that the client trusts', async () => {
      const port = await world.start();
      const headers = { authorization: 'Bearer right' };
      const got = await askSecurely(port, world.secureHost, BLOB, { ca: world.inner.cert, headers });
      expect([got.status, got.body, got.headers['docker-content-digest']]).toEqual([200, LAYER.toString(), DIGEST]);
      expect(world.asked).toEqual([{ line: `HEAD ${BLOB}`, authorization: 'Bearer right', body: '' }]);
      expect(world.provider.requests.map(({ url, blob }) => [url.href, blob])).toEqual([
        [`https://${world.secureHost}${BLOB}`, DIGEST],
      ]);
      expect(world.provider.requests[0]?.headers).toContainEqual(['authorization', 'Bearer right']);
      expect(world.records).toMatchObject([{ kind: 'blob', from: 'swarm', status: 200, digest: DIGEST }]);
    });

    it("gives nothing to whom the registry does not give it, but the registry's own answer", async () => {
      world.answer = (_request, response) =>
        response.writeHead(401, { 'www-authenticate': 'Bearer realm="https://t/"' }).end();
      const got = await askSecurely(await world.start(), world.secureHost, BLOB, { ca: world.inner.cert });
      expect([got.status, got.headers['www-authenticate']]).toEqual([401, 'Bearer realm="https://t/"']);
      expect(world.provider.requests).toEqual([]);
    });

    it('takes the manifest for the right to its blobs', async () => {
      const manifest = JSON.stringify({ schemaVersion: 2, config: { digest: DIGEST }, layers: [] });
      world.answer = (request, response) => {
        if (request.url === '/v2/team/app/manifests/1') response.end(manifest);
        else response.writeHead(500).end();
      };
      const port = await world.start();
      const headers = { authorization: 'Bearer right' };
      const first = await askSecurely(port, world.secureHost, '/v2/team/app/manifests/1', {
        ca: world.inner.cert,
        headers,
      });
      expect(first.body).toBe(manifest);
      const got = await askSecurely(port, world.secureHost, BLOB, { ca: world.inner.cert, headers });
      expect([got.status, got.body]).toEqual([200, LAYER.toString()]);
      // Whether the registry gives it to anybody is asked besides.
      const gets = world.asked.map(({ line }) => line).filter((line) => line.startsWith('GET'));
      expect(gets).toEqual(['GET /v2/team/app/manifests/1']);
    });

    it('passes a push on with its body, whole', async () => {
      world.answer = (_request, response) => response.writeHead(201, { location: '/v2/x' }).end();
      const body = 'x'.repeat(300_000);
      const got = await askSecurely(await world.start(), world.secureHost, '/v2/team/app/blobs/uploads/1?digest=x', {
        ca: world.inner.cert,
        method: 'PUT',
        headers: { 'content-length': `${body.length}` },
        body,
      });
      expect([got.status, got.headers.location]).toEqual([201, '/v2/x']);
      expect(world.asked).toEqual([
        { line: 'PUT /v2/team/app/blobs/uploads/1?digest=x', authorization: undefined, body },
      ]);
    });

    it.each([
      ['GET', { 'transfer-encoding': 'chunked' }, 'some'],
      ['PATCH', { 'transfer-encoding': 'chunked' }, 'some'],
      ['POST', {}, undefined],
      ['DELETE', {}, undefined],
    ] as const)('frames the body of a %s with %j as the client did', async (method, headers, body) => {
      const got = await askSecurely(await world.start(), world.secureHost, '/v2/', {
        ca: world.inner.cert,
        method,
        headers,
        ...(body === undefined ? {} : { body }),
      });
      expect([got.status, world.asked.map((one) => [one.line, one.body])]).toEqual([
        200,
        [[`${method} /v2/`, body ?? '']],
      ]);
    });

    it.each(['//other.test/v2/x', '//user@other.test/', '///v2/', '/\\\\other.test/'])(
      'asks that host, whatever the path looks like: %j',
      async (path) => {
        const got = await askSecurely(await world.start(), world.secureHost, path, { ca: world.inner.cert });
        expect([got.status, world.asked.map(({ line }) => line)]).toEqual([200, [`GET ${path}`]]);
      },
    );

    it('closes a connection that asks for nothing', async () => {
      const port = await world.start({ server: { ...SERVER_LIMITS, keepAliveTimeout: 50 } });
      const socket = await throughProxy(port, world.secureHost);
      if (typeof socket === 'string') throw new Error(socket);
      const secured = connectSecurely({
        socket,
        ca: world.inner.cert,
        servername: '',
        checkServerIdentity: () => undefined,
      });
      await once(secured, 'secureConnect');
      await once(secured.resume(), 'close');
      expect(world.asked).toEqual([]);
    });

    it('minds a connection only until it asks for something, however long the answer takes', async () => {
      const port = await world.start({ server: { ...SERVER_LIMITS, keepAliveTimeout: 50 } });
      world.answer = (_request, response) => void setTimeout(() => response.end('late'), 250);
      const got = await askSecurely(port, world.secureHost, '/v2/', { ca: world.inner.cert });
      expect([got.status, got.body]).toEqual([200, 'late']);
    });

    it('tells why the registry cannot be reached', async () => {
      const port = await world.start({ outward: {} });
      const got = await askSecurely(port, world.secureHost, '/v2/', { ca: world.inner.cert });
      expect([got.status, got.body]).toEqual([502, expect.stringMatching(/certificate|self-signed|unable to/)]);
    });
  });

  it('shows credentials of the daemon to registries over TLS, and to none in clear that is not configured', async () => {
    const { plainHost, secureHost } = world;
    const auths = Object.fromEntries(
      [secureHost, plainHost].map((host) => [host, { username: 'robot', password: 'secret' }]),
    );
    world.credentials = [{ get: () => DockerCredentials.parse(JSON.stringify({ auths })) }];
    world.answer = (_request, response) => {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    };
    const port = await world.start();
    await askSecurely(port, secureHost, '/v2/team/app/manifests/1', { ca: world.inner.cert });
    expect(world.asked.map(({ authorization }) => authorization)).toContain(
      `Basic ${Buffer.from('robot:secret').toString('base64')}`,
    );
    world.asked.length = 0;
    const got = await askPlainly(port, `http://${plainHost}/v2/team/app/manifests/1`);
    expect([got.status, world.asked.map(({ authorization }) => authorization)]).toEqual([401, [undefined]]);
  });

  it('goes straight to the registry where a rule says so, and where none matches', async () => {
    const rules = [{ pattern: Pattern.read('team', 'regx'), useHttps: false, direct: true }];
    const port = await world.start({ rules });
    for (const path of [BLOB, BLOB.replace('team', 'other')]) {
      expect((await askSecurely(port, world.secureHost, path, { ca: world.inner.cert })).body).toBe(
        `the registry on ${path}`,
      );
    }
    expect(world.provider.requests).toEqual([]);
  });

  it('tunnels all other TLS unread, and what the client sends at once is not lost', async () => {
    const port = await world.start({ hijack: [] });
    const got = await askSecurely(port, world.secureHost, BLOB, { ca: world.outer.cert });
    expect(got.body).toBe(`the registry on ${BLOB}`);
    const socket = await say(
      port,
      `CONNECT ${world.plainHost} HTTP/1.1\r\n\r\nGET /early HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    );
    const heard = await hear(socket);
    expect(heard).toMatch(
      /^HTTP\/1\.1 200 Connection established\r\n\r\nHTTP\/1\.1 200 OK\r\n[^]*the registry on \/early/,
    );
  });

  it('passes plain http on, by https where a rule wants that, and its blobs come from the swarm too', async () => {
    const port = await world.start({
      rules: [
        {
          pattern: Pattern.read(`^http://127\\.0\\.0\\.1:${world.securePort}/`, 'regx'),
          useHttps: true,
          direct: false,
        },
      ],
    });
    expect((await askPlainly(port, `http://${world.plainHost}/file?a=b`)).body).toBe('the registry on /file?a=b');
    expect((await askPlainly(port, `http://${world.secureHost}/v2/`)).body).toBe('the registry on /v2/');
    expect((await askPlainly(port, `http://${world.secureHost}${BLOB}`)).body).toBe(LAYER.toString());
  });

  it('keeps what is for the proxy alone from the registry', async () => {
    let seen: string[] = [];
    world.answer = (request, response) => {
      seen = Object.keys(request.headers);
      response.end();
    };
    await askPlainly(await world.start(), `http://${world.plainHost}/`, {
      headers: { 'proxy-authorization': 'Basic eDp5', 'proxy-connection': 'keep-alive', 'x-kept': '1' },
    });
    expect(seen.sort()).toEqual(['connection', 'host', 'x-kept']);
  });

  describe('is no open proxy', () => {
    it.each(['127.0.0.1:1', 'localhost:1', '169.254.169.254:80', '[::1]:1', '0.0.0.0:1', '[::ffff:127.0.0.1]:1'])(
      'to %s',
      async (target) => {
        const port = await world.start({}, []);
        await expect(throughProxy(port, target)).resolves.toMatch(
          /^403 Origin .* is refused: .*allow it with --proxy-allow /,
        );
        const { status, body } = await askPlainly(port, `http://${target}/`);
        expect([status, body]).toEqual([403, expect.stringContaining('is refused')]);
        expect(world.asked).toEqual([]);
      },
    );

    // Where all addresses are listened on, 127.0.0.1 is ::ffff:127.0.0.1.
    it.each(['127.0.0.1', '::'])('but serves the machine that it runs on without rules too, at %s', async (host) => {
      const port = await world.start({ forAll: false }, undefined, host);
      expect((await askPlainly(port, `http://${world.plainHost}/`)).status).toBe(200);
    });
  });

  const nowhere: readonly (readonly [string, () => Promise<string>, RegExp])[] = [
    ['nothing listens', async () => `127.0.0.1:${await closedPort()}`, /^502 .*ECONNREFUSED/],
    [
      'the name has no address',
      () => Promise.resolve('nowhere.invalid:443'),
      /^502 .*(ENOTFOUND|EAI_AGAIN|not resolved|no address)/,
    ],
    ['there is no port', () => Promise.resolve('registry.example'), /^400 CONNECT needs HOST:PORT/],
  ];
  it.each(nowhere)('tells in the status line why it leads nowhere: %s', async (_why, target, message) => {
    const to = await target();
    const port = await world.start({ hijack: [] }, [to]);
    await expect(throughProxy(port, to)).resolves.toMatch(message);
  });

  it('stays a mirror', async () => {
    const port = await world.start();
    const socket = await say(port, `GET ${BLOB} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(await hear(socket)).toContain(LAYER.toString());
  });

  it('closes the far end when the client is gone, whichever comes first', async () => {
    const far = createTcpServer();
    far.listen(0, '127.0.0.1');
    await once(far, 'listening');
    const to = `127.0.0.1:${(far.address() as AddressInfo).port}`;
    const port = await world.start({ hijack: [] }, [to]);
    const met = once(far, 'connection') as Promise<[Socket]>;
    const near = await throughProxy(port, to);
    if (typeof near === 'string') throw new Error(near);
    const [end] = await met;
    const closed = once(end.resume(), 'close');
    near.destroy();
    expect(await closed).toEqual([false]);
    far.close();
  });

  it('stops with tunnels and connections open', async () => {
    const port = await world.start({ hijack: [Pattern.read(`:${world.securePort}$`, 'regx')] });
    const [hijacked, tunnel] = await Promise.all([
      throughProxy(port, world.secureHost),
      throughProxy(port, world.plainHost),
    ]);
    if (typeof hijacked === 'string' || typeof tunnel === 'string') throw new Error('not connected');
    const closed = Promise.all([hijacked, tunnel].map((socket) => once(socket.resume(), 'close')));
    await world.mirror?.stop(0);
    await closed;
    const again = connect(port, '127.0.0.1');
    await expect(once(again, 'connect')).rejects.toThrow('ECONNREFUSED');
  });
});

/** A port of loopback that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createPlainServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
