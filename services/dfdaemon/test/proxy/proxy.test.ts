import { once } from 'node:events';
import { createServer as createPlainServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectSecurely } from 'node:tls';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { X509Certificate, createPrivateKey, generateKeyPairSync } from 'node:crypto';

import { OriginClient, OriginRules, Relay, Trust } from '@cdk8s-dragonfly/origin';
import { digestOf } from '@cdk8s-dragonfly/protocol';

import {
  BlobAccess,
  ManifestAnswers,
  ManifestStore,
  MirrorServer,
  OwnAccess,
  PATIENCE,
  Pings,
  UnhadBlobs,
  parseTagPolicy,
  parseUpstreams,
} from '../../src/index';
import type { ResponseRecord } from '../../src/index';
import { SERVER_LIMITS } from '../../src/mirror/limits';
import { Certificates } from '../../src/proxy/certificates';
import { issueCertificate } from '../../src/proxy/issue-certificate';
import { Proxy } from '../../src/proxy/proxy';
import type { ProxyOptions } from '../../src/proxy/proxy';
import { Pattern } from '../../src/proxy/rules';
import { makeAuthority } from '../support/authority';
import { hear, say } from '../support/client';
import { FakeProvider } from '../support/fake-provider';
import { askPlainly, askSecurely, throughProxy } from '../support/proxy-client';

const LAYER = Buffer.from('a layer from the swarm');
const DIGEST = digestOf(LAYER);
const BLOB = `/v2/team/app/blobs/${DIGEST}`;

