import type { RequestListener } from 'node:http';
import type { Backoff, FetchOptions } from '../src';
import { delayAfter, fetchFrom, OriginClient, OriginRules } from '../src';
import { useCast } from './cast';
import type { OriginServer } from './origin-server';
import { all, content, expectEventually, sendFile } from './origin-server';
import { originError } from './rejection';

const BYTES = content(400_000);
const idle = new AbortController().signal;
const { server, keep } = useCast();

function client(): OriginClient {
  const rules = new OriginRules({ allow: [{ host: '127.0.0.1' }] });
  return keep(new OriginClient({ rules, connectTimeout: 1000, firstByteTimeout: 2000, stallTimeout: 150 }));
}

/** Waits nothing, and keeps how long it would have been. */
function noWait(): Backoff & { readonly waits: number[] } {
  const waits: number[] = [];
  return {
    first: 100,
    longest: 1000,
    random: () => 1,
    waits,
    wait: (ms, signal) => {
      waits.push(ms);
      signal.throwIfAborted();
      return Promise.resolve();
    },
  };
}

function options(more: Partial<FetchOptions> = {}): FetchOptions {
  return { signal: idle, backoff: noWait(), ...more };
}

/** The n-th request (from 0) is answered by the n-th handler, the last one for all that follow. */
function inTurn(...handlers: readonly RequestListener[]): RequestListener {
  let next = 0;
  return (request, response) => {
    const handler = handlers[Math.min(next, handlers.length - 1)];
    next += 1;
    handler?.(request, response);
  };
}

const whole: RequestListener = (request, response) => sendFile(request, response, BYTES);

