import { randomBytes } from 'node:crypto';

import { digestOf } from '@cdk8s-dragonfly/protocol';

import { status } from './classic/fixture';
import type { OriginPath } from './classic/fixture';
import { Running } from './ops/running';

const CONTENT = randomBytes(300_000);
const DIGEST = digestOf(randomBytes(1));

/** The head of a whole answer, some of its bytes, and then nothing, or the end of the connection. */
function partly(then: 'nothing' | 'the end'): OriginPath {
  return (_request, response) => {
    response.writeHead(200, { 'content-length': CONTENT.length });
    response.write(CONTENT.subarray(0, 1000), () => (then === 'the end' ? response.destroy() : undefined));
  };
}

interface Failing {
  readonly path: string;
  readonly origin: OriginPath;
  /** What an original client is told at last. */
  readonly code: number;
  /** What the log says. */
  readonly logged: RegExp;
  readonly fields?: object;
}

const busy: OriginPath = (_request, response) => response.writeHead(429, { 'retry-after': '3600' }).end();
const other: OriginPath = (_request, response) => response.writeHead(200, { 'content-length': 300_000 }).end(CONTENT);

const FAILING: readonly Failing[] = [
  { path: '/401', origin: status(401), code: 607, logged: /401/ },
  { path: '/401-to-a-dfdaemon', origin: status(401), code: 608, logged: /401/, fields: { dfdaemon: true } },
  { path: '/403', origin: status(403), code: 607, logged: /403/ },
  { path: '/404', origin: status(404), code: 607, logged: /404/ },
  { path: '/416', origin: status(416), code: 607, logged: /416/ },
  { path: '/429', origin: busy, code: 607, logged: /429/ },
  { path: '/503', origin: status(503), code: 607, logged: /503/ },
  { path: '/stalls', origin: partly('nothing'), code: 604, logged: /sent no byte|sent nothing|stall/i },
  { path: '/lies', origin: partly('the end'), code: 604, logged: /broke off in the middle/ },
  { path: '/another-md5', origin: other, code: 604, logged: /have the MD5/, fields: { md5: '0'.repeat(32) } },
  { path: `/v2/a/blobs/${DIGEST}`, origin: other, code: 604, logged: /have the SHA-256/ },
];

/** Each is told by its own code and one line of the log; nothing of it is ever offered as whole. */
test('an origin that fails in any way is told of to the client and in the log, and nothing is given as whole', async () => {
  const origin: OriginPath = (request, response) => {
    const failing = FAILING.find(({ path }) => path === request.url);
    (failing?.origin ?? status(500))(request, response);
  };
  const running = await Running.start(origin, { originStallTimeout: 400 });
  try {
    const ends = FAILING.map(async ({ path, fields }) => {
      const url = running.url(path);
      const answer = await running.register('client', { rawUrl: url, taskUrl: url, ...fields });
      const registered = answer.body as { code: number; data?: { taskId: string } };
      let { code } = registered;
      const codes = [code];
      const taskId = registered.data?.taskId;
      while (code === 200 || code === 601 || code === 602) {
        const query = `srcCid=client&dstCid=&range=&result=502&status=700&taskId=${taskId}`;
        ({ code } = (await running.json(`/peer/task?${query}`)).body as { code: number });
        if (codes.at(-1) !== code) codes.push(code);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      const piece = `http://127.0.0.1:${running.piecePort}/download/${taskId?.slice(0, 3)}/${taskId}`;
      const given = taskId === undefined ? 404 : (await fetch(piece)).status;
      // Once it was told that it is fetched, it is told that the supernode failed.
      return { path, code: codes.length > 1 ? 604 : code, isWhole: codes.includes(600), given };
    });
    expect(await Promise.all(ends)).toEqual(
      FAILING.map(({ path, code }) => ({ path, code, isWhole: false, given: 404 })),
    );
    const lines = running.logged('the origin did not give it');
    for (const { logged } of FAILING)
      expect(lines.map(({ message }) => message)).toContainEqual(expect.stringMatching(logged));
    expect(lines).toHaveLength(FAILING.length);
  } finally {
    await running.stop();
  }
});
