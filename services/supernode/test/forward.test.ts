import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import {
  parseRegistryRequest,
  successAnswer,
  taskIdOf,
  unknownTaskAnswer,
  waitAnswer,
} from '@cdk8s-dragonfly/protocol';
import type { ClassicAnswer, RegistryRequest } from '@cdk8s-dragonfly/protocol';

import { Forwarder } from '../src/replicas/forward';
import type { ClassicPath, ForwarderTools, Incoming } from '../src/replicas/forward';
import { ForwardClient, SilentReplica } from '../src/replicas/forward-client';
import { ForwardMark } from '../src/replicas/forward-mark';
import type { Forwardable } from '../src/replicas/forward-mark';
import { ForwardMemory, IDLE_FORWARDED } from '../src/replicas/forward-memory';
import type { Owner, Replica } from '../src/replicas/replica-set';
import { closed, listening } from './classic/fixture';

const URL_TEXT = 'http://origin.example/file.bin';
const TASK_ID = taskIdOf({ taskUrl: URL_TEXT });
const ASK = `srcCid=a&dstCid=&range=&result=502&status=700&taskId=${TASK_ID}`;
const { privateKey } = generateKeyPairSync('ed25519');
const MARK = new ForwardMark(privateKey);

function replica(name: string, port = 1): Replica {
  return { name, id: name.padEnd(32, '0'), key: 'k', ip: '127.0.0.1', port };
}

function registration(): { request: RegistryRequest; body: string } {
  const fields = { rawUrl: URL_TEXT, taskUrl: URL_TEXT, cid: 'a', ip: '127.0.0.1', port: 0, path: '/peer/file/a' };
  const body = JSON.stringify(fields);
  const parsed = parseRegistryRequest(body);
  if (!parsed.ok) throw new Error(parsed.refusal.msg);
  return { request: parsed.value, body };
}

/** A forwarder whose replicas and local tasks are scripted. */
class Script {
  /** What was done, in order. */
  readonly done: string[] = [];
  readonly memory = new ForwardMemory(() => 0);
  owners: Replica[] = [];
  answers: Record<string, ClassicAnswer | undefined> = {};
  underWay = false;
  /** Replicas that are silent, and whether they are there all the same. Of others that give no answer nobody has found out yet. */
  silent: Record<string, boolean | undefined> = {};
  /** What registrations here wait for. */
  head: Promise<unknown> = Promise.resolve();
  readonly forwarder: Forwarder;

  constructor() {
    const here = (what: string): ClassicAnswer => {
      this.done.push(`here ${what}`);
      return { code: 200, msg: 'here' };
    };
    const tools = {
      classic: {
        register: async (_request: RegistryRequest, limit?: number) => this.head.then(() => here(`register ${limit}`)),
        ask: async () => Promise.resolve(here('ask')),
        pieceStored: () => here('suc'),
        pieceFailed: () => here('error'),
        serviceDown: () => here('down'),
      },
      tasks: { find: () => ({ task: { isUnderWay: this.underWay } }) },
      replicas: {
        owner: (): Owner => {
          const [first] = this.owners;
          return first === undefined ? { self: true } : { self: false, replica: first };
        },
        isThere: async ({ name }: Replica) => Promise.resolve(this.silent[name] !== false),
        lost: ({ name }: Replica): void => {
          this.done.push(`lost ${name}`);
          this.owners = this.owners.filter((owner) => owner.name !== name);
        },
      },
      mark: MARK,
      memory: this.memory,
      client: {
        send: async (to: Replica, message: Forwardable, mark: string): Promise<ClassicAnswer> => {
          expect(MARK.isOn(message, mark)).toBe(true);
          this.done.push(`${to.name} ${message.target.split('?')[0] ?? ''}`);
          const answer = this.answers[to.name];
          if (this.silent[to.name] !== undefined) return Promise.reject(new SilentReplica('no answer'));
          return answer === undefined ? Promise.reject(new Error('it is gone')) : Promise.resolve(answer);
        },
      },
      now: () => 0,
      log: { warn: () => undefined },
    };
    this.forwarder = new Forwarder(tools as unknown as ForwarderTools);
  }

  async register(mark?: string): Promise<ClassicAnswer> {
    const { request, body } = registration();
    return this.forwarder.register(request, { target: '/peer/registry', body, mark });
  }

  async get(path: ClassicPath, query: string, mark?: string): Promise<ClassicAnswer> {
    return this.forwarder.answer(path, query, () => ({ target: `${path}?${query}`, mark }));
  }
}

const LATER: readonly [ClassicPath, string][] = [
  ['/peer/task', ASK],
  ['/peer/piece/suc', `taskId=${TASK_ID}&cid=a&dstCid=x&pieceRange=0-4194303`],
  ['/peer/piece/error', `errorType=FILE_NOT_EXIST&srcCid=a&dstCid=cdnnode:1.2.3.4~x&taskId=${TASK_ID}`],
  ['/peer/service/down', `taskId=${TASK_ID}&cid=a`],
];