/** Breaks off after `count` bytes of what a request asks for. */
function breakingAfter(count: number, bytes = BYTES, etag = '"one"'): RequestListener {
  return (request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.writeHead(from === 0 ? 200 : 206, {
      ETag: etag,
      'Content-Length': bytes.length - from,
      ...(from === 0 ? {} : { 'Content-Range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
    });
    response.write(bytes.subarray(from, from + count), () => response.destroy());
  };
}

/** The same, by a server without Range. */
function wholeBreakingAfter(count: number): RequestListener {
  return (_request, response) => {
    response.writeHead(200, { 'Content-Length': BYTES.length });
    response.write(BYTES.subarray(0, count), () => response.destroy());
  };
}

function ranges(origin: OriginServer): (string | undefined)[] {
  return origin.requests.map(({ headers }) => headers.range);
}

describe('a transfer that breaks', () => {
  it('goes on by Range with exactly the missing bytes', async () => {
    const origin = await server(inTurn(breakingAfter(100_001), breakingAfter(50_000), whole));
    const fetched = await fetchFrom(client(), { url: origin.url, headers: [['Authorization', 'Bearer x']] }, options());
    expect(fetched).toMatchObject({ size: 400_000, from: 0, etag: '"one"', finalHost: origin.host });
    expect((await all(fetched.body)).equals(BYTES)).toBe(true);
    expect(ranges(origin)).toEqual([undefined, 'bytes=100001-', 'bytes=150001-']);
    expect(origin.requests.map(({ headers }) => headers['if-range'])).toEqual([undefined, '"one"', '"one"']);
    expect(origin.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer x', 'Bearer x', 'Bearer x']);
  });

  it('goes on from where it was asked to begin', async () => {
    const origin = await server(inTurn(breakingAfter(10), whole));
    const fetched = await fetchFrom(client(), { url: origin.url, headers: [] }, options({ from: 399_000 }));
    expect(fetched).toMatchObject({ size: 400_000, from: 399_000 });
    expect((await all(fetched.body)).equals(BYTES.subarray(399_000))).toBe(true);
    expect(ranges(origin)).toEqual(['bytes=399000-', 'bytes=399010-']);
  });

  it('begins again and skips at an origin without Range', async () => {
    const origin = await server(
      inTurn(wholeBreakingAfter(100_000), wholeBreakingAfter(50_000), wholeBreakingAfter(200_000), (_q, response) =>
        response.end(BYTES),
      ),
    );
    const backoff = noWait();
    const fetched = await fetchFrom(client(), { url: origin.url, headers: [] }, options({ backoff }));
    expect((await all(fetched.body)).equals(BYTES)).toBe(true);
    expect(origin.requests).toHaveLength(4);
    // The second try ended before it came to new bytes: it was fruitless.
    expect(backoff.waits).toEqual([100, 200, 100]);
  });

  it('goes on after a stall', async () => {
    const origin = await server(
      inTurn((_request, response) => {
        response.writeHead(200, { 'Content-Length': BYTES.length, ETag: '"one"' });
        response.write(BYTES.subarray(0, 1000));
      }, whole),
    );
    const fetched = await fetchFrom(client(), { url: origin.url, headers: [] }, options());
    expect((await all(fetched.body)).equals(BYTES)).toBe(true);
    expect(ranges(origin)).toEqual([undefined, 'bytes=1000-']);
  });

  it('asks for the next part when the origin gives less than asked', async () => {
    const origin = await server((request, response) => {
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      const end = Math.min(from + 150_000, BYTES.length);
      response.writeHead(206, { 'Content-Range': `bytes ${from}-${end - 1}/${BYTES.length}` });
      response.end(BYTES.subarray(from, end));
    });
    const backoff = noWait();
    const fetched = await fetchFrom(client(), { url: origin.url, headers: [] }, options({ from: 1, backoff }));
    expect((await all(fetched.body)).equals(BYTES.subarray(1))).toBe(true);
    expect(ranges(origin)).toEqual(['bytes=1-', 'bytes=150001-', 'bytes=300001-']);
    expect(backoff.waits).toEqual([]);
  });

  it.each<[string, Partial<FetchOptions>, string | undefined]>([
    ['to its end', { from: 50_000 }, undefined],
    ['to its end, which is told at last', { from: 50_000 }, `bytes */${BYTES.length}`],
    ['as far as was asked', { from: 50_000, end: 399_999 }, undefined],
    ['to its end before what was asked', { from: 50_000, end: 500_000 }, undefined],
  ])('asks for the next part of unknown length %s', async (_what, more, told) => {
    const origin = await server((request, response) => {
      const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
      const [from, end] = [
        Number(first),
        Math.min(Number(first) + 100_000, last === '' ? Infinity : Number(last) + 1, BYTES.length),
      ];
      if (from >= BYTES.length) {
        response.writeHead(416, told === undefined ? {} : { 'Content-Range': told }).end();
        return;
      }
      const part = BYTES.subarray(from, end);
      response
        .writeHead(206, { 'Content-Range': `bytes ${from}-${end - 1}/*`, 'Content-Length': part.length })
        .end(part);
    });
    const fetched = await fetchFrom(client(), { url: origin.url, headers: [] }, options(more));
    expect(fetched.size).toBeUndefined();
    expect((await all(fetched.body)).equals(BYTES.subarray(more.from, more.end))).toBe(true);
  });

  it('of unknown length ends when the origin has no more (416)', async () => {
    const chunked: RequestListener = (_request, response) => {
      response.setHeader('ETag', '"one"');
      response.write(BYTES, () => response.destroy());
    };
    const origin = await server(inTurn(chunked, whole));
    const fetched = await fetchFrom(client(), { url: origin.url, headers: [] }, options());
    expect(fetched.size).toBeUndefined();
    expect((await all(fetched.body)).equals(BYTES)).toBe(true);
    expect(ranges(origin)).toEqual([undefined, 'bytes=400000-']);
  });

  it('of unknown length has not ended where it broke off and the origin refuses ranges without a word of it', async () => {
    const broken: RequestListener = (_request, response) => {
      response.write(BYTES.subarray(0, 1000), () => response.destroy());
    };
    const refusing: RequestListener = (_request, response) => {
      response.writeHead(416).end();
    };
    const origin = await server(inTurn(broken, refusing));
    const fetched = await fetchFrom(client(), { url: origin.url, headers: [] }, options());
    expect(await originError(all(fetched.body))).toMatchObject({ kind: 'status', status: 416 });
  });
});

describe('a resource that changes', () => {
  const other = content(400_000).fill(7, 0, 100);

  it.each([
    [
      'its entity tag',
      inTurn(breakingAfter(1000), (q, r) => sendFile(q, r, other, '"two"')),
      'its ETag is another one',
    ],
    [
      'its length',
      inTurn(breakingAfter(1000), (q, r) => sendFile(q, r, BYTES.subarray(0, 300_000))),
      'its length was 400000 and is 300000 bytes now',
    ],
    [
      'its date',
      inTurn(
        (_request, response) => {
          response.writeHead(200, { 'Content-Length': 400_000, 'Last-Modified': 'Mon, 01 Jan 2024 00:00:00 GMT' });
          response.write(BYTES.subarray(0, 1000), () => response.destroy());
        },
        (_request, response) => {
          response.setHeader('Last-Modified', 'Tue, 02 Jan 2024 00:00:00 GMT');
          response.end(other);
        },
      ),
      'its Last-Modified is another one',
    ],
  ] satisfies [string, RequestListener, string][])('by %s is given up', async (_what, handler, reason) => {
    const origin = await server(handler);
    const fetched = await fetchFrom(client(), { url: origin.url, headers: [] }, options());
    const error = await originError(all(fetched.body));
    expect(error).toMatchObject({ kind: 'changed', retryable: false });
    expect(error.message).toBe(`The resource at origin ${origin.host} changed during the download: ${reason}.`);
    expect(origin.requests).toHaveLength(2);
    await expectEventually(() => origin.sockets.size === 0);
  });

  it('by growing without a length is given up before a byte beyond the first length is passed on', async () => {
    const origin = await server(
      inTurn(wholeBreakingAfter(1000), (_request, response) => {
        response.write(BYTES, () => response.write(other));
      }),
    );
    const fetched = await fetchFrom(client(), { url: origin.url, headers: [] }, options());
    let received = 0;
    const reading = (async (): Promise<void> => {
      for await (const chunk of fetched.body) received += chunk.length;
    })();
    const error = await originError(reading);
    expect(error).toMatchObject({ kind: 'changed', retryable: false });
    expect(error.message).toBe(
      `The resource at origin ${origin.host} changed during the download: it had 400000 bytes and now has more.`,
    );
    expect(received).toBeLessThanOrEqual(400_000);
    await expectEventually(() => origin.sockets.size === 0);
  });

  it('only by its tag is the same when its URL names the digest', async () => {
    const origin = await server(inTurn(breakingAfter(1000), (q, r) => sendFile(q, r, BYTES, '"two"')));
    const fetched = await fetchFrom(client(), { url: origin.url, headers: [] }, options({ byDigest: true }));
    expect((await all(fetched.body)).equals(BYTES)).toBe(true);
    expect(ranges(origin)).toEqual([undefined, 'bytes=1000-']);
    expect(origin.requests[1]?.headers['if-range']).toBeUndefined();
  });

  it('does not ask by a weak tag, but compares it', async () => {
    const origin = await server(
      inTurn(breakingAfter(1000, BYTES, 'W/"one"'), (q, r) => sendFile(q, r, BYTES, 'W/"two"')),
    );
    const fetched = await fetchFrom(client(), { url: origin.url, headers: [] }, options());
    expect((await originError(all(fetched.body))).kind).toBe('changed');
    expect(origin.requests[1]?.headers['if-range']).toBeUndefined();
  });
});

describe('giving up', () => {
  const failing: RequestListener = (_request, response) => response.writeHead(503).end();

  it('comes after the given number of fruitless tries, with the last error and growing waits', async () => {
    const origin = await server(failing);
    const backoff = noWait();
    const error = await originError(
      fetchFrom(client(), { url: origin.url, headers: [] }, options({ attempts: 6, backoff })),
    );
    expect(error).toMatchObject({ kind: 'status', status: 503 });
    expect(origin.requests).toHaveLength(6);
    expect(backoff.waits).toEqual([100, 200, 400, 800, 1000]);
  });

  it('counts again from a received byte on', async () => {
    const origin = await server(
      inTurn(failing, failing, breakingAfter(1000), failing, failing, breakingAfter(1000), failing, failing, failing),
    );
    const fetched = await fetchFrom(client(), { url: origin.url, headers: [] }, options({ attempts: 4 }));
    const error = await originError(all(fetched.body));
    expect(error).toMatchObject({ kind: 'status', status: 503 });
    // Breaking off counts as the first fruitless try after the byte: three more follow.
    expect(origin.requests).toHaveLength(9);
  });

  it('comes at once for what will not pass', async () => {
    const origin = await server((_request, response) =>
      response.writeHead(401, { 'WWW-Authenticate': 'Bearer' }).end(),
    );
    const error = await originError(fetchFrom(client(), { url: origin.url, headers: [] }, options()));
    expect(error).toMatchObject({ kind: 'status', status: 401, challenge: 'Bearer' });
    expect(origin.requests).toHaveLength(1);
  });

  it('comes at once when the origin wants a longer pause than allowed, else the pause is kept', async () => {
    const busy =
      (seconds: string): RequestListener =>
      (_request, response) =>
        response.writeHead(429, { 'Retry-After': seconds }).end();
    const origin = await server(inTurn(busy('9'), busy('0'), whole));
    const backoff = noWait();
    const fetched = await fetchFrom(client(), { url: origin.url, headers: [] }, options({ backoff }));
    fetched.discard();
    expect(backoff.waits).toEqual([9000, 200]);
    const busier = await server(busy('31'));
    const error = await originError(fetchFrom(client(), { url: busier.url, headers: [] }, options()));
    expect(error).toMatchObject({ status: 429, retryAfterMs: 31_000 });
    expect(busier.requests).toHaveLength(1);
  });

  it('comes with the reason of an abort, during a wait as well', async () => {
    const origin = await server(failing);
    const abort = new AbortController();
    const fetching = fetchFrom(client(), { url: origin.url, headers: [] }, { signal: abort.signal, attempts: 100 });
    await expectEventually(() => origin.requests.length === 2);
    abort.abort(new Error('enough'));
    await expect(fetching).rejects.toThrow('enough');
  });

  it('comes for a 416 when nothing was received', async () => {
    const origin = await server(whole);
    const error = await originError(fetchFrom(client(), { url: origin.url, headers: [] }, options({ from: 400_001 })));
    expect(error).toMatchObject({ kind: 'status', status: 416, size: 400_000 });
  });
});

describe('the wait before another try', () => {
  it('doubles up to the longest, and chance takes at most half of it away', () => {
    const with_ = (random: number): Backoff => ({ ...noWait(), random: () => random });
    expect([1, 2, 3, 4, 5, 60].map((failures) => delayAfter(failures, with_(0)))).toEqual([
      50, 100, 200, 400, 500, 500,
    ]);
    expect([1, 2, 3, 4, 5, 60].map((failures) => delayAfter(failures, with_(1)))).toEqual([
      100, 200, 400, 800, 1000, 1000,
    ]);
  });
});
