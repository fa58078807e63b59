import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { whole } from '../classic/fixture';
import type { OriginPath } from '../classic/fixture';
import { OriginalClient } from '../classic/original-client';
import { GO } from '../classic/original-style';
import { RawSocket } from './raw-socket';
import { Running } from './running';

const MIB = 1024 * 1024;
const CONTENT = randomBytes(16 * MIB);

/** Answers, and sends nothing more. */
const stalled: OriginPath = (_request, response) => void response.writeHead(200, { 'content-length': 10 }).write('a');

let running: Running;
let sockets: RawSocket[];

async function begin(file: OriginPath, stop = 10_000): Promise<void> {
  running = await Running.start(file, { limits: { stop } });
}

beforeEach(() => {
  sockets = [];
});

afterEach(async () => {
  for (const socket of sockets) socket.end();
  await running.stop();
});

async function open(port: number): Promise<RawSocket> {
  const socket = await RawSocket.open(port);
  sockets.push(socket);
  return socket;
}

/** A client that has begun to take the whole framed file and reads no further. */
async function halfRead(): Promise<{ readonly socket: RawSocket; readonly length: number }> {
  const client = new OriginalClient({ style: GO, url: running.url(), cid: '127.0.0.2-1-1.0', api: running.apiPort });
  await client.download();
  const { body } = await running.register('another');
  const { taskId } = (body as { readonly data: { readonly taskId: string } }).data;
  const socket = await open(running.piecePort);
  socket.get(`/download/${taskId.slice(0, 3)}/${taskId}`);
  await socket.hasReceived(1000);
  socket.socket.pause();
  const length = Number(/content-length: (\d+)/i.exec(socket.text)?.[1]);
  expect(length).toBe(CONTENT.length + 5 * 4 + 5);
  return { socket, length };
}

test('lets a running answer end', async () => {
  await begin(whole(CONTENT));
  const { socket, length } = await halfRead();
  const before = socket.text.length;
  expect(before).toBeLessThan(length);
  const stopping = running.supernode.stop();
  expect((await running.ask('/livez')).status).toBe(200);
  socket.socket.resume();
  await socket.closed();
  const head = socket.text.indexOf('\r\n\r\n') + 4;
  expect(socket.text.length - head).toBe(length);
  await stopping;
});

test('does not wait for a client that does not read, beyond its time', async () => {
  await begin(whole(CONTENT), 400);
  await halfRead();
  const began = performance.now();
  await running.supernode.stop();
  const took = performance.now() - began;
  expect(took).toBeGreaterThan(390);
  expect(took).toBeLessThan(1500);
});

test('is at once when nobody is there', async () => {
  await begin(whole(CONTENT));
  const began = performance.now();
  await running.supernode.stop();
  expect(performance.now() - began).toBeLessThan(500);
});

test('ends sessions at once, is not ready, and takes nothing new', async () => {
  await begin(stalled);
  const session = await open(running.apiPort);
  session.get('/native/v3/session?cid=daemon&ip=127.0.0.1&port=15001');
  await session.hasReceived(200);
  // An original client waits, so the supernode is still there to be asked.
  await running.register('client-1');
  const task = await taskId();
  expect((await running.json(`/peer/task?${question(task)}`)).body).toMatchObject({ code: 602 });

  const stopping = running.supernode.stop();
  expect(await session.closed()).toBeLessThan(100);
  expect(await running.json('/readyz')).toEqual({
    status: 503,
    body: { code: 500, message: 'the control API takes no requests; the piece server takes no requests' },
  });
  const refused = { code: 604, message: 'the supernode is stopping' };
  expect(await running.json('/native/v3/session?cid=d&ip=127.0.0.1&port=1')).toEqual({ status: 503, body: refused });
  expect(await running.register('client-2')).toEqual({
    status: 200,
    body: { code: 604, msg: 'the supernode is stopping' },
  });
  expect(running.requests).toBe(1);

  // It asks again as told, and learns that it must go on elsewhere: then nobody is waited for any more.
  const began = performance.now();
  expect((await running.json(`/peer/task?${question(task)}`)).body).toEqual(refusedOriginal);
  await stopping;
  expect(performance.now() - began).toBeLessThan(1000);
});

const refusedOriginal = { code: 604, msg: 'the supernode is stopping' };

async function taskId(): Promise<string> {
  const { body } = await running.register('client-1');
  return (body as { readonly data: { readonly taskId: string } }).data.taskId;
}

function question(task: string): string {
  return `srcCid=client-1&dstCid=&range=&result=502&status=700&taskId=${task}`;
}

test('waits for a client that was told to ask again, until it would have', async () => {
  await begin(stalled);
  const task = await taskId();
  await running.json(`/peer/task?${question(task)}`);
  const began = performance.now();
  await running.supernode.stop();
  const took = performance.now() - began;
  expect(took).toBeGreaterThan(2000);
  expect(took).toBeLessThan(4000);
});

test('does not wait for answers to requests that were sent one behind the other, once their client is gone', async () => {
  await begin(() => undefined, 5000);
  const client = await open(running.apiPort);
  const body = JSON.stringify({ rawUrl: running.url(), cid: 'client-1', ip: '127.0.0.2', port: 15000, path: '/f' });
  client.write(`POST /peer/registry HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  client.get('/peers');
  client.get('/peer/none');
  const end = performance.now() + 8000;
  while (running.requests === 0 && performance.now() < end) await delay(5);
  expect(running.requests).toBe(1);
  client.end();
  const began = performance.now();
  await running.supernode.stop();
  expect(performance.now() - began).toBeLessThan(2500);
});

test('refuses what comes on open connections of the piece server', async () => {
  await begin(whole(CONTENT));
  const { socket } = await halfRead();
  const other = await open(running.piecePort);
  other.write('GET /none HTTP/1.1\r\n');
  await delay(50);
  const stopping = running.supernode.stop();
  other.write('Host: a\r\n\r\n');
  await other.closed();
  expect([other.status, other.body]).toEqual([503, { code: 503, message: 'the supernode is stopping' }]);
  socket.end();
  await stopping;
});
