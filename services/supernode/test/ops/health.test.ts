import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { commandVersion } from '@cdk8s-dragonfly/command';

import { versionDocument } from '../../src/fronts/ops-routes';
import { Readiness } from '../../src/fronts/readiness';
import { status, whole } from '../classic/fixture';
import { RawSocket } from './raw-socket';
import { Running } from './running';

const FILE = Buffer.from('content');

describe('health and version', () => {
  let running: Running;

  beforeAll(async () => {
    running = await Running.start(whole(FILE));
  });

  afterAll(async () => running.stop());

  test.each([
    ['/_ping', 'OK'],
    ['/livez', 'ok'],
    ['/readyz', 'ok'],
    ['/v1/_ping', 'OK'],
  ])('%s answers %s', async (path, text) => {
    const answer = await running.ask(path);
    expect([answer.status, answer.text]).toEqual([200, text]);
  });

  test.each([
    ['says for how long it keeps a connection', '', 'timeout=60'],
    ['does not say so of one that it closes', 'Connection: close\r\n', undefined],
  ])('%s', async (_what, header, kept) => {
    const { socket } = await RawSocket.open(running.apiPort);
    socket.write(`GET /_ping HTTP/1.1\r\nHost: x\r\n${header}\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(/^keep-alive: (.*)\r$/im.exec(answer.toString())?.[1]).toBe(kept);
  });

  test('a ping tells which process gives it, as the replica does', async () => {
    const [ping, replica] = [await running.ask('/_ping'), await running.json('/native/v3/replica')];
    expect(replica.body).toMatchObject({ id: ping.headers.get('x-dragonfly-process') ?? 'none' });
  });

  test('a probe does not wait behind what others ask', async () => {
    const asking = await Promise.all(Array.from({ length: 100 }, async () => RawSocket.open(running.apiPort)));
    const probe = await RawSocket.open(running.apiPort);
    const order: string[] = [];
    const answered = [...asking, probe].map(async (socket) => {
      await once(socket.socket, 'data');
      order.push(socket === probe ? 'probe' : 'other');
    });
    for (const socket of asking) socket.write('GET /preheats HTTP/1.1\r\nHost: x\r\n\r\n');
    probe.write('GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n');
    await Promise.all(answered);
    expect(order.indexOf('probe')).toBeLessThan(90);
    for (const { socket } of [...asking, probe]) socket.destroy();
  });

  test('/version tells what runs, in the words of the original', async () => {
    const { status: code, body } = await running.json('/version');
    expect(code).toBe(200);
    expect(body).toEqual({
      Version: commandVersion(),
      OS: process.platform,
      Arch: versionDocument('').Arch,
      NodeVersion: process.versions.node,
    });
    expect(versionDocument('').Arch).not.toBe('x64');
  });

  test('any other path is refused with a code and a sentence', async () => {
    expect(await running.json('/tasks?x=1')).toEqual({
      status: 404,
      body: { code: 404, message: 'GET /tasks is no route of the supernode' },
    });
  });
});

describe('readiness', () => {
  test('is kept when the file system has less free than it must: what is there is still served', async () => {
    const running = await Running.start(whole(FILE), { minFree: Number.MAX_SAFE_INTEGER });
    try {
      expect((await running.ask('/readyz')).status).toBe(200);
    } finally {
      await running.stop();
    }
  });

  test('is lost when the folder cannot be written', async () => {
    const homeDir = join(await mkdtemp(join(tmpdir(), 'readiness-')), 'missing');
    const missing = await new Readiness({ homeDir, parts: () => new Map() }).missing();
    expect(missing).toEqual([expect.stringMatching(/missing cannot be written: ENOENT/)]);
    await rm(join(homeDir, '..'), { recursive: true });
  });

  test('names the parts that take no requests', async () => {
    const parts = (): Map<string, boolean> =>
      new Map([
        ['the control API', true],
        ['the piece server', false],
      ]);
    expect(await new Readiness({ homeDir: tmpdir(), parts }).missing()).toEqual(['the piece server takes no requests']);
  });
});

describe('requests in the log', () => {
  let running: Running;

  beforeEach(async () => {
    running = await Running.start(status(404));
  });

  afterEach(async () => running.stop());

  test('have the id that the client gave', async () => {
    const { headers } = await running.ask('/peers', { headers: { 'x-request-id': 'trace-7:a.b_C' } });
    expect(headers.get('x-request-id')).toBe('trace-7:a.b_C');
    expect(running.logged('answered')).toEqual([
      expect.objectContaining({ level: 'debug', request: 'trace-7:a.b_C', method: 'GET', path: '/peers', status: 200 }),
    ]);
  });

  test.each(['with space', 'a'.repeat(65), '"quoted"'])('have a new id when the given one is %j', async (id) => {
    const { headers } = await running.ask('/peers', { headers: { 'x-request-id': id } });
    const given = headers.get('x-request-id');
    expect(given).toMatch(/^[0-9a-f]{8}-[0-9a-z]+$/);
    expect(running.logged('answered')[0]).toMatchObject({ request: given });
  });

  test('have one line for a registration, without credentials and signed queries', async () => {
    const rawUrl = `${running.url()}?X-Amz-Signature=deadbeef&name=hidden`;
    const secrets = { rawUrl, taskUrl: rawUrl, headers: ['Authorization:Bearer hidden', 'X-Own:hidden'] };
    const { status: code, body } = await running.register('client-1', secrets);
    expect([code, body]).toEqual([200, expect.objectContaining({ code: 607 })]);
    await running.ask('/peer/task?srcCid=hidden&taskId=hidden');
    expect(running.logged('registration refused')).toEqual([
      expect.objectContaining({
        level: 'info',
        request: expect.any(String) as string,
        cid: 'client-1',
        ip: '127.0.0.2',
        origin: new URL(rawUrl).host,
        code: 607,
      }),
    ]);
    expect(running.lines.filter((line) => /hidden|deadbeef/.test(line))).toEqual([]);
  });
});