describe('the mark of a request that was passed on', () => {
  const request: Forwardable = { target: '/peer/registry', body: '{}' };

  it('is believed with the same key and the same request only', () => {
    const mark = MARK.of(request);
    expect(MARK.isOn(request, mark)).toBe(true);
    expect(new ForwardMark(privateKey).isOn(request, mark)).toBe(true);
    expect(MARK.isOn({ ...request, body: '{ }' }, mark)).toBe(false);
    expect(MARK.isOn({ ...request, target: '/peer/task' }, mark)).toBe(false);
    expect(new ForwardMark(generateKeyPairSync('ed25519').privateKey).isOn(request, mark)).toBe(false);
  });

  it.each([undefined, '', '1', 'true', 'f'.repeat(64), 'x'.repeat(64), ['a', 'b']])('is not %j', (mark) => {
    expect(MARK.isOn(request, mark)).toBe(false);
  });
});

describe('a request of an original client', () => {
  it('is served here when this replica owns the blob, or runs its task, without a look at others', async () => {
    const script = new Script();
    expect(await script.register()).toEqual({ code: 200, msg: 'here' });
    script.owners = [replica('owner')];
    script.underWay = true;
    await script.register();
    for (const [path, query] of LATER) await script.get(path, query);
    expect(script.done).toEqual([
      'here register 4500',
      'here register 4500',
      'here ask',
      'here suc',
      'here error',
      'here down',
    ]);
  });

  it('goes to the owner, and so does all that the client says later', async () => {
    const script = new Script();
    script.owners = [replica('owner')];
    script.answers = { owner: { code: 200, msg: 'owner' } };
    expect(await script.register()).toEqual({ code: 200, msg: 'owner' });
    for (const [path, query] of LATER) expect(await script.get(path, query)).toEqual({ code: 200, msg: 'owner' });
    expect(script.done).toEqual(['owner /peer/registry', ...LATER.map(([path]) => `owner ${path}`)]);
    expect(script.memory.size).toBe(0);
  });

  it('of another client or another task is served here', async () => {
    const script = new Script();
    script.owners = [replica('owner')];
    script.answers = { owner: { code: 200 } };
    await script.register();
    await script.get('/peer/task', ASK.replace('srcCid=a', 'srcCid=b'));
    await script.get('/peer/task', ASK.replace(TASK_ID, 'f'.repeat(64)));
    await script.get('/peer/task', 'nonsense');
    expect(script.done).toEqual(['owner /peer/registry', 'here ask', 'here ask', 'here ask']);
  });

  it('that another replica passed on is served here, in time for that replica', async () => {
    const script = new Script();
    script.owners = [replica('owner')];
    const { body } = registration();
    await script.register(MARK.of({ target: '/peer/registry', body }));
    script.memory.remember({ taskId: TASK_ID, cid: 'a' }, replica('owner'));
    await script.get('/peer/task', ASK, MARK.of({ target: `/peer/task?${ASK}` }));
    expect(script.done).toEqual(['here register 1500', 'here ask']);
  });

  it('with a mark that no replica made is passed on as any other', async () => {
    const script = new Script();
    script.owners = [replica('owner')];
    script.answers = { owner: { code: 200, msg: 'owner' } };
    expect(await script.register('f'.repeat(64))).toEqual({ code: 200, msg: 'owner' });
  });

  it('whose owner is lost goes to the next owner, or is served here', async () => {
    const script = new Script();
    script.owners = [replica('first'), replica('second')];
    script.answers = { second: { code: 200, msg: 'second' } };
    expect(await script.register()).toEqual({ code: 200, msg: 'second' });
    script.owners = [replica('first')];
    script.answers = {};
    expect(await script.register()).toEqual({ code: 200, msg: 'here' });
    expect(script.done).toEqual([
      'first /peer/registry',
      'lost first',
      'second /peer/registry',
      'first /peer/registry',
      'lost first',
      'here register 4500',
    ]);
    expect(script.memory.size).toBe(0);
  });

  it('whose owner is silent comes again as long as that one is there: taken in here, it would cost a second copy', async () => {
    const script = new Script();
    script.owners = [replica('owner')];
    script.answers = { owner: { code: 200 } };
    await script.register();
    script.silent = { owner: true };
    expect((await script.register()).code).toBe(609);
    for (const [path, query] of LATER)
      expect(await script.get(path, query)).toEqual(path === '/peer/task' ? waitAnswer() : successAnswer());
    expect(script.done.filter((what) => !what.startsWith('owner'))).toEqual([]);
    script.silent = { owner: false };
    expect(await script.register()).toEqual({ code: 200, msg: 'here' });
    expect(script.done.slice(-2)).toEqual(['lost owner', 'here register 4500']);
  });

  it('that another replica passed on does not wait for the origin when many do: they take the connections of all', async () => {
    const script = new Script();
    let answer: (() => void) | undefined;
    script.head = new Promise<void>((resolve) => (answer = resolve));
    const { body } = registration();
    const mark = MARK.of({ target: '/peer/registry', body });
    const all = Array.from({ length: 66 }, async () => script.register(mark));
    answer?.();
    await Promise.all(all);
    expect(script.done.filter((what) => what === 'here register 1500')).toHaveLength(64);
    expect(script.done.filter((what) => what === 'here register 0')).toHaveLength(2);
    await script.register(mark);
    expect(script.done.at(-1)).toBe('here register 1500');
  });

  it('is told to register again when its owner is lost later, and reports are taken', async () => {
    for (const [path, query] of LATER) {
      const script = new Script();
      script.owners = [replica('owner')];
      script.answers = { owner: { code: 200 } };
      await script.register();
      script.answers = {};
      const answer = await script.get(path, query);
      expect(answer).toEqual(path === '/peer/task' ? unknownTaskAnswer() : successAnswer());
      expect(script.memory.size).toBe(0);
    }
  });

  it('that the owner refuses is refused, and not served from another place', async () => {
    const script = new Script();
    script.owners = [replica('owner')];
    script.answers = { owner: { code: 607, msg: 'no such file' } };
    expect(await script.register()).toEqual({ code: 607, msg: 'no such file' });
    expect(script.memory.size).toBe(0);
    expect(script.done).toEqual(['owner /peer/registry']);
  });
});

