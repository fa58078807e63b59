import { setImmediate as nextTurn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { HeaderLine, RelayRequest } from '../src';
import { Relay } from '../src';
import { useCast } from './cast';
import { all, content, expectEventually, serve } from './origin-server';
import { originError } from './rejection';

const idle = new AbortController().signal;
const { server, keep } = useCast();

function relay(firstByteTimeout = 2000, stallTimeout = 2000): Relay {
  return keep(new Relay({ connectTimeout: 1000, firstByteTimeout, stallTimeout }));
}

function get(registry: URL, more: Partial<RelayRequest> = {}): RelayRequest {
  return { registry, method: 'GET', path: '/v2/', headers: [], ...more };
}

describe('the relay', () => {
  it('passes path, query and headers on as they are, but for those of the connection', async () => {
    const registry = await server((_request, response) => response.end('ok'));
    const headers: HeaderLine[] = [
      ['HOST', '127.0.0.1:65001'],
      ['accept', 'application/vnd.oci.image.manifest.v1+json'],
      ['Accept', '*/*'],
      ['Authorization', 'Bearer x'],
      ['ACCEPT-encoding', 'zstd, gzip'],
      ['Range', 'bytes=0-1'],
      ['If-None-Match', '"x"'],
      ['Connection', 'close, x-hop'],
      ['X-Hop', '1'],
      ['Keep-Alive', 'timeout=1'],
      ['Content-Length', '0'],
    ];
    const path = '/v2/a%2Fb/../manifests/latest?ns=docker.io%3A443&x=%00';
    await all((await relay().send(get(registry.url, { path, headers }), idle)).body);
    const [seen] = registry.requests;
    expect(seen?.url).toBe(path);
    expect(seen?.rawHeaders).toEqual(
      [
        ['Host', registry.host],
        ['accept', 'application/vnd.oci.image.manifest.v1+json'],
        ['Accept', '*/*'],
        ['Authorization', 'Bearer x'],
        ['ACCEPT-encoding', 'zstd, gzip'],
        ['Range', 'bytes=0-1'],
        ['If-None-Match', '"x"'],
        ['Connection', 'keep-alive'],
      ].flat(),
    );
  });

  it("puts the registry's own path before the client's", async () => {
    const registry = await server((_request, response) => response.end());
    await relay().send(get(new URL('/mirror/', registry.url), { path: '/v2/x?y' }), idle);
    await relay().send(get(new URL('/mirror', registry.url), { path: '/v2/x?y' }), idle);
    expect(registry.requests.map(({ url }) => url)).toEqual(['/mirror/v2/x?y', '/mirror/v2/x?y']);
  });

  it('keeps the connection of an answer that has no body, though nobody wants it', async () => {
    const registry = await server((_request, response) => response.writeHead(200, { 'content-length': 5 }).end());
    const asking = relay();
    for (const path of ['/v2/a/blobs/1', '/v2/a/blobs/2', '/v2/a/blobs/3']) {
      const answer = await asking.send(get(registry.url, { method: 'HEAD', path }), idle);
      answer.discard();
      // The connection is free when Node has read the end of the answer.
      for (let turn = 0; turn < 5; turn += 1) await nextTurn();
    }
    expect([registry.requests.length, registry.connections()]).toEqual([3, 1]);
  });

  it('gives status, headers and body back as they came, not decoded', async () => {
    const body = gzipSync(content(1000));
    const registry = await server((_request, response) => {
      response.sendDate = false;
      response.writeHead(
        203,
        'Quite Fine',
        [
          ['Content-ENCODING', 'gzip'],
          ['Content-Length', `${body.length}`],
          ['Docker-Content-Digest', 'sha256:x'],
          ['Set-Cookie', 'a=1'],
          ['Set-Cookie', 'b=2'],
          ['Connection', 'keep-alive, X-Own'],
          ['X-Own', '1'],
          ['Keep-Alive', 'timeout=7'],
        ].flat(),
      );
      response.end(body);
    });
    const answer = await relay().send(get(registry.url), idle);
    expect(answer.status).toBe(203);
    expect(answer.statusText).toBe('Quite Fine');
    expect(answer.headers).toEqual([
      ['Content-ENCODING', 'gzip'],
      ['Content-Length', `${body.length}`],
      ['Docker-Content-Digest', 'sha256:x'],
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
    ]);
    expect((await all(answer.body)).equals(body)).toBe(true);
  });

  it.each([301, 307, 401, 404, 429, 500])('gives a %i back without following or judging it', async (status) => {
    const registry = await server((_request, response) => {
      response.writeHead(status, { Location: 'https://cdn.test/x?sig=1', 'WWW-Authenticate': 'Bearer realm="r"' });
      response.end('told');
    });
    const answer = await relay().send(get(registry.url), idle);
    expect(answer.status).toBe(status);
    expect(answer.headers).toContainEqual(['Location', 'https://cdn.test/x?sig=1']);
    expect(answer.headers).toContainEqual(['WWW-Authenticate', 'Bearer realm="r"']);
    expect((await all(answer.body)).toString()).toBe('told');
    expect(registry.requests).toHaveLength(1);
  });

  it('keeps the length of a HEAD, and its connection', async () => {
    const registry = await server((request, response) => {
      response.writeHead(200, { 'Content-Length': 1234, 'Docker-Content-Digest': 'sha256:x' });
      response.end(request.method === 'HEAD' ? undefined : Buffer.alloc(1234));
    });
    const asking = relay();
    for (const method of ['HEAD', 'HEAD', 'GET'] as const) {
      const answer = await asking.send(get(registry.url, { method }), idle);
      expect(answer.headers).toContainEqual(['Content-Length', '1234']);
      expect(await all(answer.body)).toHaveLength(method === 'HEAD' ? 0 : 1234);
      await nextTurn();
    }
    expect(registry.requests.map(({ method }) => method)).toEqual(['HEAD', 'HEAD', 'GET']);
    expect(registry.connections()).toBe(1);
  });

  it('gives the connection of a 304 back without anybody reading it', async () => {
    const registry = await server((_request, response) => response.writeHead(304, { ETag: '"x"' }).end());
    const asking = relay();
    for (let round = 0; round < 3; round += 1) {
      expect((await asking.send(get(registry.url), idle)).status).toBe(304);
      await nextTurn();
    }
    expect(registry.connections()).toBe(1);
  });

  it('names a registry that cannot be reached', async () => {
    const registry = await serve(() => undefined);
    await registry.close();
    const error = await originError(relay().send(get(registry.url), idle));
    expect(error).toMatchObject({ kind: 'unreachable', retryable: true });
    expect(error.message).toBe(`Origin ${registry.host} cannot be reached: the connection was refused.`);
  });

  it('bounds the wait for the head and for the rest of a body', async () => {
    const registry = await server((request, response) => {
      if (request.url === '/stall') {
        response.write('x');
      }
    });
    expect((await originError(relay(80).send(get(registry.url), idle))).kind).toBe('timeout');
    const answer = await relay(2000, 80).send(get(registry.url, { path: '/stall' }), idle);
    expect((await originError(all(answer.body))).kind).toBe('stalled');
    await expectEventually(() => registry.sockets.size === 0);
  });

  it('reports a body that is cut short', async () => {
    const registry = await server((_request, response) => {
      response.writeHead(200, { 'Content-Length': 100 }).write('x', () => response.destroy());
    });
    const answer = await relay().send(get(registry.url), idle);
    expect((await originError(all(answer.body))).kind).toBe('truncated');
  });

  it('ends with the client', async () => {
    const registry = await server((_request, response) => response.write('x'));
    const abort = new AbortController();
    const answer = await relay().send(get(registry.url), abort.signal);
    abort.abort(new Error('client is gone'));
    await expect(all(answer.body)).rejects.toThrow('client is gone');
    await expectEventually(() => registry.sockets.size === 0);
  });

  it('relays paths only', async () => {
    const registry = await server((_request, response) => response.end());
    const error = await originError(relay().send(get(registry.url, { path: 'http://elsewhere.test/' }), idle));
    expect(error).toMatchObject({ kind: 'forbidden', retryable: false });
    expect(registry.requests).toHaveLength(0);
  });
});
