import { createServer as createTcpServer } from 'node:net';
import type { OriginClientOptions, Resolver } from '../src';
import { OriginClient, OriginRules, Trust } from '../src';
import { selfSigned } from './certificate';
import { useCast } from './cast';
import { all, content, file } from './origin-server';
import { usePem } from './pem-files';
import { originError } from './rejection';

const BYTES = content(20_000);
const idle = new AbortController().signal;
const { server, keep } = useCast();
const { pem } = usePem();

function client(rules: OriginRules, more: Partial<OriginClientOptions> = {}): OriginClient {
  return keep(new OriginClient({ rules, connectTimeout: 1000, firstByteTimeout: 2000, stallTimeout: 2000, ...more }));
}

/** Answers with one list of addresses after the other, the last one for ever; counts. */
function resolver(...answers: readonly (readonly string[])[]): {
  readonly resolve: Resolver;
  readonly asked: string[];
} {
  const asked: string[] = [];
  return {
    asked,
    resolve: (hostname) => {
      asked.push(hostname);
      return Promise.resolve(answers[Math.min(asked.length, answers.length) - 1] ?? []);
    },
  };
}

describe('name resolution', () => {
  it('decides over the connection: a name that leads inward is not connected to', async () => {
    const origin = await server(file(BYTES));
    const { resolve, asked } = resolver(['127.0.0.1']);
    const url = new URL(`http://rebind.test:${origin.port}/`);
    const error = await originError(client(new OriginRules(), { resolve }).open({ url, headers: [] }, idle));
    expect(error).toMatchObject({ kind: 'forbidden', retryable: false });
    expect(error.message).toBe(
      `Origin rebind.test:${origin.port} is refused: 127.0.0.1 is a loopback address; ` +
        `allow it with --allow-origin rebind.test:${origin.port}.`,
    );
    expect(asked).toEqual(['rebind.test']);
    expect(origin.connections()).toBe(0);
  });

  it('refuses when one of several addresses leads inward', async () => {
    const origin = await server(file(BYTES));
    const { resolve } = resolver(['192.0.2.1', '127.0.0.1']);
    const url = new URL(`http://rebind.test:${origin.port}/`);
    const error = await originError(client(new OriginRules(), { resolve }).open({ url, headers: [] }, idle));
    expect(error.kind).toBe('forbidden');
    expect(origin.connections()).toBe(0);
  });

  it('happens once a connection, and the connection goes to that very address', async () => {
    const origin = await server(file(BYTES));
    const { resolve, asked } = resolver(['127.0.0.1'], ['127.0.0.99']);
    const rules = new OriginRules({ allow: [{ host: 'name.test' }] });
    const asking = client(rules, { resolve });
    const url = new URL(`http://name.test:${origin.port}/`);
    const answer = await asking.open({ url, headers: [] }, idle);
    expect((await all(answer.body)).equals(BYTES)).toBe(true);
    expect(asked).toEqual(['name.test']);
    expect(origin.requests[0]?.headers.host).toBe(`name.test:${origin.port}`);
    // The kept connection is used again: what the name leads to by now does not matter.
    expect(await all((await asking.open({ url, headers: [] }, idle)).body)).toHaveLength(20_000);
    expect(asked).toEqual(['name.test']);
    expect(origin.connections()).toBe(1);
  });

  it('checks redirects too', async () => {
    const inner = await server(file(BYTES), selfSigned(['cdn.test']));
    const origin = await server((_request, response) =>
      response.writeHead(307, { Location: `https://cdn.test:${inner.port}/x?sig=hunter2` }).end(),
    );
    const rules = new OriginRules({ allow: [{ host: '127.0.0.1', port: origin.port }] });
    const { resolve } = resolver(['10.0.0.1', '127.0.0.1']);
    const error = await originError(client(rules, { resolve }).open({ url: origin.url, headers: [] }, idle));
    expect(error.kind).toBe('forbidden');
    expect(error.message).toContain('a redirect led there and 10.0.0.1 is a private address');
    expect(error.message).not.toContain('hunter2');
    expect(inner.connections()).toBe(0);
  });

  it.each([
    ['ENOTFOUND', false, 'its name does not exist'],
    ['EAI_AGAIN', true, 'its name cannot be resolved at the moment'],
  ])('fails with %s, worth another try: %s', async (code, retryable, reason) => {
    const resolve: Resolver = () => Promise.reject(Object.assign(new Error('getaddrinfo'), { code }));
    const opening = client(new OriginRules(), { resolve }).open({ url: new URL('http://no.test/'), headers: [] }, idle);
    expect(await originError(opening)).toMatchObject({
      kind: 'unreachable',
      retryable,
      message: `Origin no.test:80 cannot be reached: ${reason}.`,
    });
  });

  it('that never ends is bounded by the connect timeout', async () => {
    const resolve: Resolver = () => new Promise(() => undefined);
    const asking = client(new OriginRules(), { resolve, connectTimeout: 80 });
    const error = await originError(asking.open({ url: new URL('http://slow.test/'), headers: [] }, idle));
    expect(error).toMatchObject({ kind: 'unreachable', retryable: true });
    expect(error.message).toBe('Origin slow.test:80 cannot be reached: it accepted no connection within 80 ms.');
  });

  it('without a result is an error', async () => {
    const { resolve } = resolver([]);
    const opening = client(new OriginRules(), { resolve }).open({ url: new URL('http://no.test/'), headers: [] }, idle);
    expect((await originError(opening)).message).toBe('Origin no.test:80 cannot be reached: its name has no address.');
  });
});

