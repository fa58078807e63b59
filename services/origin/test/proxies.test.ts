import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { OriginClient, OriginRules, Proxies, Relay, Trust } from '../src';
import { selfSigned } from './certificate';
import type { Certificate } from './certificate';
import { useCast } from './cast';
import { all, content, file } from './origin-server';
import { usePem } from './pem-files';
import { originError } from './rejection';

const BYTES = content(300_000);
const idle = new AbortController().signal;
const { server, keep } = useCast();
const { pem } = usePem();

describe('the environment', () => {
  const at = (env: Record<string, string>, url: string): string | undefined => new Proxies(env).for(new URL(url))?.href;
  const both = { HTTPS_PROXY: 'http://one.test:3128', HTTP_PROXY: 'two.test:8080' };

  it.each([
    [both, 'https://ghcr.io/', 'http://one.test:3128/'],
    [both, 'http://plain.test:5000/', 'http://two.test:8080/'],
    [{ https_proxy: 'https://u:p@one.test' }, 'https://ghcr.io/', 'https://u:p@one.test/'],
    [{ HTTPS_PROXY: ' ' }, 'https://ghcr.io/', undefined],
    [both, 'http://localhost:5000/', undefined],
    [both, 'https://127.0.0.9/', undefined],
    [both, 'https://[::1]:5000/', undefined],
  ])('%j sends %s to %s', (env, url, proxy) => {
    expect(at(env, url)).toBe(proxy);
  });

  it.each([
    ['*', 'https://a.test/', true],
    ['a.test', 'https://a.test/', true],
    ['a.test', 'https://x.a.test/', true],
    ['a.test', 'https://xa.test/', false],
    ['.a.test', 'https://a.test/', false],
    ['.a.test', 'https://x.a.test/', true],
    ['*.a.test', 'https://x.a.test/', true],
    ['A.Test.', 'https://a.test/', true],
    ['a.test:5000', 'https://a.test:5000/', true],
    ['a.test:5000', 'https://a.test/', false],
    ['10.0.0.0/8', 'https://10.1.2.3:5000/', true],
    ['10.0.0.0/8', 'https://11.1.2.3/', false],
    ['10.1.2.3', 'https://10.1.2.3/', true],
    ['fd00::/8', 'https://[fd12::1]:5000/', true],
    ['[fd12::1]:5000', 'https://[fd12::1]:5000/', true],
    ['fd12::1', 'https://[fd12::1]/', true],
    [' b.test , a.test ', 'https://a.test/', true],
    ['10.0.0.0/99', 'https://10.1.2.3/', false],
  ])('NO_PROXY=%s has %s asked itself: %s', (exceptions, url, direct) => {
    expect(at({ ...both, NO_PROXY: exceptions }, url) === undefined).toBe(direct);
  });

  it.each([
    ['socks5://one.test', 'the environment variable HTTPS_PROXY names a proxy of the kind socks5://'],
    ['http://u:s3cret@:x/', 'the environment variable HTTPS_PROXY is not the URL of a proxy'],
    ['http://u:s3cret%@one.test', 'HTTPS_PROXY has a % in USER or PASSWORD that is no escape; write % as %25'],
    ['http://%ff:s3cret@one.test', 'HTTPS_PROXY has a % in USER or PASSWORD that is no escape; write % as %25'],
  ])('%s is refused, and not quoted', (value, message) => {
    const make = (): Proxies => new Proxies({ HTTPS_PROXY: value });
    expect(make).toThrow(message);
    expect(make).not.toThrow('s3cret');
  });
});

/** A proxy that takes every name for loopback. */
class TestProxy {
  readonly asked: string[] = [];
  status = 200;
  silent = false;
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;

  /** @param own its certificate, if it is an https proxy. */
  constructor(private readonly own?: Certificate) {
    const answer: RequestListener = (request, response) => {
      this.note(request);
      const url = new URL(request.url ?? '');
      const onward = httpRequest({ port: url.port, path: url.pathname, headers: request.headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(response);
      });
      onward.end();
    };
    this.server = own === undefined ? createServer(answer) : createSecureServer(own, answer);
    this.server.on('connect', (request: IncomingMessage, socket: Socket) => {
      this.note(request);
      this.sockets.add(socket);
      if (this.silent) return;
      if (this.status !== 200) {
        socket.end(`HTTP/1.1 ${this.status} No\r\n\r\n`);
        return;
      }
      const port = Number(request.url?.split(':').at(-1));
      const onward = connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        onward.pipe(socket).pipe(onward);
      });
      onward.on('error', () => socket.destroy());
      socket.on('error', () => onward.destroy());
      this.sockets.add(onward);
    });
  }

  /** @param host as which it is configured. */
  async start(host: string): Promise<URL> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return new URL(
      `${this.own === undefined ? 'http' : 'https'}://user:pass%20word@${host}:${(this.server.address() as AddressInfo).port}`,
    );
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private note({ method, url, headers }: IncomingMessage): void {
    this.asked.push(`${method} ${url} ${headers['proxy-authorization']}`);
  }
}

