import type { IncomingHttpHeaders, RequestListener } from 'node:http';
import type { HeaderLine, OriginLog } from '../src';
import { OriginClient, OriginRules } from '../src';
import { useCast } from './cast';
import type { OriginServer } from './origin-server';
import { all, content, expectEventually, file } from './origin-server';
import { originError } from './rejection';

const BYTES = content(50_000);
const idle = new AbortController().signal;
const { server, keep } = useCast();

function client(allowed: readonly OriginServer[], log?: OriginLog): OriginClient {
  const rules = new OriginRules({ allow: allowed.map(({ port }) => ({ host: '127.0.0.1', port })) });
  return keep(new OriginClient({ rules, connectTimeout: 1000, firstByteTimeout: 5000, stallTimeout: 5000, log }));
}

/** Redirects every request to what `target` says. */
function redirector(status: number, target: () => string): RequestListener {
  return (_request, response) => response.writeHead(status, { Location: target() }).end('moved');
}

const SECRETS: readonly HeaderLine[] = [
  ['Authorization', 'Bearer hunter2'],
  ['Cookie', 'a=b'],
  ['X-Auth-Token', 't'],
  ['Private-Token', 't'],
  ['Referer', 'http://inside/'],
  ['User-Agent', 'agent/1'],
  ['Accept', 'a/b'],
];

/** The fields of a request that a client chose. */
function chosen(headers: IncomingHttpHeaders | undefined): IncomingHttpHeaders {
  const ours = new Set(['host', 'connection', 'accept-encoding']);
  return Object.fromEntries(Object.entries(headers ?? {}).filter(([name]) => !ours.has(name)));
}

describe('redirects', () => {
  it.each([301, 302, 303, 307, 308])('%i is followed, relative to the URL asked, with Range', async (status) => {
    const serving = file(BYTES);
    const origin = await server((request, response) =>
      request.url?.startsWith('/a/b') === true
        ? redirector(status, () => '../blob?sig=1')(request, response)
        : serving(request, response),
    );
    const headers: HeaderLine[] = [['Authorization', 'Bearer x']];
    const request = { url: new URL('/a/b', origin.url), headers, from: 100 };
    const answer = await client([origin]).open(request, idle);
    expect((await all(answer.body)).equals(BYTES.subarray(100))).toBe(true);
    expect(origin.requests.map(({ url }) => url)).toEqual(['/a/b', '/blob?sig=1']);
    expect(origin.requests[1]?.headers).toMatchObject({ authorization: 'Bearer x', range: 'bytes=100-' });
    expect(origin.connections()).toBe(1);
  });

  it('take no credentials to another origin, not even on the way back', async () => {
    const last = await server(file(BYTES));
    const second = await server(redirector(307, () => `${first.url.href}again`));
    const first: OriginServer = await server((request, response) => {
      const target = request.url === '/again' ? last.url.href : second.url.href;
      response.writeHead(307, { Location: target }).end();
    });
    const answer = await client([first, second, last]).open({ url: first.url, headers: SECRETS, from: 5 }, idle);
    expect(answer.finalHost).toBe(last.host);
    expect((await all(answer.body)).equals(BYTES.subarray(5))).toBe(true);
    const kept = { 'user-agent': 'agent/1', accept: 'a/b', range: 'bytes=5-' };
    expect(chosen(first.requests[0]?.headers)).toEqual({
      ...kept,
      authorization: 'Bearer hunter2',
      cookie: 'a=b',
      'x-auth-token': 't',
      'private-token': 't',
      referer: 'http://inside/',
    });
    expect(chosen(second.requests[0]?.headers)).toEqual(kept);
    expect(chosen(first.requests[1]?.headers)).toEqual(kept);
    expect(chosen(last.requests[0]?.headers)).toEqual(kept);
  });

  it('end after ten, and the log has no queries', async () => {
    const lines: string[] = [];
    const log: OriginLog = {
      debug: (message, fields) => lines.push(`${message} ${JSON.stringify(fields)}`),
      warn: (message, fields) => lines.push(`${message} ${JSON.stringify(fields)}`),
    };
    const origin = await server(redirector(302, () => '/x?sig=hunter2'));
    const error = await originError(client([origin], log).open({ url: origin.url, headers: [] }, idle));
    expect(error).toMatchObject({ kind: 'protocol', retryable: false });
    expect(error.message).toBe(`Origin ${origin.host} redirected more than 10 times, last to ${origin.host}.`);
    expect(origin.requests).toHaveLength(11);
    expect(lines).toHaveLength(11);
    expect(lines[1]).toBe(`origin answered {"url":"http://${origin.host}/x","status":302}`);
  });

  it.each([
    ['without a Location', {}],
    ['with a Location that is no URL', { Location: 'http://[oops' }],
  ])('%s are an error', async (fault, headers) => {
    const origin = await server((_request, response) => response.writeHead(302, headers).end());
    const error = await originError(client([origin]).open({ url: origin.url, headers: [] }, idle));
    expect(error.message).toBe(`Origin ${origin.host} answered with redirect 302 ${fault}.`);
  });

  it('to what the rules refuse are not followed', async () => {
    const inner = await server(file(BYTES));
    const origin = await server(redirector(302, () => `${inner.url.href}secret?sig=hunter2`));
    const error = await originError(client([origin]).open({ url: origin.url, headers: [] }, idle));
    expect(error.kind).toBe('forbidden');
    expect(error.message).toBe(
      `Origin ${inner.host} is refused: a redirect led there over plain http; allow it with --allow-origin ${inner.host}.`,
    );
    expect(inner.connections()).toBe(0);
  });

  it('with a user name and password are not followed', async () => {
    const origin = await server(redirector(302, () => `http://user:hunter2@${origin.host}/`));
    const error = await originError(client([origin]).open({ url: origin.url, headers: [] }, idle));
    expect(error.kind).toBe('forbidden');
    expect(error.message).not.toContain('hunter2');
    expect(origin.requests).toHaveLength(1);
  });

  it('whose body never ends do not hold anything up', async () => {
    const serving = file(BYTES);
    const origin = await server((request, response) => {
      if (request.url === '/') {
        response.writeHead(302, { Location: '/blob' }).write('and so on');
        return;
      }
      serving(request, response);
    });
    const answer = await client([origin]).open({ url: origin.url, headers: [] }, idle);
    expect(await all(answer.body)).toHaveLength(50_000);
    await expectEventually(() => origin.sockets.size <= 1);
  });
});
