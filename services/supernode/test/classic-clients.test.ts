import { createHash, randomBytes } from 'node:crypto';

import { NATIVE_VERSION, digestOf, framedLength } from '@cdk8s-dragonfly/protocol';

import { PIECE, Site, chunked, status, whole } from './classic/fixture';
import { exchange } from './classic/http-exchange';
import { BackToSource, OriginalClient } from './classic/original-client';
import type { OriginalClientOptions } from './classic/original-client';
import { OriginalPeer } from './classic/original-peer';
import type { PeerManner } from './classic/original-peer';
import { GO, PYTHON } from './classic/original-style';
import type { OriginalStyle } from './classic/original-style';

const MIB = 1024 * 1024;

let site: Site;
let peers: OriginalPeer[];
let clients = 0;

beforeEach(async () => {
  site = await Site.start();
  peers = [];
});

afterEach(async () => {
  await Promise.all(peers.map(async (peer) => peer.stop()));
  await site.stop();
});

function client(style: OriginalStyle, url: string, rest: Partial<OriginalClientOptions> = {}): OriginalClient {
  clients += 1;
  const cid = `127.0.0.2-${clients}-1795406219.563`;
  return new OriginalClient({ style, url, cid, api: site.supernode.api.port, ...rest });
}

async function peer(manner: PeerManner): Promise<OriginalPeer> {
  const started = await OriginalPeer.start(manner);
  peers.push(started);
  return started;
}

async function failureOf(download: Promise<unknown>): Promise<BackToSource> {
  const error = await download.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (error instanceof BackToSource) return error;
  throw error;
}

describe.each([GO, PYTHON])('$name', (style) => {
  it.each([
    // More pieces than one answer names.
    ['17 MiB', 17 * MIB, 5],
    ['exactly one piece', PIECE, 1],
    ['exactly two pieces', 2 * PIECE, 2],
    ['one byte', 1, 1],
    ['no byte', 0, 1],
  ])('downloads a file of %s', async (_name, length, count) => {
    const { url, content } = site.file('/file.bin', length);
    const download = await client(style, url).download();
    expect(download.content.equals(content)).toBe(true);
    expect(download.sources.size).toBe(count);
    expect(download.registeredLength).toBe(length);
    expect(download.finish).toEqual({ md5: '', fileLength: framedLength(length, 4 * MIB) });
    expect(site.requestsFor('/file.bin')).toBe(1);
  });

  it.each([9 * MIB, PIECE, 2 * PIECE, 0])(
    'downloads %d bytes of an origin that does not tell the length',
    async (length) => {
      const content = randomBytes(length);
      const url = site.serve('/chunked.bin', chunked(content));
      const download = await client(style, url).download();
      expect(download.content.equals(content)).toBe(true);
      expect(download.finish.fileLength).toBe(framedLength(length, 4 * MIB));
    },
  );

  it.each([
    ['404', 404, {}, 607],
    ['401', 401, {}, 607],
    ['401, asked for a df-daemon', 401, { dfdaemon: true }, 608],
    ['407, asked for a df-daemon', 407, { dfdaemon: true }, 608],
  ])('is told at registration that the origin answers %s', async (_name, code, more, expected) => {
    const url = site.serve('/denied.bin', status(code));
    const { reason, codes } = await failureOf(client(style, url, { more }).download());
    expect({ reason, codes }).toEqual({ reason: 1, codes: [expected, expected] });
  });

  it('hears the MD5 that it asked for, in lower case, once the supernode has checked it', async () => {
    const { url, content } = site.file('/checked.bin', 5 * MIB);
    const md5 = createHash('md5').update(content).digest('hex');
    const download = await client(style, url, { more: { md5: md5.toUpperCase() } }).download();
    expect(download.content.equals(content)).toBe(true);
    expect(download.finish.md5).toBe(md5);
  });

  it('is never told that a file with another MD5 than it asked for is whole', async () => {
    const { url } = site.file('/other.bin', 5 * MIB);
    const { codes } = await failureOf(client(style, url, { more: { md5: '0'.repeat(32) } }).download());
    expect(codes).toContain(604);
    expect(codes).not.toContain(600);
  });

  it('takes every piece from a client that has them', async () => {
    const { url, content } = site.file('/traded.bin', 13 * MIB);
    const server = await peer('go');
    server.offer(content);
    const cid = 'the-first-client';
    const first = await client(GO, url, { cid, port: server.port }).download();
    expect(new Set(first.sources.values())).toEqual(
      new Set([expect.stringMatching(/^cdnnode:127\.0\.0\.1~[0-9a-f]{64}$/)]),
    );
    const second = await client(style, url).download();
    expect(second.content.equals(content)).toBe(true);
    expect(new Set(second.sources.values())).toEqual(new Set([cid]));
    expect(server.requests).toBe(4);
  });

  it('takes the pieces from the supernode when a client that has them fails, and asks that client no more', async () => {
    const { url, content } = site.file('/traded.bin', 17 * MIB);
    const server = await peer('forgetful');
    await client(GO, url, { port: server.port }).download();
    const second = await client(style, url).download();
    expect(second.content.equals(content)).toBe(true);
    expect([...second.sources.values()].filter((cid) => !cid.startsWith('cdnnode:'))).toEqual([]);
    // Those that were assigned before the first failure was known.
    expect(server.requests).toBeLessThanOrEqual(4);
  });

  it('takes nothing from a client that has left', async () => {
    const { url, content } = site.file('/traded.bin', 9 * MIB);
    const server = await peer('go');
    server.offer(content);
    const first = client(GO, url, { cid: 'gone', port: server.port });
    const { sources } = await first.download();
    const taskId = sources.get(0)?.split('~')[1] ?? '';
    const down = {
      host: '127.0.0.1',
      port: site.supernode.api.port,
      path: `/peer/service/down?taskId=${taskId}&cid=gone`,
    };
    expect(JSON.parse((await exchange(down)).body.toString())).toEqual({ code: 200, msg: 'success' });
    const second = await client(style, url).download();
    expect(second.content.equals(content)).toBe(true);
    expect(server.requests).toBe(0);
  });
});