describe('a proxy', () => {
  const USER = `Basic ${Buffer.from('user:pass word').toString('base64')}`;
  const times = { connectTimeout: 500, firstByteTimeout: 2000, stallTimeout: 2000 };
  const rules = new OriginRules({ allow: [{ host: 'registry.test' }] });

  async function behind(
    proxy: TestProxy,
    { certs = [], host = '127.0.0.1' }: { readonly certs?: readonly string[]; readonly host?: string } = {},
  ): Promise<[OriginClient, Relay]> {
    keep(proxy);
    const url = (await proxy.start(host)).href;
    const outward = {
      proxies: new Proxies({ HTTPS_PROXY: url, HTTP_PROXY: url }),
      trust: new Trust(certs.map((cert) => ({ ca: [pem(cert)] }))),
    };
    return [keep(new OriginClient({ ...times, rules, outward })), keep(new Relay({ ...times, outward }))];
  }

  it('is asked for a tunnel to an https origin, whose certificate is checked', async () => {
    const certificate = selfSigned(['registry.test']);
    const origin = await server(file(BYTES), certificate);
    const proxy = new TestProxy();
    const [client] = await behind(proxy, { certs: [certificate.cert] });
    const url = new URL(`https://registry.test:${origin.port}/x`);
    for (let round = 0; round < 2; round += 1) {
      const answer = await client.open({ url, headers: [['Authorization', 'Bearer t']] }, idle);
      expect((await all(answer.body)).equals(BYTES)).toBe(true);
    }
    // The tunnel is kept, as any connection.
    expect(proxy.asked).toEqual([`CONNECT registry.test:${origin.port} ${USER}`]);
    expect(origin.requests.map(({ headers }) => [headers.host, headers['proxy-authorization']])).toEqual([
      [`registry.test:${origin.port}`, undefined],
      [`registry.test:${origin.port}`, undefined],
    ]);
  });

  it('of https is known by the same certificates as any other host', async () => {
    const certificate = selfSigned(['registry.test']);
    const own = selfSigned(['proxy.test', '127.0.0.1']);
    const [secure, plain] = [await server(file(BYTES), certificate), await server(file(BYTES))];
    const [client] = await behind(new TestProxy(own), { certs: [certificate.cert, own.cert] });
    for (const url of [`https://registry.test:${secure.port}/x`, `http://registry.test:${plain.port}/x`]) {
      const answer = await client.open({ url: new URL(url), headers: [] }, idle);
      expect((await all(answer.body)).equals(BYTES)).toBe(true);
    }
  });

  // A proxy beside us is our own choice: that it is at loopback is no reason to refuse it.
  it.each(['127.0.0.1', 'localhost'])('at %s is asked for the whole URL of an http origin', async (host) => {
    const origin = await server(file(BYTES));
    const proxy = new TestProxy();
    const [client, relay] = await behind(proxy, { host });
    const registry = new URL(`http://registry.test:${origin.port}/`);
    const answer = await client.open({ url: new URL('/x?y=1', registry), headers: [] }, idle);
    expect((await all(answer.body)).equals(BYTES)).toBe(true);
    const passed = await relay.send({ registry, method: 'GET', path: '/v2/', headers: [] }, idle);
    expect((await all(passed.body)).equals(BYTES)).toBe(true);
    expect(proxy.asked).toEqual([`GET ${registry.href}x?y=1 ${USER}`, `GET ${registry.href}v2/ ${USER}`]);
  });

  it.each<[string, (proxy: TestProxy) => void, string]>([
    [
      'refuses',
      (proxy) => (proxy.status = 407),
      'answered with status 407, as a proxy does that wants credentials: write them into its URL in HTTPS_PROXY or HTTP_PROXY, before the host.',
    ],
    ['is silent', (proxy) => (proxy.silent = true), 'led nowhere within 500 ms.'],
  ])('that %s: the origin cannot be reached', async (_fault, arrange, why) => {
    const proxy = new TestProxy();
    arrange(proxy);
    const [client] = await behind(proxy);
    const error = await originError(client.open({ url: new URL('https://registry.test/'), headers: [] }, idle));
    expect(error).toMatchObject({ kind: 'unreachable', retryable: true });
    expect(error.message).toContain('Origin registry.test:443 cannot be reached: the proxy 127.0.0.1:');
    expect(error.message).toContain(why);
    expect(error.message).not.toContain('pass');
  });

  it('that is not there: the origin cannot be reached', async () => {
    const outward = { proxies: new Proxies({ HTTPS_PROXY: 'http://127.0.0.1:9' }) };
    const client = keep(new OriginClient({ ...times, rules, outward }));
    const error = await originError(client.open({ url: new URL('https://registry.test/'), headers: [] }, idle));
    expect(error.message).toBe(
      'Origin registry.test:443 cannot be reached: the proxy 127.0.0.1:9 cannot be reached: the connection was refused.',
    );
  });
});
