import { FORMER_SESSION_PATHS, SESSION_PATH } from '@cdk8s-dragonfly/protocol';

import { limited } from './limited';
import type { RawSocket } from './raw-socket';

const LIMITS = {
  bodyBytes: 4096,
  headerBytes: 2048,
  requestTimeout: 400,
  idle: 800,
  stop: 300,
};

const supernode = limited(LIMITS);
const open = async (port: number): Promise<RawSocket> => supernode.open(port);

describe.each([
  ['the control API', (): number => supernode.running.apiPort, '/_ping', 200],
  ['the piece server', (): number => supernode.running.piecePort, '/none', 404],
])('%s', (_name, port, path, expected) => {
  /** Whether it still serves. */
  async function serves(): Promise<boolean> {
    const socket = await open(port());
    socket.get(path);
    await socket.hasReceived(30);
    socket.end();
    return socket.status === expected;
  }

  test('closes a connection whose request comes drop by drop', async () => {
    const socket = await open(port());
    socket.write(`GET ${path} HTTP/1.1\r\n`);
    const dripping = setInterval(() => socket.socket.writable && socket.write('X-Drop: 1\r\n'), 50);
    const took = await socket.closed();
    clearInterval(dripping);
    expect(socket.status).toBe(408);
    expect(socket.body).toEqual({ code: 501, message: 'the request did not come in time' });
    expect(took).toBeGreaterThan(300);
    expect(took).toBeLessThan(2000);
    expect(await serves()).toBe(true);
  });

  test('closes a connection on which nothing comes', async () => {
    const socket = await open(port());
    expect(await socket.closed()).toBeLessThan(2000);
    expect(await serves()).toBe(true);
  });

  test('closes a connection that was not used again', async () => {
    const socket = await open(port());
    socket.get(path);
    await socket.hasReceived(30);
    expect(socket.status).toBe(expected);
    const took = await socket.closed();
    expect(took).toBeGreaterThan(300);
    expect(took).toBeLessThan(3000);
  });

  test('refuses a head that is too long', async () => {
    const socket = await open(port());
    socket.write(`GET ${path} HTTP/1.1\r\nX-Long: ${'a'.repeat(4000)}\r\n\r\n`);
    await socket.closed();
    expect(socket.status).toBe(431);
    expect(socket.body).toEqual({ code: 501, message: 'the head of the request is too long' });
    expect(await serves()).toBe(true);
  });

  test('refuses what is no HTTP', async () => {
    const socket = await open(port());
    socket.write('\u0016\u0003\u0001 hello\r\n\r\n');
    await socket.closed();
    expect(socket.status).toBe(400);
    expect(socket.body).toEqual({ code: 501, message: 'this is not a request of HTTP/1.1' });
    expect(await serves()).toBe(true);
  });

  test('takes connections that close or reset at once', async () => {
    for (let count = 0; count < 20; count += 1) {
      const socket = await open(port());
      if (count % 2 === 0) socket.socket.resetAndDestroy();
      else socket.end();
      await socket.closed();
    }
    expect(await serves()).toBe(true);
  });
});

test.each([
  ['the control API', (): number => supernode.running.apiPort],
  ['the piece server', (): number => supernode.running.piecePort],
])('what is no request has an id in the answer of %s, and in the log', async (_name, port) => {
  const ids: unknown[] = [];
  for (const [text, status] of [
    [`GET / HTTP/1.1\r\nX-Request-Id: mine\r\nX-Long: ${'a'.repeat(4000)}\r\n\r\n`, 431],
    ['hello\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: a\r\n', 408],
  ] as const) {
    const socket = await open(port());
    socket.write(text);
    await socket.closed();
    expect(socket.status).toBe(status);
    ids.push(/^x-request-id: (\S+)\r$/m.exec(socket.text)?.[1]);
  }
  expect(new Set(ids).size).toBe(3);
  expect(supernode.running.logged('no request').map(({ request, status }) => [request, status])).toEqual([
    [ids[0], 431],
    [ids[1], 400],
    [ids[2], 408],
  ]);
});

test('what is no request is not answered in the middle of another answer', async () => {
  const socket = await open(supernode.running.apiPort);
  socket.get('/native/v3/session?cid=daemon&ip=127.0.0.1&port=15001');
  await socket.hasReceived(200);
  socket.write('\u0016\u0003\u0001 hello\r\n\r\n');
  await socket.closed();
  expect(socket.text.split('HTTP/1.1 ')).toHaveLength(2);
});

describe('what original clients may send', () => {
  test.each([
    ['an unknown route', '/peer/none', {}, 404],
    ['a wrong method', '/peer/task', { method: 'POST', body: '{}' }, 404],
    ['a path that is no URL', '/peer/%zz', {}, 501],
    ['a body that is too long', '/peer/registry', { method: 'POST', body: 'a'.repeat(5000) }, 501],
    ['a body that is no registration', '/peer/registry', { method: 'POST', body: '[1]' }, 501],
    ['nothing', '/peer/registry', { method: 'POST' }, 501],
    ['a question without fields', '/peer/task', {}, 501],
    ['a report without fields', '/peer/piece/suc', {}, 501],
    ['the same under a version', '/v0.4/peer/piece/suc', {}, 501],
  ])('%s is answered with 200 and a code', async (_what, path, init, code) => {
    const { status, body } = await supernode.running.json(path, init);
    expect([status, body]).toEqual([200, { code, msg: expect.stringMatching(/\w/) as string }]);
  });

  test('for anything else it is a status, a code and a sentence', async () => {
    const { status, body } = await supernode.running.json('/peers', { method: 'POST', body: 'a'.repeat(5000) });
    expect([status, body]).toEqual([413, { code: 501, message: 'the body of a request may have 4096 bytes at most' }]);
  });

  test.each([SESSION_PATH, ...FORMER_SESSION_PATHS])(
    '%s is not opened for who does not want to hear it',
    async (path) => {
      const { status } = await supernode.running.ask(`${path}?cid=a&ip=127.0.0.1&port=1`, { method: 'HEAD' });
      expect(status).toBe(404);
    },
  );

  test('a body that does not come is not waited for', async () => {
    const socket = await open(supernode.running.apiPort);
    socket.write('POST /peer/registry HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{');
    expect(await socket.closed()).toBeLessThan(2000);
    expect(socket.status).toBe(408);
  });
});