/** What a registry was asked. */
interface Asked {
  readonly line: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

describe('the proxy', () => {
  // The authority of the registries, and that of the proxy.
  const outer = makeAuthority('ec');
  const inner = makeAuthority('rsa');
  const asked: Asked[] = [];
  const records: ResponseRecord[] = [];
  let folder: string;
  let secure: Server;
  let plain: Server;
  let relay: Relay;
  let tokenServers: OriginClient;
  let store: ManifestStore;
  let provider: FakeProvider;
  let mirror: MirrorServer | undefined;
  let answer: RequestListener;

  const portOf = (server: Server): number => (server.address() as AddressInfo).port;
  const secureHost = (): string => `127.0.0.1:${portOf(secure)}`;
  const plainHost = (): string => `127.0.0.1:${portOf(plain)}`;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'proxy-'));
    await writeFile(join(folder, 'ca.pem'), outer.cert);
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const cert = issueCertificate(
      { certificate: new X509Certificate(outer.cert), key: createPrivateKey(outer.key) },
      {
        host: '127.0.0.1',
        publicKey: pair.publicKey,
        notBefore: new Date(Date.now() - 1000),
        notAfter: new Date(Date.now() + 3_600_000),
      },
    );
    const key = pair.privateKey.export({ type: 'pkcs8', format: 'pem' });
    const listener: RequestListener = (request: IncomingMessage, response) => {
      void text(request).then((body) => {
        const { method = '', url = '', headers } = request;
        asked.push({ line: `${method} ${url}`, authorization: headers.authorization, body });
        answer(request, response);
      });
    };
    secure = createSecureServer({ cert, key }, listener);
    plain = createPlainServer(listener);
    for (const server of [secure, plain]) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
  });
  afterAll(async () => {
    for (const server of [secure, plain]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    await rm(folder, { recursive: true });
  });
  beforeEach(async () => {
    store = await ManifestStore.open(folder, { warn: () => undefined });
    tokenServers = new OriginClient({ rules: new OriginRules({}), firstByteTimeout: 2000, stallTimeout: 2000 });
    asked.length = 0;
    records.length = 0;
    provider = new FakeProvider(() => ({ bytes: LAYER }));
    answer = (request, response) => response.end(`the registry on ${request.url ?? ''}`);
    relay = new Relay({ firstByteTimeout: 10_000, stallTimeout: 10_000 });
  });
  afterEach(async () => {
    await mirror?.stop();
    await relay.stop();
    await tokenServers.stop();
    await store.stop();
  });

  /** A mirror with a proxy. @returns its port. */
  async function start(options: Partial<ProxyOptions> = {}, allow = [secureHost(), plainHost()]): Promise<number> {
    const record = (entry: ResponseRecord): void => void records.push(entry);
    const log = { warn: () => undefined };
    const namesOf = (url: URL): string[] => [url.host];
    const own = new OwnAccess({ registry: relay, tokenServers, credentials: [], namesOf, log });
    const access = new BlobAccess('origin');
    const unhad = new UnhadBlobs();
    const policy = parseTagPolicy('revalidate');
    const now = (): number => Date.now();
    const manifests = new ManifestAnswers({ store, policy, access, unhad, provider, anybody: own, now });
    const pings = new Pings(policy.stale);
    const about = (): Promise<undefined> => Promise.resolve(undefined);
    const pulling = { provider, own, access, manifests, pings, unhad, about, record };
    const proxy = new Proxy({
      rules: [{ pattern: Pattern.read('blobs/sha256.*', 'regx'), useHttps: false, direct: false }],
      hijack: [Pattern.read('^127\\.0\\.0\\.1:', 'regx')],
      certificates: Certificates.read(inner.cert, inner.key),
      outward: { trust: new Trust([{ matches: (host) => host === secureHost(), ca: [join(folder, 'ca.pem')] }]) },
      originRules: new OriginRules({
        allow: allow.map((text) => ({ host: '127.0.0.1', port: Number(text.split(':')[1]) })),
        others: true,
        flag: '--proxy-allow',
      }),
      forAll: true,
      pulling,
      patience: PATIENCE,
      connectTimeout: 2000,
      firstByteTimeout: 10_000,
      stallTimeout: 2000,
      server: SERVER_LIMITS,
      log: { debug: () => undefined, info: () => undefined },
      ...options,
    });
    const upstreams = parseUpstreams([`http://${plainHost()}`]);
    const parts = { ...pulling, access: new BlobAccess('none'), upstreams, registry: relay };
    mirror = new MirrorServer(parts, { proxy });
    return (await mirror.start({ host: '127.0.0.1', port: 0 })).port;
  }

  describe('of a host whose TLS is ended here', () => {
    it('gives a blob from the swarm to whom the registry gives it, over TLS that the client trusts', async () => {
      const port = await start();
      const headers = { authorization: 'Bearer right' };
      const got = await askSecurely(port, secureHost(), BLOB, { ca: inner.cert, headers });
      expect([got.status, got.body, got.headers['docker-content-digest']]).toEqual([200, LAYER.toString(), DIGEST]);
      expect(asked).toEqual([{ line: `HEAD ${BLOB}`, authorization: 'Bearer right', body: '' }]);
      expect(provider.requests.map(({ url, blob }) => [url.href, blob])).toEqual([
        [`https://${secureHost()}${BLOB}`, DIGEST],
      ]);
      expect(provider.requests[0]?.headers).toContainEqual(['authorization', 'Bearer right']);
      expect(records).toMatchObject([{ kind: 'blob', from: 'swarm', status: 200, digest: DIGEST }]);
    });

    it("gives nothing to whom the registry does not give it, but the registry's own answer", async () => {
      answer = (_request, response) =>
        response.writeHead(401, { 'www-authenticate': 'Bearer realm="https://t/"' }).end();
      const got = await askSecurely(await start(), secureHost(), BLOB, { ca: inner.cert });
      expect([got.status, got.headers['www-authenticate']]).toEqual([401, 'Bearer realm="https://t/"']);
      expect(provider.requests).toEqual([]);
    });

    it('takes the manifest for the right to its blobs', async () => {
      const manifest = JSON.stringify({ schemaVersion: 2, config: { digest: DIGEST }, layers: [] });
      answer = (request, response) => {
        if (request.url === '/v2/team/app/manifests/1') response.end(manifest);
        else response.writeHead(500).end();
      };
      const port = await start();
      const headers = { authorization: 'Bearer right' };
      const first = await askSecurely(port, secureHost(), '/v2/team/app/manifests/1', { ca: inner.cert, headers });
      expect(first.body).toBe(manifest);
      const got = await askSecurely(port, secureHost(), BLOB, { ca: inner.cert, headers });
      expect([got.status, got.body]).toEqual([200, LAYER.toString()]);
      expect(asked.map(({ line }) => line)).toEqual(['GET /v2/team/app/manifests/1']);
    });

    it('passes a push on with its body, whole', async () => {
      answer = (_request, response) => response.writeHead(201, { location: '/v2/x' }).end();
      const body = 'x'.repeat(300_000);
      const got = await askSecurely(await start(), secureHost(), '/v2/team/app/blobs/uploads/1?digest=x', {
        ca: inner.cert,
        method: 'PUT',
        headers: { 'content-length': `${body.length}` },
        body,
      });
      expect([got.status, got.headers.location]).toEqual([201, '/v2/x']);
      expect(asked).toEqual([{ line: 'PUT /v2/team/app/blobs/uploads/1?digest=x', authorization: undefined, body }]);
    });

    it.each([
      ['GET', { 'transfer-encoding': 'chunked' }, 'some'],
      ['PATCH', { 'transfer-encoding': 'chunked' }, 'some'],
      ['POST', {}, undefined],
      ['DELETE', {}, undefined],
    ] as const)('frames the body of a %s with %j as the client did', async (method, headers, body) => {
      const got = await askSecurely(await start(), secureHost(), '/v2/', {
        ca: inner.cert,
        method,
        headers,
        ...(body === undefined ? {} : { body }),
      });
      expect([got.status, asked.map((one) => [one.line, one.body])]).toEqual([200, [[`${method} /v2/`, body ?? '']]]);
    });

    it.each(['//other.test/v2/x', '//user@other.test/', '///v2/', '/\\\\other.test/'])(
      'asks that host, whatever the path looks like: %j',
      async (path) => {
        const got = await askSecurely(await start(), secureHost(), path, { ca: inner.cert });
        expect([got.status, asked.map(({ line }) => line)]).toEqual([200, [`GET ${path}`]]);
      },
    );

    it('closes a connection that asks for nothing', async () => {
      const port = await start({ server: { ...SERVER_LIMITS, keepAliveTimeout: 50 } });
      const socket = await throughProxy(port, secureHost());
      if (typeof socket === 'string') throw new Error(socket);
      const secured = connectSecurely({ socket, ca: inner.cert, servername: '', checkServerIdentity: () => undefined });
      await once(secured, 'secureConnect');
      await once(secured.resume(), 'close');
      expect(asked).toEqual([]);
    });

    it('tells why the registry cannot be reached', async () => {
      const port = await start({ outward: {} });
      const got = await askSecurely(port, secureHost(), '/v2/', { ca: inner.cert });
      expect([got.status, got.body]).toEqual([502, expect.stringMatching(/certificate|self-signed|unable to/)]);
    });
  });

  it('goes straight to the registry where a rule says so, and where none matches', async () => {
    const rules = [{ pattern: Pattern.read('team', 'regx'), useHttps: false, direct: true }];
    const port = await start({ rules });
    for (const path of [BLOB, BLOB.replace('team', 'other')]) {
      expect((await askSecurely(port, secureHost(), path, { ca: inner.cert })).body).toBe(`the registry on ${path}`);
    }
    expect(provider.requests).toEqual([]);
  });

  it('tunnels all other TLS unread, and what the client sends at once is not lost', async () => {
    const port = await start({ hijack: [] });
    const got = await askSecurely(port, secureHost(), BLOB, { ca: outer.cert });
    expect(got.body).toBe(`the registry on ${BLOB}`);
    const socket = await say(
      port,
      `CONNECT ${plainHost()} HTTP/1.1\r\n\r\nGET /early HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    );
    const heard = await hear(socket);
    expect(heard).toMatch(
      /^HTTP\/1\.1 200 Connection established\r\n\r\nHTTP\/1\.1 200 OK\r\n[^]*the registry on \/early/,
    );
  });

  it('passes plain http on, by https where a rule wants that, and its blobs come from the swarm too', async () => {
    const port = await start({
      rules: [
        { pattern: Pattern.read(`^http://127\\.0\\.0\\.1:${portOf(secure)}/`, 'regx'), useHttps: true, direct: false },
      ],
    });
    expect((await askPlainly(port, `http://${plainHost()}/file?a=b`)).body).toBe('the registry on /file?a=b');
    expect((await askPlainly(port, `http://${secureHost()}/v2/`)).body).toBe('the registry on /v2/');
    expect((await askPlainly(port, `http://${secureHost()}${BLOB}`)).body).toBe(LAYER.toString());
  });

  it('keeps what is for the proxy alone from the registry', async () => {
    let seen: string[] = [];
    answer = (request, response) => {
      seen = Object.keys(request.headers);
      response.end();
    };
    await askPlainly(await start(), `http://${plainHost()}/`, {
      headers: { 'proxy-authorization': 'Basic eDp5', 'proxy-connection': 'keep-alive', 'x-kept': '1' },
    });
    expect(seen.sort()).toEqual(['connection', 'host', 'x-kept']);
  });

  describe('is no open proxy', () => {
    it.each(['127.0.0.1:1', 'localhost:1', '169.254.169.254:80', '[::1]:1', '0.0.0.0:1', '[::ffff:127.0.0.1]:1'])(
      'to %s',
      async (target) => {
        const port = await start({}, []);
        await expect(throughProxy(port, target)).resolves.toMatch(
          /^403 Origin .* is refused: .*allow it with --proxy-allow /,
        );
        const { status, body } = await askPlainly(port, `http://${target}/`);
        expect([status, body]).toEqual([403, expect.stringContaining('is refused')]);
        expect(asked).toEqual([]);
      },
    );

    it('but serves the machine that it runs on without rules too', async () => {
      const port = await start({ forAll: false });
      expect((await askPlainly(port, `http://${plainHost()}/`)).status).toBe(200);
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
    const port = await start({ hijack: [] }, [to]);
    await expect(throughProxy(port, to)).resolves.toMatch(message);
  });

  it('stays a mirror', async () => {
    const port = await start();
    const socket = await say(port, `GET ${BLOB} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(await hear(socket)).toContain(LAYER.toString());
  });

  it('closes the far end when the client is gone, whichever comes first', async () => {
    const far = createTcpServer();
    far.listen(0, '127.0.0.1');
    await once(far, 'listening');
    const to = `127.0.0.1:${(far.address() as AddressInfo).port}`;
    const port = await start({ hijack: [] }, [to]);
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
    const port = await start({ hijack: [Pattern.read(`:${portOf(secure)}$`, 'regx')] });
    const [hijacked, tunnel] = await Promise.all([throughProxy(port, secureHost()), throughProxy(port, plainHost())]);
    if (typeof hijacked === 'string' || typeof tunnel === 'string') throw new Error('not connected');
    const closed = Promise.all([hijacked, tunnel].map((socket) => once(socket.resume(), 'close')));
    await mirror?.stop(0);
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
