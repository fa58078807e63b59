import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { PeerTable } from '../../src/fronts/peer-table';
import { whole } from '../classic/fixture';
import { Running } from './running';

let running: Running;

beforeEach(async () => {
  running = await Running.start(whole(Buffer.from('content')));
});

afterEach(async () => running.stop());

const PEER = { IP: '192.0.2.7', hostName: 'node-7', port: 15001, version: '0.4.0' };

async function add(peer: object | string): Promise<{ readonly status: number; readonly body: unknown }> {
  return running.json('/peers', { method: 'POST', body: JSON.stringify(peer) });
}

async function idOf(peer: object): Promise<string> {
  const { body } = await add(peer);
  return (body as { readonly ID: string }).ID;
}

test('a peer is entered, shown, listed and removed', async () => {
  const { status, body } = await add(PEER);
  expect([status, body]).toEqual([201, { ID: expect.stringMatching(/^node-7-192\.0\.2\.7-\d{19}$/) as string }]);
  const { ID } = body as { readonly ID: string };
  const created = expect.stringMatching(/^\d{4}-\d{2}-\d{2}T/) as string;
  expect(await running.json(`/peers/${ID}`)).toEqual({ status: 200, body: { ID, created, ...PEER } });
  const itself = expect.objectContaining({ IP: '127.0.0.1', port: running.piecePort }) as object;
  expect((await running.json('/peers')).body).toEqual([itself, { ID, created, ...PEER }]);

  const removed = await running.ask(`/peers/${ID}`, { method: 'DELETE' });
  expect([removed.status, removed.text]).toEqual([200, '']);
  const unknown = { status: 404, body: { code: 502, message: 'there is no peer with this ID; GET /peers lists them' } };
  expect(await running.json(`/peers/${ID}`)).toEqual(unknown);
  expect(await running.json(`/peers/${ID}`, { method: 'DELETE' })).toEqual(unknown);
});

test('a registration enters its client, once', async () => {
  await running.register('client-1', { version: '0.4.0' });
  await running.register('client-2', { version: '0.4.0' });
  await running.register('client-3', { port: 15002 });
  const { body } = await running.json('/peers');
  expect(body).toEqual([
    expect.anything(),
    expect.objectContaining({ hostName: 'node', IP: '127.0.0.2', port: 15000, version: '0.4.0' }),
    expect.objectContaining({ hostName: 'node', IP: '127.0.0.2', port: 15002, version: '' }),
  ]);
});

test('a client with long names takes no more room than others', async () => {
  await running.register('client-1', { hostName: 'h'.repeat(4096), version: 'v'.repeat(4096) });
  const { body } = await running.json('/peers');
  expect(body).toEqual([
    expect.anything(),
    expect.objectContaining({ hostName: 'h'.repeat(253), version: 'v'.repeat(64) }),
  ]);
});

test('the list comes in pages', async () => {
  for (let port = 1; port <= 4; port += 1) await idOf({ ...PEER, port });
  const { body } = await running.json('/peers?pageNum=1&pageSize=2');
  expect((body as { port: number }[]).map(({ port }) => port)).toEqual([2, 3]);
  expect((await running.json('/peers?pageSize=0')).status).toBe(400);
});

test.each([[{ ...PEER, IP: 'node' }], [{ ...PEER, port: '1' }], [{ ...PEER, hostName: '' }], [[]], ['text']])(
  'the peer %j is refused',
  async (peer) => {
    expect(await add(peer)).toEqual({
      status: 400,
      body: {
        code: 501,
        message: 'a peer is {"IP": address, "hostName": name, "port": 0 to 65535, "version": text}',
      },
    });
  },
);

test('at most as many are remembered as there is room for, the latest', () => {
  const table = new PeerTable(3);
  const ids = [1, 2, 3].map((port) => table.add({ ...PEER, port }).ID);
  expect(new Set(ids).size).toBe(3);
  table.add({ ...PEER, port: 1 });
  table.add({ ...PEER, port: 4 });
  expect(table.all().map(({ port }) => port)).toEqual([3, 1, 4]);
  expect(table.size).toBe(3);
  expect(table.find(ids[0]!)?.port).toBe(1);
  expect(table.find(ids[1]!)).toBeUndefined();
});

test('keeps nothing of the rest of a long name', () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const table = new PeerTable();
  gc();
  const before = process.memoryUsage().heapUsed;
  for (let peer = 0; peer < 400; peer += 1) {
    // As it comes from a body: a string that nobody else has.
    const hostName = Buffer.alloc(250_000, 97 + (peer % 26)).toString();
    table.add({ IP: '10.0.0.1', hostName, port: peer, version: hostName });
  }
  gc();
  expect(table.size).toBe(400);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(20e6);
});