describe('TLS', () => {
  const rules = new OriginRules({ allow: [{ host: 'registry.test' }, { host: '127.0.0.1' }] });
  const { resolve } = resolver(['127.0.0.1']);

  it('trusts the given authorities, for names and for addresses', async () => {
    const certificate = selfSigned(['registry.test', '127.0.0.1']);
    const origin = await server(file(BYTES), certificate);
    const asking = client(rules, { resolve, outward: { trust: new Trust([{ ca: [pem(certificate.cert)] }]) } });
    for (const url of [new URL(`https://registry.test:${origin.port}/`), origin.url]) {
      const answer = await asking.open({ url, headers: [] }, idle);
      expect((await all(answer.body)).equals(BYTES)).toBe(true);
    }
    expect(origin.connections()).toBe(2);
  });

  it('refuses unknown authorities', async () => {
    const origin = await server(file(BYTES), selfSigned(['127.0.0.1']));
    const error = await originError(client(rules).open({ url: origin.url, headers: [] }, idle));
    expect(error).toMatchObject({ kind: 'unreachable', retryable: false });
    expect(error.message).toBe(
      `Origin ${origin.host} cannot be reached: its certificate is of no authority that is trusted here: name that with --origin-ca (DEPTH_ZERO_SELF_SIGNED_CERT).`,
    );
    expect(origin.requests).toHaveLength(0);
  });

  it.each([
    ['another name', selfSigned(['other.test']), 'is that of another host (ERR_TLS_CERT_ALTNAME_INVALID)'],
    ['an old date', selfSigned(['registry.test'], true), 'has expired (CERT_HAS_EXPIRED)'],
  ])('refuses a certificate with %s', async (_fault, certificate, why) => {
    const origin = await server(file(BYTES), certificate);
    const url = new URL(`https://registry.test:${origin.port}/`);
    const outward = { trust: new Trust([{ ca: [pem(certificate.cert)] }]) };
    const error = await originError(client(rules, { resolve, outward }).open({ url, headers: [] }, idle));
    expect(error).toMatchObject({ kind: 'unreachable', retryable: false });
    expect(error.message).toContain(`: its certificate ${why}.`);
    expect(origin.requests).toHaveLength(0);
  });

  it('says so when a server speaks plain http', async () => {
    const origin = await server(file(BYTES));
    const url = new URL(`https://127.0.0.1:${origin.port}/`);
    const error = await originError(client(rules).open({ url, headers: [] }, idle));
    expect(error).toMatchObject({ kind: 'unreachable', retryable: false });
    expect(error.message).toContain('it does not speak TLS there');
  });

  it('bounds a handshake that never ends by the connect timeout', async () => {
    const silent = createTcpServer((socket) => socket.on('error', () => socket.destroy()).resume());
    await new Promise<void>((resolve_) => silent.listen(0, '127.0.0.1', resolve_));
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const asking = client(rules, { connectTimeout: 80 });
    const error = await originError(asking.open({ url: new URL(`https://127.0.0.1:${port}/`), headers: [] }, idle));
    expect(error.message).toBe(`Origin 127.0.0.1:${port} cannot be reached: it accepted no connection within 80 ms.`);
    await new Promise((resolve_) => silent.close(resolve_));
  });
});
