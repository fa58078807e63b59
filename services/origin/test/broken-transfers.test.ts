import { setImmediate as nextTurn } from 'node:timers/promises';
import type { OriginRequest } from '../src';
import { OriginClient, OriginRules } from '../src';
import { useCast } from './cast';
import type { OriginServer } from './origin-server';
import { all, content, expectEventually, file, sendFile, serve } from './origin-server';
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

describe('broken transfers', () => {
  it('is truncated when the connection closes before the announced end', async () => {
    const origin = await server((_request, response) => {
      response.writeHead(200, { 'Content-Length': 1000 });
      response.write(Buffer.alloc(600), () => response.destroy());
    });
    const answer = await client([origin]).open(get(origin.url), idle);
    expect(await originError(all(answer.body))).toMatchObject({ kind: 'truncated', retryable: true });
  });

  it('is truncated when chunks end without the last one', async () => {
    const origin = await server((_request, response) => {
      response.write(Buffer.alloc(600), () => response.destroy());
    });
    const answer = await client([origin]).open(get(origin.url), idle);
    expect(await originError(all(answer.body))).toMatchObject({ kind: 'truncated', retryable: true });
  });

  it('is no HTTP when chunks go on beyond the Content-Range: no byte of that is passed on, and the socket is freed', async () => {
    const origin = await server((_request, response) => {
      response.writeHead(206, { 'Content-Range': 'bytes 10-1009/2000' });
      response.write(Buffer.alloc(600), () => response.write(Buffer.alloc(401)));
    });
    const answer = await client([origin]).open(get(origin.url, { from: 10 }), idle);
    let received = 0;
    const reading = (async (): Promise<void> => {
      for await (const chunk of answer.body) received += chunk.length;
    })();
    const error = await originError(reading);
    expect(error).toMatchObject({ kind: 'protocol', retryable: false });
    expect(error.message).toBe(`Origin ${origin.host} sent more than the 1000 announced bytes.`);
    expect(received).toBeLessThanOrEqual(1000);
    await expectEventually(() => origin.sockets.size === 0);
  });

  it('is stalled when nothing comes for the stall time, and the socket is freed', async () => {
    const origin = await server((_request, response) => {
      response.writeHead(200, { 'Content-Length': 1000 });
      response.write(Buffer.alloc(600));
    });
    const answer = await client([origin], { stallTimeout: 100 }).open(get(origin.url), idle);
    const began = Date.now();
    const error = await originError(all(answer.body));
    expect(error).toMatchObject({ kind: 'stalled', retryable: true });
    expect(error.message).toBe(`Origin ${origin.host} sent nothing for 100 ms in the middle of the body.`);
    expect(Date.now() - began).toBeLessThan(1000);
    await expectEventually(() => origin.sockets.size === 0);
  });

  it("does not count the reader's own time as a stall", async () => {
    const origin = await server(file(BYTES));
    const answer = await client([origin], { stallTimeout: 50 }).open(get(origin.url), idle);
    let received = 0;
    for await (const chunk of answer.body) {
      if (received === 0) {
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      received += chunk.length;
    }
    expect(received).toBe(300_000);
  });

  it('times out when no head comes, and the socket is freed', async () => {
    const origin = await server(() => undefined);
    const error = await originError(client([origin], { firstByteTimeout: 100 }).open(get(origin.url), idle));
    expect(error).toMatchObject({ kind: 'timeout', retryable: true });
    expect(error.message).toBe(`Origin ${origin.host} sent no answer within 100 ms.`);
    await expectEventually(() => origin.sockets.size === 0);
  });

  it('is unreachable when the port is closed', async () => {
    const origin = await serve(() => undefined);
    await origin.close();
    const error = await originError(client([origin]).open(get(origin.url), idle));
    expect(error).toMatchObject({ kind: 'unreachable', retryable: true });
    expect(error.message).toBe(`Origin ${origin.host} cannot be reached: the connection was refused.`);
  });

  it('asks again once when a kept connection was closed meanwhile', async () => {
    let answered = 0;
    const origin = await server((request, response) => {
      answered += 1;
      if (answered === 2) {
        request.socket.destroy();
        return;
      }
      sendFile(request, response, BYTES);
    });
    const asking = client([origin]);
    await all((await asking.open(get(origin.url), idle)).body);
    await nextTurn();
    await all((await asking.open(get(origin.url), idle)).body);
    expect(answered).toBe(3);
    expect(origin.connections()).toBe(2);
  });
});

describe('aborting', () => {
  it('before the head rejects with the reason and frees the socket', async () => {
    const origin = await server(() => undefined);
    const abort = new AbortController();
    const opening = client([origin]).open(get(origin.url), abort.signal);
    await expectEventually(() => origin.requests.length === 1);
    abort.abort(new Error('enough'));
    await expect(opening).rejects.toThrow('enough');
    await expectEventually(() => origin.sockets.size === 0);
  });

  it('in the body rejects with the reason and frees the socket', async () => {
    const origin = await server((_request, response) => {
      response.writeHead(200, { 'Content-Length': 1000 });
      response.write(Buffer.alloc(600));
    });
    const abort = new AbortController();
    const answer = await client([origin]).open(get(origin.url), abort.signal);
    const reading = all(answer.body);
    abort.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
    await expectEventually(() => origin.sockets.size === 0);
  });

  it('or discarding a body that nobody reads frees the socket', async () => {
    const origin = await server((_request, response) => {
      response.writeHead(200, { 'Content-Length': 1000 });
      response.write(Buffer.alloc(600));
    });
    const abort = new AbortController();
    const asking = client([origin]);
    await asking.open(get(origin.url), abort.signal);
    (await asking.open(get(origin.url), idle)).discard();
    await expectEventually(() => origin.sockets.size === 1);
    abort.abort();
    await expectEventually(() => origin.sockets.size === 0);
  });

  it('by leaving the iteration frees the socket', async () => {
    const origin = await server(file(content(4_000_000)));
    const answer = await client([origin]).open(get(origin.url), idle);
    for await (const chunk of answer.body) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    await expectEventually(() => origin.sockets.size === 0);
  });

  it('by stop() ends what is under way', async () => {
    const origin = await server((request, response) => {
      if (request.url === '/body') {
        response.writeHead(200, { 'Content-Length': 1000 });
        response.write(Buffer.alloc(600));
      }
    });
    const asking = client([origin]);
    const answer = await asking.open(get(new URL('/body', origin.url)), idle);
    const reading = originError(all(answer.body));
    const opening = originError(asking.open(get(origin.url), idle));
    await expectEventually(() => origin.requests.length === 2);
    await asking.stop();
    expect((await reading).retryable).toBe(false);
    expect((await opening).retryable).toBe(false);
    expect((await originError(asking.open(get(origin.url), idle))).message).toContain('this client was stopped');
    await expectEventually(() => origin.sockets.size === 0);
  });
});
