import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { waitForMirror } from '../src/mirror-ready';

let server: Server;
const asked: string[] = [];
const listen = async (status: number, port = 0): Promise<number> => {
  asked.length = 0;
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(status).end();
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};
afterEach(async () => {
  if (!server.listening) return;
  server.close();
  await once(server, 'close');
});

test.each([200, 401, 404, 500])('status %i: it is up', async (status) => {
  const port = await listen(status);
  await waitForMirror(`http://127.0.0.1:${port}/`, 0);
  expect(asked).toEqual(['/v2/']);
});

test('nobody there: refused after the time', async () => {
  const port = await listen(200);
  server.close();
  await once(server, 'close');
  await expect(waitForMirror(`http://127.0.0.1:${port}`, 300)).rejects.toThrow(
    `the mirror does not answer GET http://127.0.0.1:${port}/v2/ within 0.3 s (connect ECONNREFUSED 127.0.0.1:${port}): start the df-daemon of this node first; nothing was changed`,
  );
});

test('one that comes later is waited for', async () => {
  const port = await listen(200);
  server.close();
  await once(server, 'close');
  const waiting = waitForMirror(`http://127.0.0.1:${port}`, 10_000);
  await listen(200, port);
  await waiting;
  expect(asked).toEqual(['/v2/']);
});

test('the waiting can be ended', async () => {
  const port = await listen(200);
  server.close();
  await once(server, 'close');
  await expect(waitForMirror(`http://127.0.0.1:${port}`, 3_600_000, { signal: AbortSignal.abort() })).rejects.toThrow(
    /ECONNREFUSED/,
  );
});

test('a df-daemon that is not ready', async () => {
  const port = await listen(503);
  const readyz = `http://127.0.0.1:${port}/readyz`;
  await expect(waitForMirror(`http://127.0.0.1:${port}`, 0, { readyz })).rejects.toThrow(
    `the df-daemon is not ready: it does not answer with 200 to GET ${readyz} within 0 s (it answered 503)`,
  );
});

test('a df-daemon that is ready', async () => {
  const port = await listen(200);
  const url = `http://127.0.0.1:${port}`;
  await waitForMirror(url, 0, { readyz: `${url}/readyz` });
  expect(server.listening).toBe(true);
});