describe('the memory of clients that are served elsewhere', () => {
  it('forgets those that were silent for the longest time', () => {
    let now = 0;
    const memory = new ForwardMemory(() => now, 2);
    const client = (cid: string): { taskId: string; cid: string } => ({ taskId: TASK_ID, cid });
    memory.remember(client('a'), replica('r'));
    memory.remember(client('b'), replica('r'));
    expect(memory.find(client('a'))?.name).toBe('r');
    memory.remember(client('c'), replica('r'));
    expect(memory.find(client('b'))).toBeUndefined();
    now = IDLE_FORWARDED - 1;
    expect(memory.find(client('c'))?.name).toBe('r');
    now = IDLE_FORWARDED;
    memory.remember(client('c'), replica('r'));
    expect(memory.size).toBe(1);
  });
});

describe('a request to another replica', () => {
  let server: Server;
  const client = new ForwardClient(200);
  const message = { target: '/peer/task?dstCid=cdnnode:127.0.0.1~x', body: '{"é":1}' };
  afterEach(async () => closed(server));
  afterAll(() => client.stop());

  async function send(listener: RequestListener): Promise<ClassicAnswer> {
    const started = await listening(listener);
    server = started.server;
    return client.send({ ip: '127.0.0.1', port: started.port }, message, 'mark');
  }

  it('brings method, target, body and mark there, and its answer back', async () => {
    let seen: unknown;
    const answer = { code: 601, msg: 'm', data: [{ pieceNum: 0 }] };
    const got = await send((request, response) => {
      const { method, url, headers } = request;
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        seen = { method, url, mark: headers['x-dragonfly-forwarded'], body };
        response.end(JSON.stringify(answer));
      });
    });
    expect(got).toEqual(answer);
    expect(seen).toEqual({ method: 'POST', url: message.target, mark: 'mark', body: message.body });
  });

  it.each<[string, RequestListener, RegExp]>([
    ['is silent', () => undefined, /no answer within 200 ms/],
    ['stays in the middle', (_request, response) => response.writeHead(200).write('{'), /no answer within 200 ms/],
    ['breaks off', (request) => request.socket.destroy(), /socket hang up/],
    ['answers another status', (_request, response) => response.writeHead(500).end('{"code":1}'), /500/],
    ['answers nonsense', (_request, response) => response.end('<html>'), /without a document/],
    ['never ends', (_request, response) => response.end('x'.repeat(100_000)), /longer than 65536 bytes/],
    [
      'stops',
      (_request, response) => response.setHeader('connection', 'close').end('{"code":604}'),
      /takes no more requests/,
    ],
  ])('fails when it %s', async (_what, listener, message) => {
    await expect(send(listener)).rejects.toThrow(message);
  });

  it('is repeated when a kept connection was closed meanwhile', async () => {
    const sockets = new Set<unknown>();
    const listener: RequestListener = (request, response) => {
      // The second request of a connection finds it closed.
      if (sockets.has(request.socket)) request.socket.destroy();
      else response.end('{"code":200}');
      sockets.add(request.socket);
    };
    expect((await send(listener)).code).toBe(200);
    const { port } = server.address() as AddressInfo;
    expect((await client.send({ ip: '127.0.0.1', port }, message, 'mark')).code).toBe(200);
    expect(sockets.size).toBe(2);
  });

  it('fails at once when nobody listens', async () => {
    server = createServer();
    server.listen(0);
    const free = await listening(() => undefined);
    await closed(free.server);
    const incoming: Incoming = { target: '/peer/task', mark: undefined };
    await expect(client.send({ ip: '127.0.0.1', port: free.port }, incoming, 'mark')).rejects.toThrow('ECONNREFUSED');
  });
});
