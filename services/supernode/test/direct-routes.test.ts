import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

import type { ClassicAnswer } from '@cdk8s-dragonfly/protocol';

import { ApiServer } from '../src/fronts/api-server';
import type { DirectRoute } from '../src/fronts/direct-routes';
import { HttpMeter } from '../src/metrics/http-meter';
import type { Answered } from '../src/metrics/http-meter';

const TAKEN: ClassicAnswer = { code: 200, msg: 'success' };

class Counting extends HttpMeter {
  readonly all: Answered[] = [];

  override answered(answered: Answered): void {
    this.all.push(answered);
  }
}

let server: ApiServer;
let base: string;
let errors: object[];
let meter: Counting;
let late: () => Promise<ClassicAnswer>;

async function serve(path: string, route: DirectRoute): Promise<void> {
  errors = [];
  meter = new Counting();
  const log = { error: (fields: object): void => void errors.push(fields), isLevelEnabled: (): boolean => false };
  server = new ApiServer({ log: log as never, processId: 'a process', meter, direct: new Map([[path, route]]) });
  base = `http://127.0.0.1:${(await server.start({ host: '127.0.0.1', port: 0 })).port}`;
}

afterEach(async () => server.stop());

async function ask(path: string, init?: RequestInit): Promise<[number, unknown]> {
  const answer = await fetch(`${base}${path}`, init);
  return [answer.status, await answer.json().catch(() => undefined)];
}

const SYSTEM_ERROR = { code: 500, msg: 'something failed in the supernode; its log tells what' };

test('the query comes as it was sent, also behind a path with a version', async () => {
  const queries: string[] = [];
  await serve('/peer/task', (query, { url }) => {
    queries.push(query, url);
    return TAKEN;
  });
  expect(await ask('/v1.0/peer/task?a=%41&b=c d')).toEqual([200, TAKEN]);
  expect(queries).toEqual(['a=%41&b=c%20d', '/peer/task?a=%41&b=c%20d']);
});

test.each<[string, DirectRoute]>([
  [
    'throws',
    (): never => {
      throw new Error('broken');
    },
  ],
  ['rejects', async (): Promise<never> => Promise.reject(new Error('broken'))],
])('a route that %s gives a code of the protocol, and a line in the log', async (_how, route) => {
  await serve('/peer/task', route);
  expect(await ask('/peer/task', { headers: { 'x-request-id': 'mine' } })).toEqual([200, SYSTEM_ERROR]);
  expect(errors).toEqual([{ request: 'mine', path: '/peer/task', err: new Error('broken') }]);
});

test('a report is taken even if what it told is lost', async () => {
  await serve('/peer/piece/suc', (): never => {
    throw new Error('broken');
  });
  expect(await ask('/peer/piece/suc')).toEqual([200, TAKEN]);
});

test('an answer that comes late is counted when it is out', async () => {
  let answer: (answer: ClassicAnswer) => void = () => undefined;
  const asked = new Promise<void>((resolve) => {
    late = async () =>
      new Promise((resolveAnswer) => {
        answer = resolveAnswer;
        resolve();
      });
  });
  await serve('/peer/task', async () => late());
  const answered = ask('/peer/task?x=1');
  await asked;
  expect(meter.all).toEqual([]);
  answer(TAKEN);
  expect(await answered).toEqual([200, TAKEN]);
  expect(meter.all).toEqual([
    expect.objectContaining({
      method: 'GET',
      path: '/peer/task',
      route: '/peer/task',
      status: 200,
      taken: 0,
      given: 28,
    }),
  ]);
});

test.each(['http://supernode:8002', 'HTTP://supernode:8002/v1.2'])(
  '%s in front of the path is taken',
  async (front) => {
    await serve('/peer/task', (query) => ({ ...TAKEN, msg: query }));
    const [answer] = (await once(
      request({
        port: Number(new URL(base).port),
        host: '127.0.0.1',
        path: `${front}/peer/task?a=b`,
        agent: false,
      }).end(),
      'response',
    )) as [IncomingMessage];
    expect([answer.statusCode, JSON.parse(await text(answer))]).toEqual([200, { code: 200, msg: 'a=b' }]);
  },
);

test.each([
  ['keep-alive', 'timeout=60'],
  ['close', undefined],
])('a client whose connection is to be "%s" is told Keep-Alive %s', async (connection, keepAlive) => {
  await serve('/peer/task', () => TAKEN);
  const { headers } = await fetch(`${base}/peer/task`, { headers: { connection } });
  expect([headers.get('connection'), headers.get('keep-alive') ?? undefined]).toEqual([connection, keepAlive]);
});

test('a client that comes while the supernode stops is told so, and to close its connection', async () => {
  await serve('/peer/task', () => TAKEN);
  const stopping = server.drain();
  const answer = await fetch(`${base}/peer/task`);
  expect([answer.status, answer.headers.get('connection'), await answer.json()]).toEqual([
    200,
    'close',
    { code: 604, msg: 'the supernode is stopping' },
  ]);
  await stopping;
});

test('only GET is answered there', async () => {
  await serve('/peer/task', () => TAKEN);
  const message = 'POST /peer/task is no route of the supernode';
  expect(await ask('/peer/task', { method: 'POST' })).toEqual([200, { code: 404, msg: message }]);
});