describe('clients of several kinds', () => {
  it('a Go client takes the last piece from the supernode when a Python peer cuts it short', async () => {
    const { url, content } = site.file('/mixed.bin', 17 * MIB);
    const server = await peer('python');
    server.offer(content);
    await client(PYTHON, url, { cid: 'python', port: server.port }).download();
    const second = await client(GO, url).download();
    expect(second.content.equals(content)).toBe(true);
    expect(second.sources.get(4)).toMatch(/^cdnnode:/);
    expect([...second.sources.values()]).toContain('python');
    const third = await client(PYTHON, url).download();
    expect(new Set(third.sources.values())).toEqual(new Set(['python']));
  });

  it('many clients at once need one answer of the origin', async () => {
    const { url, content } = site.file('/popular.bin', 9 * MIB);
    const downloads = await Promise.all(
      Array.from({ length: 12 }, async (_, number) => {
        const server = await peer('go');
        server.offer(content);
        return client(number % 2 === 0 ? GO : PYTHON, url, { port: server.port }).download();
      }),
    );
    for (const { content: got } of downloads) expect(got.equals(content)).toBe(true);
    expect(site.requestsFor('/popular.bin')).toBe(1);
  });

  it('an original client and a daemon share the one copy of what the URL names by its digest', async () => {
    const content = randomBytes(5 * MIB);
    const digest = digestOf(content);
    const path = `/v2/library/app/blobs/${digest}`;
    const url = site.serve(path, whole(content));
    const native = { versions: [NATIVE_VERSION], blob: digest };
    const fields = { rawUrl: url, taskUrl: url, cid: 'daemon', ip: '127.0.0.1', port: 15001, path: '/x', native };
    const { port } = site.supernode.api;
    const registration = {
      host: '127.0.0.1',
      port,
      path: '/peer/registry',
      method: 'POST',
      body: JSON.stringify(fields),
    };
    const answer = JSON.parse((await exchange(registration)).body.toString()) as Record<string, unknown>;
    expect(answer).toMatchObject({ code: 200, native: { version: NATIVE_VERSION, blob: digest } });

    // Another query makes another classic task of the same blob.
    const download = await client(PYTHON, url, { more: { taskUrl: `${url}?signed=1` } }).download();
    expect(download.content.equals(content)).toBe(true);
    const again = await client(GO, url).download();
    expect(again.content.equals(content)).toBe(true);
    const block = { host: '127.0.0.1', port: site.supernode.blocks.port, path: `/native/v3/blobs/${digest}/blocks/0` };
    expect((await exchange(block)).body.equals(content.subarray(0, 256 * 1024))).toBe(true);
    expect(site.requestsFor(path)).toBe(1);
  });

  it('registers with the origin headers of the client', async () => {
    let seen: string | undefined;
    const url = site.serve('/headers.bin', (request, response) => {
      seen = String(request.headers['x-client']);
      response.end('x');
    });
    await client(PYTHON, url).download();
    expect(seen).toBe('original');
  });
});
