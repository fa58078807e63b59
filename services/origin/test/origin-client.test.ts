import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { OriginRequest } from '../src';
import { OriginClient, OriginRules } from '../src';
import { useCast } from './cast';
import type { OriginServer } from './origin-server';
import { all, content, expectEventually, file } from './origin-server';
import { originError } from './rejection';

const BYTES = content(300_000);
const { server, keep } = useCast();

function client(
  allowed: readonly OriginServer[],
  times: { firstByteTimeout?: number; stallTimeout?: number } = {},
): OriginClient {
  const rules = new OriginRules({ allow: allowed.map(({ port }) => ({ host: '127.0.0.1', port })) });
  return keep(new OriginClient({ rules, connectTimeout: 1000, firstByteTimeout: 5000, stallTimeout: 5000, ...times }));
}

function get(url: URL, more: Partial<OriginRequest> = {}): OriginRequest {
  return { url, headers: [], ...more };
}

const idle = new AbortController().signal;

describe('an answer', () => {
  it('carries length, tag, type and the bytes', async () => {
    const origin = await server(file(BYTES));
    const answer = await client([origin]).open(get(origin.url), idle);
    expect({ ...answer, body: undefined, discard: undefined }).toEqual({
      status: 200,
      size: 300_000,
      from: 0,
      acceptsRanges: true,
      etag: '"one"',
      lastModified: undefined,
      contentType: 'application/octet-stream',
      finalHost: origin.host,
      body: undefined,
      discard: undefined,
    });
    expect((await all(answer.body)).equals(BYTES)).toBe(true);
  });

  it('has no size when the origin sends chunks without a length', async () => {
    const origin = await server((_request, response) => {
      response.write(BYTES.subarray(0, 1000));
      response.end(BYTES.subarray(1000));
    });
    const answer = await client([origin]).open(get(origin.url), idle);
    expect(answer.size).toBeUndefined();
    expect((await all(answer.body)).equals(BYTES)).toBe(true);
  });

  it('may be empty', async () => {
    const origin = await server(file(Buffer.alloc(0)));
    const answer = await client([origin]).open(get(origin.url), idle);
    expect(answer.size).toBe(0);
    expect(await all(answer.body)).toHaveLength(0);
  });

  it('gives a middle part by Range with the size of the whole', async () => {
    const origin = await server(file(BYTES));
    const answer = await client([origin]).open(get(origin.url, { from: 1000, end: 5000 }), idle);
    expect(origin.requests[0]?.headers.range).toBe('bytes=1000-4999');
    expect(answer).toMatchObject({ status: 206, size: 300_000, from: 1000, acceptsRanges: true });
    expect((await all(answer.body)).equals(BYTES.subarray(1000, 5000))).toBe(true);
  });

  it.each([
    ['is empty and therefore has no range', file(Buffer.alloc(0)), 0],
    [
      'is of a server that has none',
      (request: IncomingMessage, response: ServerResponse) => {
        if (request.headers.range === undefined) response.end(BYTES);
        else response.writeHead(416).end();
      },
      1000,
    ],
  ])('asks for the whole of what %s, and gives the part from its first byte', async (_what, handler, length) => {
    const origin = await server(handler);
    const answer = await client([origin]).open(get(origin.url, { end: 1000 }), idle);
    expect(origin.requests.map(({ headers }) => headers.range)).toEqual(['bytes=0-999', undefined]);
    expect((await all(answer.body)).equals(BYTES.subarray(0, length))).toBe(true);
  });

  it('skips and cuts when the server ignores Range', async () => {
    const origin = await server((_request, response) => response.setHeader('Accept-Ranges', 'bytes').end(BYTES));
    const answer = await client([origin]).open(get(origin.url, { from: 70_001, end: 200_003 }), idle);
    expect(answer).toMatchObject({ status: 200, size: 300_000, from: 70_001, acceptsRanges: false });
    expect((await all(answer.body)).equals(BYTES.subarray(70_001, 200_003))).toBe(true);
    await expectEventually(() => origin.sockets.size === 0);
  });

  it('keeps the connection for the next request', async () => {
    const origin = await server(file(BYTES));
    const asking = client([origin]);
    for (const from of [0, 10, 20]) {
      await all((await asking.open(get(origin.url, { from, end: 100_000 }), idle)).body);
      await nextTurn();
      await all((await asking.open(get(origin.url, { from }), idle)).body);
      await nextTurn();
    }
    expect(origin.requests).toHaveLength(6);
    expect(origin.connections()).toBe(1);
  });
});

