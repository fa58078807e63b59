import { once, setMaxListeners } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

import * as fc from 'fast-check';

import { BlockClient } from '../src/links/block-client';

const { signal } = new AbortController();
setMaxListeners(0, signal);

/** A server on a raw socket: answers each request by what `answer` does. */
class RawServer {
  requests = 0;
  connections = 0;

  private constructor(
    private readonly server: Server,
    private readonly sockets: Set<Socket>,
  ) {}

  static async start(answer: (socket: Socket, request: number) => void): Promise<RawServer> {
    const sockets = new Set<Socket>();
    const server = createServer({ noDelay: true });
    const raw = new RawServer(server, sockets);
    server.on('connection', (socket) => {
      raw.connections += 1;
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => {
        if (chunk.includes('\r\n\r\n')) answer(socket, raw.requests++);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return raw;
  }

  get origin(): URL {
    return new URL(`http://127.0.0.1:${(this.server.address() as AddressInfo).port}`);
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}

describe('a client for blocks', () => {
  const clients: BlockClient[] = [];
  const servers: RawServer[] = [];
  const client = (stall = 5000): BlockClient => {
    const made = new BlockClient({ connect: 5000, stall });
    clients.push(made);
    return made;
  };
  const server = async (answer: (socket: Socket, request: number) => void): Promise<RawServer> => {
    const made = await RawServer.start(answer);
    servers.push(made);
    return made;
  };
  afterEach(async () => {
    for (const made of clients.splice(0)) made.stop();
    await Promise.all(servers.splice(0).map((made) => made.stop()));
  });

  const ok = (body: string, more = ''): string =>
    `HTTP/1.1 200 OK\r\nX-Name:  a value \r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;

  it('reads an answer however it is cut into parts', async () => {
    const text = ok('0123456789'.repeat(5));
    let cuts: readonly number[] = [];
    const { origin } = await server((socket) => {
      const ends = [...new Set([...cuts.map((cut) => cut % text.length), text.length])].sort((a, b) => a - b);
      const write = (from: number): void => {
        const [end, ...rest] = ends;
        if (end === undefined) return;
        ends.splice(0, ends.length, ...rest);
        socket.write(text.slice(from, end), () => setImmediate(() => write(end)));
      };
      write(0);
    });
    const asking = client();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 6 }), async (at) => {
        cuts = at;
        const answer = await asking.get(origin, { path: '/x', most: 50 }, signal);
        expect([answer.status, answer.headers.get('x-name'), answer.body.toString()]).toEqual([
          200,
          'a value',
          '0123456789'.repeat(5),
        ]);
      }),
      { numRuns: 40 },
    );
  });

  it('reads a block that comes in many parts, byte by byte right', async () => {
    const block = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 31) % 251));
    const { origin } = await server((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${block.length}\r\n\r\n`);
      const write = (at: number): void => {
        if (at < block.length) socket.write(block.subarray(at, at + 7001), () => setImmediate(() => write(at + 7001)));
      };
      write(0);
    });
    const { body } = await client().get(origin, { path: '/x', most: block.length }, signal);
    expect(body.equals(block)).toBe(true);
  });

  it('keeps its connections, and asks again on a new one when the other side has closed one meanwhile', async () => {
    const raw = await server((socket, request) => {
      if (request === 2) socket.destroy();
      else socket.write(ok(`${request}`));
    });
    const asking = client();
    const bodies: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      bodies.push((await asking.get(raw.origin, { path: '/x', most: 9 }, signal)).body.toString());
    }
    expect(bodies).toEqual(['0', '1', '3']);
    expect([raw.connections, raw.requests]).toEqual([2, 4]);
  });

  it('does not use a connection again that was for one answer', async () => {
    const raw = await server((socket) => socket.end(ok('one', 'Connection: close\r\n')));
    const asking = client();
    for (let count = 0; count < 2; count += 1) await asking.get(raw.origin, { path: '/x', most: 9 }, signal);
    expect(raw.connections).toBe(2);
  });

  it('opens at most 16 connections to one server', async () => {
    const held: Socket[] = [];
    const raw = await server((socket) => held.push(socket));
    const asking = client();
    const answers = Array.from({ length: 40 }, () => asking.get(raw.origin, { path: '/x', most: 9 }, signal));
    let answered = 0;
    while (answered < 40) {
      const socket = held.shift();
      if (socket === undefined) await new Promise(setImmediate);
      else {
        socket.write(ok('x'));
        answered += 1;
      }
    }
    await Promise.all(answers);
    expect([raw.connections, raw.requests]).toEqual([16, 40]);
  });

  it.each([
    ['a body longer than the block', ok('12345678901'), 'gave 11 bytes where at most 10 bytes are expected'],
    ['more than the length it told', `${ok('123')}4`, 'gave 4 bytes where at most 10 bytes are expected'],
    ['a body without a length', 'HTTP/1.1 200 OK\r\n\r\nabc', 'gave an answer that is not of HTTP'],
    [
      'a chunked body',
      'HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n',
      'gave an answer that is not of HTTP',
    ],
    ['something else', 'SSH-2.0-OpenSSH_9.2p1\r\n\r\n', 'gave an answer that is not of HTTP'],
    ['a head without an end', 'HTTP/1.1 200 OK\r\n'.padEnd(16 * 1024, 'x'), 'has no end'],
  ])('says that who gives %s lies', async (_what, text, message) => {
    const { origin } = await server((socket) => socket.write(text));
    await expect(client().get(origin, { path: '/x', most: 10 }, signal)).rejects.toMatchObject({
      kind: 'lying',
      message: expect.stringContaining(message) as string,
    });
  });

  it('gives up when no byte comes, before the head and in the body', async () => {
    const { origin } = await server((socket, request) => {
      if (request === 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\na');
    });
    const asking = client(60);
    await expect(asking.get(origin, { path: '/x', most: 3 }, signal)).rejects.toThrow('no byte came for 60 ms');
    await expect(asking.get(origin, { path: '/x', most: 3 }, signal)).rejects.toThrow('no byte came for 60 ms');
  });

  it('waits on as long as bytes come, however slowly', async () => {
    const { origin } = await server((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n');
      let left = 6;
      const drip = setInterval(() => {
        socket.write('a');
        if ((left -= 1) === 0) clearInterval(drip);
      }, 100);
      socket.once('close', () => clearInterval(drip));
    });
    // 600 ms in all, beside the patience for one byte.
    expect((await client(400).get(origin, { path: '/x', most: 6 }, signal)).body.toString()).toBe('aaaaaa');
  });

  it('ends with the signal', async () => {
    const asked = new AbortController();
    const { origin } = await server(() => asked.abort(new Error('enough')));
    const asking = client();
    await expect(asking.get(origin, { path: '/x', most: 3 }, asked.signal)).rejects.toThrow('enough');
    expect(asking.hosts).toBe(0);
  });

  it('tells that nobody listens', async () => {
    const raw = await server(() => undefined);
    const { origin } = raw;
    await raw.stop();
    servers.pop();
    const asking = client();
    await expect(asking.get(origin, { path: '/x', most: 3 }, signal)).rejects.toThrow('ECONNREFUSED');
    // Neighbours come and go for as long as the daemon runs.
    expect(asking.hosts).toBe(0);
  });
});
