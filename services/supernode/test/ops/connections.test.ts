import { limited } from './limited';
import type { RawSocket } from './raw-socket';

/** None of the connections of a test ends because time has passed. */
const LIMITS = { connections: 3, spareConnections: 2, requestTimeout: 60_000, idle: 60_000, stop: 300 };

const supernode = limited(LIMITS);
const open = async (port: number): Promise<RawSocket> => supernode.open(port);

test.each([
  ['the control API', (): number => supernode.running.apiPort, '/_ping', 200],
  ['the piece server', (): number => supernode.running.piecePort, '/none', 404],
])('%s closes at once what is beyond its spare connections', async (_name, port, path, expected) => {
  const held = await Promise.all(Array.from({ length: 5 }, () => open(port())));
  const beyond = await open(port());
  await beyond.closed();
  expect(beyond.text).toBe('');
  for (const socket of held) socket.end();
  // It hears of each end a moment later.
  let tries = 0;
  let status = 0;
  while (status !== expected && tries < 100) {
    tries += 1;
    const socket = await open(port());
    socket.get(path);
    await socket.hasReceived(30);
    socket.end();
    ({ status } = socket);
  }
  expect(status).toBe(expected);
});

describe('a connection too many', () => {
  beforeEach(async () => {
    for (let count = 0; count < LIMITS.connections; count += 1) {
      const socket = await open(supernode.running.apiPort);
      socket.get('/_ping');
      await socket.hasReceived(30);
    }
  });

  test.each([
    ['/peer/task?srcCid=a&taskId=b', 200, { code: 604, msg: 'the supernode has too many connections' }],
    ['/peer/piece/suc?cid=a&taskId=b', 200, { code: 200, msg: 'success' }],
    ['/peer/service/down?cid=a&taskId=b', 200, { code: 200, msg: 'success' }],
    ['/peers', 503, { code: 604, message: 'the supernode has too many connections' }],
    [
      '/native/v3/session?cid=a&ip=127.0.0.1&port=1',
      503,
      { code: 604, message: 'the supernode has too many connections' },
    ],
    ['/peer/none', 200, { code: 604, msg: 'the supernode has too many connections' }],
  ])('gets an answer of its protocol for %s', async (path, status, body) => {
    const socket = await open(supernode.running.apiPort);
    socket.get(path);
    await socket.closed();
    expect([socket.status, socket.body]).toEqual([status, body]);
    expect(socket.text.toLowerCase()).toContain('connection: close');
  });

  test('still gets health', async () => {
    const socket = await open(supernode.running.apiPort);
    socket.get('/livez');
    await socket.hasReceived(30);
    expect(socket.status).toBe(200);
  });

  test('at the piece server is told so', async () => {
    for (let count = 0; count < LIMITS.connections; count += 1) await open(supernode.running.piecePort);
    const socket = await open(supernode.running.piecePort);
    socket.get('/native/v3/blobs/x/blocks/0');
    await socket.closed();
    expect([socket.status, socket.body]).toEqual([
      503,
      { code: 503, message: 'the supernode has too many connections' },
    ]);
  });
});
