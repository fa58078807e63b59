import { createHash, randomBytes } from 'node:crypto';
import type { Server } from 'node:http';

import { BlockSet, HOLDINGS_PATH, lineOf } from '@cdk8s-dragonfly/protocol';

import { closed, listening, whole } from './classic/fixture';
import type { OriginPath } from './classic/fixture';
import { Running } from './ops/running';

const MIB = 1024 * 1024;

describe('a daemon that tells a wrong length of a blob', () => {
  const content = randomBytes(300_000);
  const blob = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  const other = randomBytes(300_000);
  let running: Running;
  let liar: Server;
  afterEach(async () => {
    await running.stop();
    await closed(liar);
  });

  it.each([
    ['takes more than any disk has', 1e12],
    ['takes all that the store may have', 15 * MIB],
    ['ends in the middle', 200_000],
    ['ends with a block', 256 * 1024],
  ])('that %s changes nothing', async (_what, size) => {
    let others = 0;
    const origin: OriginPath = (request, response) => {
      if (request.url === '/other') others += 1;
      whole(request.url === '/other' ? other : content)(request, response);
    };
    running = await Running.start(origin, { diskQuota: 16 * MIB });
    const of = (url: string): object => ({ rawUrl: url, taskUrl: url });
    expect((await running.register('a', of(running.url('/other')))).body).toMatchObject({
      data: { fileLength: other.length },
    });
    const asked: string[] = [];
    const started = await listening((request, response) => {
      asked.push(request.url ?? '');
      if (request.url?.includes('/have?') !== true) return response.writeHead(404).end();
      const blocks = BlockSet.of(Array.from({ length: 60_000 }, (_, index) => index)).toBase64();
      return response.write(lineOf({ type: 'have', blocks, pieceSize: 4 * MIB, size }));
    });
    liar = started.server;
    const told = await running.ask(`${HOLDINGS_PATH}?cid=liar&ip=127.0.0.1&port=${started.port}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ blobs: [blob], anew: true }),
    });
    expect(told.status).toBe(204);
    const url = running.url(`/v2/a/blobs/${blob}`);
    // Nobody is told a length before it is known, and then the right one.
    expect((await running.register('b', of(url))).body).toMatchObject({ code: 200 });
    await running.until(() => running.logged('fetched').length === 2);
    expect((await running.register('b', of(url))).body).toMatchObject({ data: { fileLength: content.length } });
    expect(asked.some((path) => path.includes('pings=one'))).toBe(true);
    // What was there has not made room for it.
    expect((await running.register('c', of(running.url('/other')))).body).toMatchObject({
      data: { fileLength: other.length },
    });
    expect(others).toBe(1);
  });
});
