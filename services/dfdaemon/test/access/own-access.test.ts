import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf } from '@cdk8s-dragonfly/protocol';
import { DockerCredentials } from '../../src/index';
import { ask } from '../support/client';
import { FakeProvider } from '../support/fake-provider';
import { MirrorBench } from '../support/mirror-bench';
import type { BenchOptions } from '../support/mirror-bench';

const LAYER = Buffer.from('a layer');
const BLOB = digestOf(LAYER);
const IMAGE = Buffer.from(JSON.stringify({ layers: [{ digest: BLOB }] }));
const USER = `Basic ${Buffer.from('robot:pa:ss').toString('base64')}`;

let folder = '';
let bench: MirrorBench | undefined;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'own-access-'));
});
afterEach(async () => {
  await bench?.stop();
  bench = undefined;
});
afterAll(() => rmSync(folder, { recursive: true }));

function config(auths: object, name = 'config.json'): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify({ auths }));
  return path;
}

/** A registry with its token server: `robot` may have everything, anybody what is in `public/`. */
class Guarded {
  /** Where tokens are given; default: here. */
  realm: string | undefined;
  readonly seen: string[] = [];
  readonly listener: RequestListener = (request, response) => {
    const { url = '', headers, method = '' } = request;
    const { authorization = 'none' } = headers;
    this.seen.push(`${method} ${url.split('?')[0]} ${authorization}`);
    const here = `http://${headers.host}`;
    const { searchParams, pathname } = new URL(url, here);
    if (pathname === '/token') {
      const scope = searchParams.get('scope') ?? 'none';
      const allowed = authorization === USER || scope.startsWith('repository:public/');
      response.end(JSON.stringify({ token: allowed ? `for-${scope}` : 'for-nothing', expires_in: 300 }));
      return;
    }
    const name = /^\/v2\/(.+)\/(?:manifests|blobs)\//.exec(pathname)?.[1];
    const scope = name === undefined ? 'none' : `repository:${name}:pull`;
    if (authorization !== `Bearer for-${scope}`) {
      const asked = name === undefined ? '' : `,scope="${scope}"`;
      const challenge = `Bearer realm="${this.realm ?? `${here}/token`}",service="here"${asked}`;
      response.writeHead(401, { 'WWW-Authenticate': challenge }).end();
    } else response.end(pathname.includes('/blobs/') ? LAYER : IMAGE);
  };
}

async function start(guarded: Guarded, options: BenchOptions = {}): Promise<MirrorBench> {
  const provider = new FakeProvider(() => ({ bytes: LAYER }));
  bench = await MirrorBench.start(provider, guarded.listener, { authorization: 'origin', ...options });
  return bench;
}

describe('a registry in the path', () => {
  const registries = ['guarded.test=http://REGISTRY'];

  test('is asked as anybody, whose token is asked for once; what the client sends goes nowhere', async () => {
    const guarded = new Guarded();
    const { port } = await start(guarded, { registries });
    const headers = { Authorization: 'Bearer of-another-registry' };
    const manifest = await ask(port, '/v2/guarded.test/public/app/manifests/1', { headers });
    expect([manifest.status, manifest.body.equals(IMAGE)]).toEqual([200, true]);
    expect((await ask(port, `/v2/guarded.test/public/app/blobs/${BLOB}`, { headers })).body.equals(LAYER)).toBe(true);
    expect((await ask(port, '/v2/guarded.test/public/app/manifests/1')).status).toBe(200);
    expect(guarded.seen).toEqual([
      'GET /v2/public/app/manifests/1 none',
      'GET /token none',
      'GET /v2/public/app/manifests/1 Bearer for-repository:public/app:pull',
      'GET /v2/public/app/manifests/1 Bearer for-repository:public/app:pull',
    ]);
  });

  test('that wants more than anybody has gets its own refusal through', async () => {
    const { port } = await start(new Guarded(), { registries });
    const answer = await ask(port, '/v2/guarded.test/private/app/manifests/1');
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toContain('realm=');
  });
});

