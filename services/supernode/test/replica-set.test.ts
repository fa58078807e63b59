import { generateKeyPairSync } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { REPLICA_PATH, publicKeyText } from '@cdk8s-dragonfly/protocol';
import type { BlobId } from '@cdk8s-dragonfly/protocol';

import { FORWARD_HEADER, ForwardMark } from '../src/replicas/forward-mark';
import { ReplicaSet } from '../src/replicas/replica-set';
import { ownerOf } from '../src/replicas/rendezvous';

const { privateKey } = generateKeyPairSync('ed25519');

describe('the owner of a blob', () => {
  const replicas = ['a:1', 'b:1', 'c:1'].map((name) => ({ name }));
  const blobs = Array.from({ length: 3000 }, (_, index) => `sha256:${index}`);

  test('is the same in whatever order the replicas are listed', () => {
    for (const blob of blobs.slice(0, 50)) {
      expect(ownerOf(blob, [...replicas].reverse())).toEqual(ownerOf(blob, replicas));
    }
    const none: { name: string }[] = [];
    expect(ownerOf('x', none)).toBeUndefined();
  });

  test('moves only when it is lost, and then evenly to the others', () => {
    const count: Record<string, number> = {};
    const moved: string[] = [];
    for (const blob of blobs) {
      const before = ownerOf(blob, replicas)!.name;
      const after = ownerOf(blob, replicas.slice(0, 2))!.name;
      if (before === 'c:1') count[after] = (count[after] ?? 0) + 1;
      else if (after !== before) moved.push(blob);
    }
    expect(moved).toEqual([]);
    expect(Object.keys(count).sort()).toEqual(['a:1', 'b:1']);
    expect(Math.min(...Object.values(count))).toBeGreaterThan(400);
  });
});

