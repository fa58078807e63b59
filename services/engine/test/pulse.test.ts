import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { PULSE_MAGIC, PULSE_NONCE } from '@cdk8s-dragonfly/protocol';
import { Agent } from 'undici';

import { Liveness } from '../src/links/liveness';
import { Pulse, PulseSockets } from '../src/links/pulse';
import { SteadyClock } from '../src/links/steady-clock';

const QUESTION = PULSE_MAGIC.length + PULSE_NONCE;

/** What a supernode does. */
interface Supernode {
  /** For how many ms its event loop has stood still, as its other thread says; undefined: that says nothing. */
  late: number | undefined;
  /** How it answers a ping; undefined: not at all. */
  ping: ((response: ServerResponse) => void) | undefined;
}

describe('whether a supernode lives', () => {
  const sockets = new PulseSockets();
  const clock = new SteadyClock();
  const agent = new Agent();
  const stopping = new AbortController();
  let server: Server;
  let thread: Socket;
  let supernode: Supernode;

  beforeEach(async () => {
    supernode = { late: 0, ping: (response) => response.end('success') };
    for (;;) {
      server = createServer((_request, response) => supernode.ping?.(response)).listen(0, '127.0.0.1');
      await once(server, 'listening');
      thread = createSocket('udp4');
      thread.bind((server.address() as AddressInfo).port + 1, '127.0.0.1');
      // Another may have that port.
      const [free] = await Promise.race([once(thread, 'listening').then(() => [true]), once(thread, 'error')]);
      if (free === true) break;
      server.close();
    }
    thread.on('message', (question, from) => {
      const { late } = supernode;
      if (late === undefined || question.length !== QUESTION) return;
      const answer = Buffer.concat([question, Buffer.alloc(4)]);
      answer.writeUInt32BE(late, QUESTION);
      thread.send(answer, from.port, from.address);
    });
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    thread.close();
  });
  afterAll(async () => {
    stopping.abort();
    clock.stop();
    sockets.stop();
    await agent.destroy();
  });

  const pulse = (): Pulse => new Pulse(sockets, { host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  const liveness = (busy = 60_000, felt = pulse()): Liveness =>
    new Liveness({
      name: 'test',
      ping: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/_ping`),
      dispatcher: agent,
      pulse: felt,
      silence: 300,
      busy,
      clock,
      signal: stopping.signal,
      log: { debug: () => undefined, info: () => undefined, warn: () => undefined },
    });

  it('is looked at once for all who ask within a time, and again behind it', async () => {
    let pings = 0;
    server.on('connection', () => (pings += 1));
    server.on('request', () => (pings += 1));
    const lives = liveness();
    const looks = await Promise.all([1, 2, 3].map(async () => lives.lookOfLate(60_000)));
    const one = pings;
    expect(new Set(looks).size).toBe(1);
    await lives.lookOfLate(60_000);
    expect(pings).toBe(one);
    await lives.lookOfLate(0);
    expect(pings).toBeGreaterThan(one);
  });

  it('is not pinged by who takes its pulse for enough, while that beats, and is otherwise', async () => {
    let pings = 0;
    server.on('connection', () => (pings += 1));
    server.on('request', () => (pings += 1));
    const lives = liveness();
    supernode.late = 1000;
    expect(await lives.lookOfLate(0, true)).toBe('busy');
    expect(pings).toBe(0);
    supernode.late = undefined;
    await lives.lookOfLate(0, true);
    expect(pings).toBeGreaterThan(0);
  });

  it('is not pinged either by who was kept from the CPU for longer than a pulse takes', async () => {
    let pings = 0;
    server.on('connection', () => (pings += 1));
    const lives = liveness();
    thread.prependListener('message', () => {
      const end = performance.now() + 350;
      while (performance.now() < end);
    });
    expect(await lives.lookOfLate(0, true)).toBe('busy');
    expect(pings).toBe(0);
  });

  it('has no pulse while servers of names do not answer, and has one when they do', async () => {
    let answer: (address: { address: string; family: number }) => void = () => undefined;
    let asked = 0;
    const { port } = server.address() as AddressInfo;
    const felt = new Pulse(sockets, { host: 'supernode.test', port }, async () => {
      asked += 1;
      return new Promise((resolve) => (answer = resolve));
    });
    expect(await felt.feel()).toBe('unknown');
    const feeling = felt.feel();
    expect(asked).toBe(1);
    answer({ address: '127.0.0.1', family: 4 });
    expect(await feeling).toBe('beats');
  });

  it('is told by its pulse, once that was felt', async () => {
    const felt = pulse();
    supernode.late = undefined;
    expect(await felt.feel()).toBe('unknown');
    supernode.late = 3999;
    expect(await felt.feel()).toBe('beats');
    supernode.late = 4000;
    expect(await felt.feel()).toBe('still');
    supernode.late = undefined;
    expect(await felt.feel()).toBe('still');
  });

  it('takes no answer for the pulse that is not to the question', async () => {
    thread.removeAllListeners('message');
    thread.on('message', (question, from) => {
      const other = Buffer.concat([question, Buffer.alloc(4)]);
      other[QUESTION - 1] = (other[QUESTION - 1] ?? 0) ^ 1;
      for (const answer of [other, question, Buffer.alloc(0)]) thread.send(answer, from.port, from.address);
    });
    expect(await pulse().feel()).toBe('unknown');
  });

  it('is asked and waited for no more, and no socket is open, once all is stopped, also while it is felt', async () => {
    const own = new PulseSockets();
    const felt = new Pulse(own, { host: '127.0.0.1', port: (server.address() as AddressInfo).port });
    supernode.late = undefined;
    let asked = 0;
    thread.on('message', () => (asked += 1));
    const feeling = felt.feel();
    await once(thread, 'message');
    expect(own.open).toBe(1);
    own.stop();
    const before = asked;
    const later = new Promise((resolve) => setImmediate(() => resolve('later')));
    expect(await Promise.race([feeling, later])).toBe('unknown');
    expect(await felt.feel()).toBe('unknown');
    expect(own.open).toBe(0);
    expect(asked).toBe(before);
  });

  it('answers pings: that is all there is to know', async () => {
    const living = liveness();
    supernode.late = undefined;
    expect(await living.look(true)).toBe('answers');
    expect(living.silentSince).toBeUndefined();
  });

  it('is busy while its pulse beats, and not for ever', async () => {
    const living = liveness(250);
    supernode.ping = undefined;
    // It has been silent for as long as a ping may take, 300 ms, which is more than 250.
    expect(await living.look(true)).toBe('silent');
    expect(await liveness().look(true)).toBe('busy');
  });

  it('hangs when its pulse has stopped and connections are there', async () => {
    const living = liveness();
    living.meet();
    expect(await living.look(true)).toBe('answers');
    supernode = { late: undefined, ping: undefined };
    expect(living.hangs).toBe(false);
    expect(await living.look(true)).toBe('hung');
    expect(living.hangs).toBe(true);
    supernode = { late: 0, ping: (response) => response.end('success') };
    expect(await living.look(true)).toBe('answers');
    expect(living.hangs).toBe(false);
  });

  it('does not hang because datagrams no longer get through, as its answers show', async () => {
    const answer = supernode.ping;
    const felt = pulse();
    const living = liveness(60_000, felt);
    expect(await living.look(true)).toBe('answers');
    await felt.feel();
    supernode.late = undefined;
    expect(await living.look(true)).toBe('answers');
    while (felt.wasFelt) await felt.feel();
    supernode.ping = undefined;
    expect(await living.look(true)).toBe('silent');
    expect(living.hangs).toBe(false);
    // They do again, and it is missed when it stops.
    supernode = { late: 0, ping: answer };
    expect(await living.look(true)).toBe('answers');
    await felt.feel();
    supernode = { late: undefined, ping: undefined };
    expect(await living.look(true)).toBe('hung');
  });

  it('hangs when it was stopped just after an answer', async () => {
    const felt = pulse();
    const living = liveness(60_000, felt);
    expect(await felt.feel()).toBe('beats');
    supernode = {
      late: undefined,
      ping: (response) => {
        supernode.ping = undefined;
        response.end('success');
      },
    };
    expect(await living.look(true)).toBe('answers');
    expect(await felt.feel()).toBe('still');
    expect(await living.look(true)).toBe('hung');
  });

  it('is only silent where nobody ever felt its pulse', async () => {
    supernode = { late: undefined, ping: undefined };
    const living = liveness();
    expect(await living.look(true)).toBe('silent');
    expect(living.hangs).toBe(false);
    expect(living.silentSince).toBeDefined();
  });

  it('is gone when connections are refused or broken, or another is there', async () => {
    const living = liveness();
    supernode.ping = (response) => response.socket?.destroy();
    expect(await living.look(true)).toBe('gone');
    supernode.ping = (response) => response.writeHead(404).end();
    expect(await living.look(true)).toBe('gone');
    // An original one before 0.3.0.
    expect(await living.look(false)).toBe('answers');
  });
});
