import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { FIRST_PIECE_BLOCK_SIZE, hexOf, taskIdOf } from '@cdk8s-dragonfly/protocol';
import type { BlobId } from '@cdk8s-dragonfly/protocol';

import { Swarm, readAll } from './swarm';

/** What an origin says of a file. */
interface Version {
  readonly content: Buffer;
  readonly etag?: string;
  readonly lastModified?: string;
}

const MONDAY = 'Mon, 23 Nov 2026 08:00:00 GMT';
const TUESDAY = 'Tue, 24 Nov 2026 08:00:00 GMT';

describe('a file that is named by its URL, at a supernode that has started again', () => {
  let swarm: Swarm;
  let url: URL;
  let blob: BlobId;
  let now: Version | undefined;
  let knowsConditions: boolean;
  beforeEach(async () => {
    swarm = await Swarm.start();
    url = new URL(`http://127.0.0.1:${swarm.origin.port}/releases/latest.tar`);
    blob = `task:${taskIdOf({ taskUrl: url.href })}`;
    knowsConditions = true;
    swarm.origin.fault = (request, response) => {
      if (now === undefined) {
        response.writeHead(500).end();
        return true;
      }
      const { content, etag, lastModified } = now;
      const headers = {
        ...(etag === undefined ? {} : { etag }),
        ...(lastModified === undefined ? {} : { 'last-modified': lastModified }),
      };
      if (knowsConditions && isUnchanged(request, now)) {
        response.writeHead(304, headers).end();
        return true;
      }
      const [, first, last = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
      const end = last === '' ? content.length : Number(last) + 1;
      const range = { 'content-range': `bytes ${first}-${end - 1}/${content.length}` };
      const part = content.subarray(Number(first ?? 0), end);
      response
        .writeHead(first === undefined ? 200 : 206, {
          ...headers,
          ...(first === undefined ? {} : range),
          'content-length': part.length,
        })
        .end(part);
      return true;
    };
  });
  afterEach(() => swarm.stop());

  /** As a server does (RFC 9110, 13.2.2). */
  function isUnchanged({ headers }: IncomingMessage, { etag, lastModified }: Version): boolean {
    if (headers['if-none-match'] !== undefined) return headers['if-none-match'] === etag;
    return lastModified !== undefined && headers['if-modified-since'] === lastModified;
  }

  const read = async (): Promise<Buffer> => {
    const node = await swarm.addNode();
    const copy = await readAll(node, { blob, url });
    await swarm.stopNode(node);
    return copy;
  };
  const asked = (): (readonly (string | undefined)[])[] =>
    swarm.origin.requests.map(({ headers }) => [headers['if-none-match'], headers['if-modified-since'], headers.range]);

  it.each<[string, Pick<Version, 'etag' | 'lastModified'>]>([
    ['entity tag', { etag: '"one"', lastModified: MONDAY }],
    ['weak entity tag', { etag: 'W/"one"' }],
    ['date', { lastModified: MONDAY }],
  ])('is not fetched again when its %s is the same', async (_by, said) => {
    const content = randomBytes(600_000);
    now = { content, ...said };
    expect(content.equals(await read())).toBe(true);
    await swarm.restartSupernode();
    expect(content.equals(await read())).toBe(true);
    expect(asked()).toEqual([
      [undefined, undefined, undefined],
      [said.etag, said.lastModified, undefined],
    ]);
    expect(swarm.lines.join('')).toContain('unchanged at its origin');
  });

  it.each<[string, Pick<Version, 'etag' | 'lastModified'>, Pick<Version, 'etag' | 'lastModified'>]>([
    ['entity tag', { etag: '"one"', lastModified: MONDAY }, { etag: '"two"', lastModified: MONDAY }],
    ['date', { lastModified: MONDAY }, { lastModified: TUESDAY }],
    ['content, and nothing tells of it', {}, {}],
  ])('is served anew when it has another %s, for one request', async (_what, before, after) => {
    now = { content: randomBytes(600_000), ...before };
    await read();
    const content = randomBytes(500_000);
    now = { content, ...after };
    await swarm.restartSupernode();
    expect(content.equals(await read())).toBe(true);
    expect(swarm.origin.requests).toHaveLength(2);
    const isKnown = 'etag' in before || 'lastModified' in before;
    const why = isKnown ? 'the origin has another version than' : 'the origin sends neither ETag nor Last-Modified';
    expect(swarm.lines.join('')).toContain(`"why":"${why}`);
    await swarm.restartSupernode();
    expect(content.equals(await read())).toBe(true);
  });

  it('is the same when the origin knows no conditions and says the same strong entity tag', async () => {
    const content = randomBytes(600_000);
    now = { content, etag: '"one"' };
    knowsConditions = false;
    await read();
    await swarm.restartSupernode();
    expect(content.equals(await read())).toBe(true);
    expect(swarm.lines.join('')).toContain('unchanged at its origin');
  });

  it('is not served while the origin cannot be asked, and not fetched again when it can', async () => {
    const content = randomBytes(600_000);
    now = { content, etag: '"one"' };
    await read();
    await swarm.restartSupernode();
    const there = now;
    now = undefined;
    await expect(read()).rejects.toThrow('500');
    now = there;
    expect(content.equals(await read())).toBe(true);
    expect(asked().at(-1)).toEqual(['"one"', undefined, undefined]);
    expect(swarm.lines.join('')).toContain('unchanged at its origin');
  });

  it('has a block that was damaged meanwhile from the same version, and all from another', async () => {
    const content = randomBytes(600_000);
    now = { content, etag: '"one"' };
    await read();
    const folder = join(swarm.home, 'supernode-0/blobs/task', hexOf(blob).slice(0, 2));
    const damage = async (): Promise<void> => {
      const [name = ''] = (await readdir(folder)).filter((file) => file.endsWith('.data'));
      const bytes = await readFile(join(folder, name));
      bytes[300_000] = bytes[300_000]! ^ 1;
      await writeFile(join(folder, name), bytes);
    };
    const port = swarm.supernodePort;
    const start = (): Promise<void> =>
      swarm.startSupernode({ index: 0, port, peers: [], signingKey: join(swarm.home, 'signing-key.pem') });
    await swarm.stopSupernode();
    await damage();
    await start();
    expect(content.equals(await read())).toBe(true);
    expect(asked().at(-1)).toEqual([undefined, undefined, 'bytes=262144-524287']);

    await swarm.stopSupernode();
    await damage();
    await start();
    const other = randomBytes(600_000);
    const [old, isOld] = [now, { is: true }];
    const answer = swarm.origin.fault;
    swarm.origin.fault = (request, response) => {
      // It changes between the question and the part.
      if (!isOld.is) now = { content: other, etag: '"two"' };
      else now = old;
      isOld.is = false;
      return answer(request, response);
    };
    const copy = await read();
    expect(createHash('sha256').update(copy).digest('hex')).toBe(createHash('sha256').update(other).digest('hex'));
  });
});

describe('a file whose length is another in the middle, where there is no supernode', () => {
  let swarm: Swarm;
  beforeEach(async () => {
    swarm = await Swarm.start();
  });
  afterEach(() => swarm.stop());

  const content = randomBytes(1_000_000);
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}` as const;

  it.each([
    ['goes on from what is here, when it is named by its digest', `/v2/a/blobs/${digest}`, true],
    ['begins anew, when its URL alone names it', '/releases/latest.tar', false],
  ])('%s', async (_what, path, goesOn) => {
    const node = await swarm.addNode('alone', []);
    const url = swarm.origin.addAt(path, content);
    const blob: BlobId = path.endsWith(digest) ? digest : `task:${taskIdOf({ taskUrl: url.href })}`;
    // How much came of the first answer: what waits to be read when its connection breaks is lost, and on a busy machine that is more.
    let from = 0;
    swarm.origin.fault = ({ headers }, response) => {
      if (headers.range === undefined) {
        response.writeHead(200, { 'content-length': content.length });
        response.write(content.subarray(0, 600_000), () => response.destroy());
      } else {
        from = Number(/^bytes=(\d+)-$/.exec(headers.range)?.[1]);
        const longer = content.length + 1;
        response.writeHead(206, { 'content-range': `bytes ${from}-${longer - 1}/${longer}` });
        response.end(Buffer.alloc(longer - from));
      }
      return true;
    };
    await expect(readAll(node, { blob, url })).rejects.toMatchObject({ reason: 'changed' });
    await swarm.stopNode(node);
    const kept = goesOn ? from - (from % FIRST_PIECE_BLOCK_SIZE) : 0;
    const again = await swarm.addNode('alone', []);
    expect(await again.heldBytes(blob)).toBe(kept);
    swarm.origin.fault = () => false;
    expect(content.equals(await readAll(again, { blob, url }))).toBe(true);
    const ranges = [undefined, `bytes=${from}-`, kept === 0 ? undefined : `bytes=${kept}-`];
    expect(swarm.origin.requests.map(({ headers }) => headers.range)).toEqual(ranges);
  });
});