describe('the other replicas', () => {
  const digest = (number: number): BlobId => `sha256:${String(number).padStart(64, '0')}`;
  const events = new EventEmitter();
  let server: Server;
  let replicas: ReplicaSet;
  let answer: RequestListener;
  const identity = { id: '0'.repeat(32), key: publicKeyText(privateKey), ip: '127.0.0.1', port: 1 };
  const good: RequestListener = (_request, response) => response.end(JSON.stringify(identity));

  beforeEach(async () => {
    answer = good;
    server = createServer((request, response) => {
      events.emit('asked');
      answer(request, response);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const say = (_fields: object, text: string): boolean => events.emit(text);
    replicas = new ReplicaSet({
      peers: [{ host: '127.0.0.1', port }],
      key: privateKey,
      api: () => ({ host: '127.0.0.1', port: 2 }),
      times: { askEvery: 50, patience: 300 },
      log: { info: say, warn: say },
    });
  });
  afterEach(async () => {
    await replicas.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    events.removeAllListeners();
  });

  test('are asked anew soon after a start: they may have started at the same time', async () => {
    await replicas.stop();
    const { port } = server.address() as AddressInfo;
    const log = { info: (_fields: object, text: string) => events.emit(text), warn: () => undefined };
    const [peers, api] = [[{ host: '127.0.0.1', port }], { host: '127.0.0.1', port: 2 }];
    replicas = new ReplicaSet({
      peers,
      key: privateKey,
      api: () => api,
      times: { askEvery: 3_600_000, patience: 300 },
      log,
    });
    let asked = 0;
    answer = (request, response) => {
      asked += 1;
      if (asked < 3) request.socket.destroy();
      else good(request, response);
    };
    const found = once(events, 'a replica answers');
    await replicas.start();
    expect(replicas.others).toEqual([]);
    await found;
    expect(asked).toBeGreaterThanOrEqual(3);
  });

  test('own blobs while they answer, and no more when their port is closed', async () => {
    await replicas.start();
    expect(replicas.owner('x')).toMatchObject({ self: false, replica: { ip: '127.0.0.1', port: 1 } });
    server.closeAllConnections();
    server.close();
    await once(events, 'a replica does not answer');
    expect(replicas.owner('x')).toEqual({ self: true });
  });

  test('own what they have under way, also those that would own nothing of it else', async () => {
    await replicas.stop();
    const { port } = server.address() as AddressInfo;
    // The first is this one itself, by its name.
    const peers = [
      { host: 'localhost', port },
      { host: '127.0.0.1', port },
    ];
    replicas = new ReplicaSet({
      peers,
      key: privateKey,
      api: () => ({ host: '127.0.0.1', port: 2 }),
      underWay: (most) => [digest(most)],
      times: { askEvery: 3_600_000, patience: 300 },
      log: { info: () => undefined, warn: () => undefined },
    });
    const names = peers.map(({ host }) => ({ name: `${host}:${port}` }));
    const own = Array.from({ length: 100 }, (_, index) => digest(index)).filter(
      (blob) => ownerOf(blob, names) === names[0],
    );
    const [here, there] = own;
    const question = { target: REPLICA_PATH };
    const mark = new ForwardMark(privateKey);
    answer = ({ headers }, response) => {
      const other = mark.isOn(question, headers[FORWARD_HEADER]) ? { ...identity, underWay: [there] } : identity;
      response.end(
        JSON.stringify(headers.host?.startsWith('localhost') === true ? replicas.answerTo(undefined) : other),
      );
    };
    await replicas.start();
    expect(replicas.owner(here!)).toEqual({ self: true });
    expect(replicas.owner(there!)).toMatchObject({ self: false, replica: { name: names[1]!.name } });
    expect(replicas.owner(there!, [names[1]!.name])).toEqual({ self: true });
    expect(replicas.answerTo(mark.of(question)).underWay).toEqual([digest(256)]);
    // Daemons have no use for it, and strangers are told nothing.
    const stranger = new ForwardMark(generateKeyPairSync('ed25519').privateKey).of(question);
    for (const other of [undefined, stranger]) expect(replicas.answerTo(other)).not.toHaveProperty('underWay');
  });

  test('are asked once before what they own is asked for', async () => {
    const held: (() => void)[] = [];
    answer = (request, response) => {
      held.push(() => good(request, response));
      events.emit('held');
    };
    const done: string[] = [];
    void replicas.asked.then(() => done.push('asked'));
    const waiting = once(events, 'held');
    const started = replicas.start();
    await waiting;
    expect(done).toEqual([]);
    answer = good;
    held.forEach((go) => go());
    await started;
    expect(done).toEqual(['asked']);
  });

  test('are not given up for one late answer, but for two', async () => {
    await replicas.start();
    let late = 0;
    answer = () => {
      late += 1;
    };
    await once(events, 'a replica does not answer');
    expect(late).toBe(2);
    expect(replicas.others).toEqual([]);
    answer = good;
    await once(events, 'a replica answers');
    answer = (request, response) => {
      // Late once, then as before.
      answer = good;
      request.socket.once('close', () => response.destroy());
    };
    await once(events, 'asked');
    await once(events, 'asked');
    await once(events, 'asked');
    expect(replicas.others).toHaveLength(1);
  });

  test('are not given up while their pulse beats, and at once when it has stopped', async () => {
    const thread = createSocket('udp4').bind((server.address() as AddressInfo).port + 1, '127.0.0.1');
    await once(thread, 'listening');
    try {
      let beats = true;
      thread.on('message', (question, from) => {
        if (beats) thread.send(Buffer.concat([question, Buffer.alloc(4)]), from.port, from.address);
        events.emit('felt');
      });
      const felt = once(events, 'felt');
      await replicas.start();
      await felt;
      let late = 0;
      answer = () => {
        late += 1;
        events.emit('late');
      };
      while (late < 4) await once(events, 'late');
      expect(replicas.others).toHaveLength(1);
      const owner = replicas.owner('x');
      if (owner.self) throw new Error('it owns nothing any more');
      expect(await replicas.isThere(owner.replica)).toBe(true);
      expect(await replicas.isThere({ ...owner.replica, id: '1'.repeat(32) })).toBe(false);
      beats = false;
      const before = late;
      await once(events, 'a replica does not answer');
      expect(late).toBe(before);
    } finally {
      thread.close();
    }
  });

  test('that were silent are there until their pulse has stopped', async () => {
    const thread = createSocket('udp4').bind((server.address() as AddressInfo).port + 1, '127.0.0.1');
    await once(thread, 'listening');
    thread.on('message', (question, from) => {
      thread.send(Buffer.concat([question, Buffer.alloc(4)]), from.port, from.address);
      events.emit('felt');
    });
    const felt = once(events, 'felt');
    await replicas.stop();
    // Nobody else finds out.
    replicas = new ReplicaSet({
      peers: [{ host: '127.0.0.1', port: (server.address() as AddressInfo).port }],
      key: privateKey,
      api: () => ({ host: '127.0.0.1', port: 2 }),
      times: { askEvery: 50, patience: 3_600_000 },
      log: { info: () => undefined, warn: () => undefined },
    });
    await replicas.start();
    await felt;
    const owner = replicas.owner('x');
    if (owner.self) throw new Error('it owns nothing');
    expect(await replicas.isThere(owner.replica)).toBe(true);
    answer = () => undefined;
    thread.close();
    expect(await replicas.isThere(owner.replica)).toBe(false);
    expect(replicas.owner('x')).toEqual({ self: true });
  });

  test.each([
    ['signs with another key', { ...identity, key: publicKeyText(generateKeyPairSync('ed25519').privateKey) }],
    ['says what is not of the protocol', { id: 'x' }],
  ])('are left out when one %s', async (_what, document) => {
    answer = (_request, response) => response.end(JSON.stringify(document));
    const told = once(events, 'a replica does not answer');
    await replicas.start();
    await told;
    expect(replicas.owner('x')).toEqual({ self: true });
  });
});