describe('credentials of the daemon', () => {
  test('open a registry to clients that send none, ping included, and to no other registry', async () => {
    const guarded = new Guarded();
    const auth = config({ 'guarded.test': { auth: Buffer.from('robot:pa:ss').toString('base64') } });
    const { port, registryHost } = await start(guarded, { auth, registries: ['guarded.test=http://REGISTRY'] });
    expect((await ask(port, '/v2/?ns=guarded.test')).status).toBe(200);
    expect((await ask(port, '/v2/private/app/manifests/1?ns=guarded.test')).body.equals(IMAGE)).toBe(true);
    expect((await ask(port, `/v2/private/app/blobs/${BLOB}?ns=guarded.test`)).body.equals(LAYER)).toBe(true);
    expect(guarded.seen.filter((line) => line.includes(USER))).toEqual([`GET /token ${USER}`, `GET /token ${USER}`]);
    expect(registryHost).not.toBe('');
  });

  test('stand in several files: the first that knows the repository counts', async () => {
    const guarded = new Guarded();
    const auth = [
      config({ 'guarded.test/other': { username: 'stranger', password: 'x' } }, '1.json'),
      config({ 'guarded.test': { username: 'robot', password: 'pa:ss' } }, '2.json'),
      config({ 'guarded.test': { username: 'late', password: 'x' } }, '3.json'),
    ];
    const { port } = await start(guarded, { auth, registries: ['guarded.test=http://REGISTRY'] });
    expect((await ask(port, '/v2/private/app/manifests/1?ns=guarded.test')).body.equals(IMAGE)).toBe(true);
    expect(guarded.seen).toContain(`GET /token ${USER}`);
  });

  test('give way to those of a client', async () => {
    const guarded = new Guarded();
    const auth = config({ 'guarded.test': { username: 'robot', password: 'pa:ss' } });
    const { port } = await start(guarded, { auth, registries: ['guarded.test=http://REGISTRY'] });
    const answer = await ask(port, '/v2/private/app/manifests/1', { headers: { Authorization: 'Bearer mine' } });
    expect(answer.status).toBe(401);
    expect(guarded.seen).toEqual(['GET /v2/private/app/manifests/1 Bearer mine']);
  });

  test('open nothing but pulls', async () => {
    const guarded = new Guarded();
    const auth = config({ 'guarded.test': { username: 'robot', password: 'pa:ss' } });
    const { port } = await start(guarded, { auth, registries: ['guarded.test=http://REGISTRY'] });
    for (const path of ['/v2/_catalog', '/api/v2.0/users', '/token?scope=x']) await ask(port, path);
    expect(guarded.seen.map((line) => line.split(' ').at(-1))).toEqual(['none', 'none', 'none']);
  });

  test('are not shown to a token server that the registry names elsewhere, unless it is configured', async () => {
    const elsewhere = new Guarded();
    const other = await start(elsewhere);
    const guarded = new Guarded();
    guarded.realm = `http://${other.registryHost.replace('127.0.0.1', 'localhost')}/token`;
    const auth = config({ 'guarded.test': { username: 'robot', password: 'pa:ss' } });
    const provider = new FakeProvider(() => ({ bytes: LAYER }));
    const options = { auth, registries: ['guarded.test=http://REGISTRY'] };
    const mirror = await MirrorBench.start(provider, guarded.listener, options);
    const answer = await ask(mirror.port, '/v2/private/app/manifests/1?ns=guarded.test');
    expect(answer.status).toBe(401);
    expect(elsewhere.seen).toEqual([]);
    expect(JSON.stringify(mirror.warnings)).toContain('credentials are not sent to this token server');
    expect(JSON.stringify(mirror.warnings)).not.toContain('pa:ss');
    await mirror.stop();
  });
});

describe('docker config.json', () => {
  const credentials = DockerCredentials.parse(
    JSON.stringify({
      auths: {
        'https://index.docker.io/v1/': { auth: Buffer.from('hub:1').toString('base64') },
        'harbor.test:5000': { username: 'all', password: '2' },
        'harbor.test:5000/team': { username: 'team', password: '3' },
        'empty.test': {},
      },
    }),
  );

  test.each([
    [['registry-1.docker.io', 'docker.io'], 'library/x', 'hub'],
    [['harbor.test:5000'], 'other/x', 'all'],
    [['harbor.test:5000'], 'team/x', 'team'],
    [['harbor.test:5000'], 'teams/x', 'all'],
    [['harbor.test:5000'], undefined, 'all'],
    [['harbor.test'], 'x', undefined],
    [['empty.test'], 'x', undefined],
  ])('has for %j and %s the user %s', (hosts, name, user) => {
    expect(credentials.for(hosts, name)?.username).toBe(user);
  });

  test.each(['', '{', '[]', '{"auths": 7}', '{"auths": {"a": {"auth": 7}}}'])(
    '%j is refused without being quoted',
    (text) => {
      expect(() => DockerCredentials.parse(text)).toThrow('it is no docker config.json');
    },
  );

  test('"auth" that is no pair is refused by the name of its registry', () => {
    const text = JSON.stringify({ auths: { 'r.test': { auth: Buffer.from('secret').toString('base64') } } });
    expect(() => DockerCredentials.parse(text)).toThrow(/^"auth" of "r.test" is no USER:PASSWORD in base64$/);
  });
});