describe('the request', () => {
  it('passes client headers on, and keeps its own to itself', async () => {
    const origin = await server(file(BYTES));
    const headers = [
      ['Authorization', 'Bearer abc'],
      ['accept', 'a/b'],
      ['Accept', 'c/d'],
      ['X-Custom', 'yes'],
      ['Host', 'evil.example'],
      ['Range', 'bytes=5-6'],
      ['If-None-Match', '"one"'],
      ['Accept-Encoding', 'gzip'],
      ['Content-Length', '10'],
      ['Connection', 'close, X-Hop'],
      ['X-Hop', '1'],
      ['TE', 'trailers'],
      ['Transfer-Encoding', 'chunked'],
      ['Proxy-Authorization', 'Basic x'],
    ] as const;
    const answer = await client([origin]).open(
      get(new URL('/v2/a?x=1', origin.url), { headers, from: 7, ifRange: '"one"' }),
      idle,
    );
    await all(answer.body);
    const [seen] = origin.requests;
    expect(seen?.url).toBe('/v2/a?x=1');
    const pairs: [string, string][] = [];
    for (let at = 0; at < seen!.rawHeaders.length; at += 2) {
      pairs.push([seen!.rawHeaders[at]!, seen!.rawHeaders[at + 1]!]);
    }
    expect(pairs).toEqual([
      ['Host', origin.host],
      ['Authorization', 'Bearer abc'],
      ['accept', 'a/b'],
      ['Accept', 'c/d'],
      ['X-Custom', 'yes'],
      ['Accept-Encoding', 'identity'],
      ['Range', 'bytes=7-'],
      ['If-Range', '"one"'],
      ['Connection', 'keep-alive'],
    ]);
  });

  it('refuses ranges that are none, and headers that HTTP does not allow', async () => {
    const origin = await server(file(BYTES));
    const asking = client([origin]);
    await expect(asking.open(get(origin.url, { from: 5, end: 5 }), idle)).rejects.toThrow(RangeError);
    await expect(asking.open(get(origin.url, { from: -1 }), idle)).rejects.toThrow(RangeError);
    const split = asking.open(get(origin.url, { headers: [['Authorization', 'secret\r\nX: y']] }), idle);
    const error = await originError(split);
    expect(error).toMatchObject({ kind: 'protocol', retryable: false });
    expect(error.message).not.toContain('secret');
    expect(origin.requests).toHaveLength(0);
  });
});

describe('statuses', () => {
  it('carries the challenge of a 401', async () => {
    const origin = await server((_request, response) => {
      response.setHeader('WWW-Authenticate', ['Bearer realm="https://auth/token",service="s"', 'Basic realm="r"']);
      response.writeHead(401).end('no');
    });
    const error = await originError(client([origin]).open(get(new URL('/b?sig=secret', origin.url)), idle));
    expect(error).toMatchObject({
      kind: 'status',
      status: 401,
      challenge: 'Bearer realm="https://auth/token",service="s", Basic realm="r"',
      retryable: false,
      message: `Origin ${origin.host} answered with status 401.`,
    });
  });

  it('says of a 407 that a proxy wants credentials, and where they are written', async () => {
    const origin = await server((_request, response) => response.writeHead(407).end());
    const error = await originError(client([origin]).open(get(origin.url), idle));
    expect(error.message).toBe(
      `Origin ${origin.host} answered with status 407, as a proxy does that wants credentials: write them into its URL in HTTPS_PROXY or HTTP_PROXY, before the host.`,
    );
  });

  it.each([
    [404, false],
    [304, false],
    [204, false],
    [408, true],
    [429, true],
    [500, true],
    [503, true],
    [501, false],
  ])('%i is an error, worth another try: %s', async (status, retryable) => {
    const origin = await server((_request, response) => response.writeHead(status, { 'Retry-After': '7' }).end());
    const error = await originError(client([origin]).open(get(origin.url), idle));
    expect(error).toMatchObject({ kind: 'status', status, retryable, retryAfterMs: 7000 });
  });

  it('416 tells the size', async () => {
    const origin = await server(file(BYTES));
    const error = await originError(client([origin]).open(get(origin.url, { from: 300_000 }), idle));
    expect(error).toMatchObject({ kind: 'status', status: 416, size: 300_000, retryable: false });
  });
});

describe('answers that cannot be used', () => {
  it.each(['gzip', 'zstd', 'GZIP'])('are encoded with %s in spite of identity', async (coding) => {
    const origin = await server((_request, response) =>
      response.setHeader('Content-Encoding', coding).end(gzipSync('x')),
    );
    const error = await originError(client([origin]).open(get(origin.url), idle));
    expect(error).toMatchObject({ kind: 'protocol', retryable: false });
    expect(error.message).toBe(
      `Origin ${origin.host} encoded the body although identity was asked for (Content-Encoding: ${coding}).`,
    );
  });

  it.each([
    ['another first byte', { 'Content-Range': 'bytes 11-19/100', 'Content-Length': '9' }],
    ['no Content-Range', { 'Content-Length': '9' }],
    ['a length that does not fit', { 'Content-Range': 'bytes 10-19/100', 'Content-Length': '9' }],
    ['more than asked', { 'Content-Range': 'bytes 10-30/100', 'Content-Length': '21' }],
    ['an end beyond the size', { 'Content-Range': 'bytes 10-19/15', 'Content-Length': '10' }],
  ])('are a 206 with %s', async (_name, headers) => {
    const origin = await server((_request, response) => {
      response.writeHead(206, headers).end(Buffer.alloc(Number(headers['Content-Length'])));
    });
    const error = await originError(client([origin]).open(get(origin.url, { from: 10, end: 20 }), idle));
    expect(error).toMatchObject({ kind: 'protocol', retryable: false });
  });

  it('are a 206 that nobody asked for', async () => {
    const origin = await server((_request, response) => {
      response.writeHead(206, { 'Content-Range': 'bytes 0-2/3' }).end('abc');
    });
    expect((await originError(client([origin]).open(get(origin.url), idle))).kind).toBe('protocol');
  });

  it('end before the first byte wanted', async () => {
    const origin = await server((_request, response) => response.end('abc'));
    const answer = await client([origin]).open(get(origin.url, { from: 5 }), idle);
    const error = await originError(all(answer.body));
    expect(error.message).toBe(`Origin ${origin.host} has only 3 bytes, but byte 5 was asked for.`);
  });

  it('are no HTTP', async () => {
    const origin = await server((request) => request.socket.end('hello, this is no HTTP\r\n\r\n'));
    expect(await originError(client([origin]).open(get(origin.url), idle))).toMatchObject({
      kind: 'protocol',
      retryable: false,
    });
  });
});
