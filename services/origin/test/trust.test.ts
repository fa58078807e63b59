import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { TLSSocket } from 'node:tls';
import { OriginClient, OriginRules, Relay, Trust, valueOf } from '../src';
import type { TrustEntry } from '../src';
import { selfSigned } from './certificate';
import type { Certificate } from './certificate';
import { useCast } from './cast';
import { all, content, file } from './origin-server';
import { usePem } from './pem-files';
import { originError } from './rejection';

const BYTES = content(100);
const idle = new AbortController().signal;
const { server, keep } = useCast();
const { pem } = usePem();
const rules = new OriginRules({ allow: [{ host: '127.0.0.1' }] });

function client(trust: Trust): OriginClient {
  return keep(
    new OriginClient({ rules, connectTimeout: 2000, firstByteTimeout: 2000, stallTimeout: 2000, outward: { trust } }),
  );
}

/** A server that wants to see this certificate of its clients. */
async function demanding(own: Certificate, wanted: Certificate): ReturnType<typeof server> {
  const tls = { ...own, ca: wanted.cert, requestCert: true, rejectUnauthorized: true };
  return server((request, response) => {
    response.setHeader('X-Client', request.socket instanceof TLSSocket ? 'over TLS' : 'plain');
    file(BYTES)(request, response);
  }, tls);
}

describe('a client certificate', () => {
  it('is shown to its host, by clients and relays, and to no other', async () => {
    const own = selfSigned(['127.0.0.1']);
    const mine = selfSigned(['node.test']);
    const origin = await demanding(own, mine);
    const shown: TrustEntry = {
      host: { host: '127.0.0.1', port: origin.port },
      ca: [pem(own.cert)],
      cert: pem(mine.cert),
      key: pem(mine.key),
    };
    const trust = new Trust([shown]);
    const answer = await client(trust).open({ url: origin.url, headers: [] }, idle);
    expect((await all(answer.body)).equals(BYTES)).toBe(true);
    const relay = keep(new Relay({ firstByteTimeout: 2000, stallTimeout: 2000, outward: { trust } }));
    const passed = await relay.send({ registry: origin.url, method: 'HEAD', path: '/', headers: [] }, idle);
    expect([passed.status, valueOf(passed.headers, 'x-client')]).toEqual([200, 'over TLS']);

    const other = new Trust([
      { ...shown, host: { host: '127.0.0.1', port: origin.port + 1 } },
      { ca: [pem(own.cert)] },
    ]);
    const error = await originError(client(other).open({ url: origin.url, headers: [] }, idle));
    expect(error.kind).toBe('unreachable');
  });
});

/** Connects to two servers with the certificate `ours` of the arguments, and tells how that went: Node reads its own ones when it starts. */
const CONNECTING = `
  const { createServer, connect } = require('node:tls');
  const { outwardFrom } = require('@cdk8s-dragonfly/origin');
  const { servers, ours } = JSON.parse(process.argv[1]);
  const { trust } = outwardFrom({ originCa: [ours], originCert: [], originKey: [] }, process.env);
  for (const own of servers) {
    const server = createServer(own).on('tlsClientError', () => undefined);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      const secureContext = trust.contextFor(new URL('https://127.0.0.1:' + port));
      const end = (how) => (console.log(how), socket.destroy(), server.close());
      const socket = connect({ port, host: '127.0.0.1', secureContext }, () => end('trusted'));
      socket.on('error', ({ code }) => end(code));
    });
  }
`;

describe('a further authority', () => {
  it.each([
    ['NODE_EXTRA_CA_CERTS', []],
    ['SSL_CERT_FILE', ['--use-openssl-ca']],
  ])('counts beside those of %s', (variable, flags) => {
    const [nodes, ours] = [selfSigned(['a.test', '127.0.0.1']), selfSigned(['b.test', '127.0.0.1'])];
    const what = JSON.stringify({ servers: [nodes, ours], ours: pem(ours.cert) });
    const env = { ...process.env, [variable]: pem(nodes.cert) };
    const argv = [...flags, '-e', CONNECTING, what];
    const child = spawnSync(process.execPath, argv, { cwd: __dirname, encoding: 'utf8', env });
    expect(child.stderr).toBe('');
    expect(child.stdout).toBe('trusted\ntrusted\n');
  });
});

describe('files', () => {
  it('are read anew when they change, for new connections; broken ones do not count', async () => {
    let now = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
    const first = selfSigned(['127.0.0.1']);
    const second = selfSigned(['127.0.0.1']);
    const origin = await server((request, response) => {
      response.setHeader('Connection', 'close');
      file(BYTES)(request, response);
    }, second);
    const path = pem(first.cert);
    const asking = client(new Trust([{ ca: [path] }]));
    expect((await originError(asking.open({ url: origin.url, headers: [] }, idle))).kind).toBe('unreachable');
    writeFileSync(path, second.cert);
    now = 1001;
    expect((await asking.open({ url: origin.url, headers: [] }, idle)).status).toBe(200);
    writeFileSync(path, 'half a certificate');
    now = 3000;
    expect((await asking.open({ url: origin.url, headers: [] }, idle)).status).toBe(200);
    jest.restoreAllMocks();
  });

  it.each<[string, () => TrustEntry, string]>([
    ['is missing', () => ({ ca: ['/nowhere/ca.pem'] }), 'the certificate /nowhere/ca.pem cannot be used: '],
    ['is no certificate', () => ({ ca: [pem('hello')] }), 'it holds no certificate in PEM form'],
    [
      'belongs to another key',
      (): TrustEntry => {
        const [one, two] = [selfSigned(['a']), selfSigned(['a'])];
        return { host: { host: 'a' }, cert: pem(one.cert), key: pem(two.key) };
      },
      'cannot be used together: ',
    ],
    [
      'is empty, beside a key',
      (): TrustEntry => ({ host: { host: 'a' }, cert: pem(''), key: pem(selfSigned(['a']).key) }),
      'holds no certificate in PEM form',
    ],
    [
      'has no key',
      () => ({ host: { host: 'a' }, cert: pem(selfSigned(['a']).cert) }),
      'needs its key: a client certificate and its key go together',
    ],
    [
      'has no host',
      (): TrustEntry => {
        const { cert, key } = selfSigned(['a']);
        return { cert: pem(cert), key: pem(key) };
      },
      'needs a host that it is shown to',
    ],
  ])('that %s: an error at once', (_fault, entry, message) => {
    expect(() => new Trust([entry()])).toThrow(message);
  });
});
