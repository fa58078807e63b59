import { randomBytes } from 'node:crypto';

import { status } from '../classic/fixture';
import { Running } from '../ops/running';
import { FakeRegistry, FakeServer } from './fake-registry';
import { preheat } from './ordering';

const USER = { username: 'team', password: 'correct horse' };
const BASIC = `Basic ${Buffer.from('team:correct horse').toString('base64')}`;

describe('access to the registry of an image', () => {
  let registry: FakeRegistry;
  let tokens: FakeServer;
  let running: Running;
  let given: number;
  /** The token that the registry takes now. */
  let good: string;

  beforeEach(async () => {
    registry = await FakeRegistry.start();
    tokens = await FakeServer.listen();
    given = 0;
    good = 'secret-token-1';
    tokens.answer = (request, response) => {
      if (request.headers.authorization !== BASIC) {
        response.writeHead(401).end();
        return;
      }
      given += 1;
      response.end(JSON.stringify({ token: `secret-token-${given}`, expires_in: 60 }));
    };
    const allowOrigin = [registry, tokens].map(({ host, port }) => ({ host, port }));
    running = await Running.start(status(404), { allowOrigin });
    registry.addImage([registry.addBlob(randomBytes(1000)), registry.addBlob(randomBytes(1000))], {}, '1');
    challenge(`${tokens.origin}/token`);
  });
  afterEach(async () => {
    await running.stop();
    await Promise.all([registry.stop(), tokens.stop()]);
  });

  function challenge(realm: string): void {
    registry.challenge = {
      header: `Bearer realm="${realm}",service="registry.test",scope="repository:team/app:pull"`,
      takes: (authorization) => authorization === `Bearer ${good}`,
    };
  }

  const preheatImage = async (more: object): ReturnType<typeof preheat> =>
    preheat(running, { type: 'image', url: registry.url('manifests/1'), ...more });
  const cannotRead = (why: string): string => `the manifest ${registry.url('manifests/1')} cannot be read: ${why}`;

  it('takes credentials to the token server that the registry names, once, and shows them to nobody', async () => {
    const done = await preheatImage(USER);
    expect(done).toMatchObject({
      status: 'SUCCESS',
      blobs: [{ state: 'SUCCESS' }, { state: 'SUCCESS' }, { state: 'SUCCESS' }],
    });
    expect(tokens.seen.map(({ path }) => path)).toEqual([
      '/token?service=registry.test&scope=repository%3Ateam%2Fapp%3Apull',
    ]);
    // The registry itself sees the token, never the password.
    const seen = registry.seen.map(({ headers }) => headers.authorization);
    expect(seen).toEqual([undefined, ...Array.from({ length: 4 }, () => 'Bearer secret-token-1')]);
    const shown = [...running.lines, JSON.stringify(done), (await running.ask('/metrics')).text].join('\n');
    for (const secret of ['secret-token', 'correct horse', BASIC.slice(6)]) expect(shown).not.toContain(secret);
  });

  it('takes them from an Authorization header as well, and from tokens that are given as access_token', async () => {
    tokens.answer = (request, response) => {
      response.end(JSON.stringify({ access_token: request.headers.authorization === BASIC ? good : 'bad' }));
    };
    expect((await preheatImage({ headers: { authorization: BASIC } })).status).toBe('SUCCESS');
  });

  it('asks for a new token when one has run out in the middle', async () => {
    const give = registry.answer;
    registry.answer = (request, response) => {
      if (request.url?.includes('/blobs/') === true) good = 'secret-token-2';
      give(request, response);
    };
    expect((await preheatImage(USER)).status).toBe('SUCCESS');
    expect(given).toBe(2);
  });

  it('sends name and password to the registry itself when that asks for them', async () => {
    registry.challenge = { header: 'Basic realm="registry"', takes: (authorization) => authorization === BASIC };
    expect((await preheatImage(USER)).status).toBe('SUCCESS');
    expect(tokens.seen).toEqual([]);
  });

  it('fails without credentials, and with wrong ones', async () => {
    const refused = `the token server ${tokens.origin}/token of the registry 127.0.0.1:${registry.port} gave no token: Origin 127.0.0.1:${tokens.port} answered with status 401`;
    expect((await preheatImage({})).errMsg).toBe(cannotRead(refused));
    registry.challenge = { header: 'Basic realm="registry"', takes: () => false };
    const done = await preheatImage({ ...USER, identifier: 'another' });
    const why = `Origin 127.0.0.1:${registry.port} answered with status 401; credentials are missing or not good enough`;
    expect(done.errMsg).toBe(cannotRead(why));
  });

  it.each([
    ['no JSON', 'hello'],
    ['no token', '{"token":""}'],
    ['a token that cannot be sent', '{"token":"a\\r\\nb"}'],
  ])('fails when the token server sends %s', async (_what, body) => {
    tokens.answer = (_request, response) => response.end(body);
    expect((await preheatImage(USER)).errMsg).toMatch(/ gave no token: it sent no token$/);
  });

  it('sends no credentials over plain http to another host, even one on the list', async () => {
    const other = await FakeServer.listen('127.0.0.2');
    try {
      challenge(`${other.origin}/token`);
      const done = await preheatImage(USER);
      const why = `the registry 127.0.0.1:${registry.port} names ${other.origin}/token for its tokens, and credentials are sent over https only`;
      expect(done).toMatchObject({ status: 'FAILED', errMsg: cannotRead(why) });
      // Without credentials it may be asked no more than a redirect may lead there.
      const anonymous = await preheatImage({ identifier: 'another' });
      expect(anonymous.errMsg).toContain(
        `Origin 127.0.0.2:${other.port} is refused: a redirect led there over plain http`,
      );
      expect(other.seen).toEqual([]);
    } finally {
      await other.stop();
    }
  });

  it.each([
    ['https://10.1.2.3/token', '10.1.2.3 is a private address'],
    ['https://169.254.169.254/latest', '169.254.169.254 is a '],
    ['https://127.0.0.9/token', '127.0.0.9 is a loopback address'],
  ])('does not ask a token server at %s, which nobody but the registry named', async (realm, why) => {
    challenge(realm);
    const done = await preheatImage({});
    expect(done.status).toBe('FAILED');
    expect(done.errMsg).toContain(`is refused: a redirect led there and ${why}`);
  });

  it('shows credentials to no token server that is not known to belong to the registry, whatever the registry names', async () => {
    challenge('https://collector.example.com/token');
    const done = await preheatImage(USER);
    const host = `127.0.0.1:${registry.port}`;
    const why = `the registry ${host} names https://collector.example.com/token for its tokens, which is not known to belong to it: credentials are not sent there; --token-server ${host}=collector.example.com of the supernode allows it`;
    expect(done).toMatchObject({ status: 'FAILED', errMsg: cannotRead(why) });
  });

  it('gets a token for a single file, too', async () => {
    const { digest } = registry.addBlob(randomBytes(5000));
    const done = await preheat(running, { type: 'file', url: registry.url(`blobs/${digest}`), ...USER });
    expect(done).toMatchObject({ status: 'SUCCESS', blobs: [{ digest, bytes: 5000, state: 'SUCCESS' }] });
  });
});
