import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

import { haveLine, lineOf } from '@cdk8s-dragonfly/protocol';
import type { HaveEvent } from '@cdk8s-dragonfly/protocol';

import { followLines } from '../src/links/line-stream';
import type { LineStreamOptions } from '../src/links/line-stream';

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\n';

describe('a stream of lines', () => {
  let server: Server;
  /** What is done with a connection once its request has come. */
  let answer: (socket: Socket, request: string) => void;
  const sockets = new Set<Socket>();

  beforeAll(async () => {
    server = createServer({ noDelay: true }, (socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
      socket.once('data', (bytes: Buffer) => answer(socket, bytes.toString('latin1')));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  /** Follows until it ends; tells all that was heard. */
  const follow = async (
    more: Partial<LineStreamOptions<HaveEvent>> = {},
    heard: (event: HaveEvent) => void = () => undefined,
  ): Promise<HaveEvent[]> => {
    const events: HaveEvent[] = [];
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/have?cid=a%20b`);
    const timeouts = { connect: 5000, answer: 5000 };
    const { signal } = new AbortController();
    await followLines<HaveEvent>(url, { form: haveLine, silence: 5000, timeouts, signal, ...more }, (event) => {
      events.push(event);
      heard(event);
    });
    return events;
  };

  it('asks for its path, with its headers', async () => {
    const asked = new Promise<string>((resolve) => {
      answer = (socket, request) => {
        resolve(request);
        socket.end(`${HEAD}\r\n`);
      };
    });
    expect(await follow({ headers: { 'x-key': 'secret' } })).toEqual([]);
    const { port } = server.address() as AddressInfo;
    expect(await asked).toBe(`GET /have?cid=a%20b HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nx-key: secret\r\n\r\n`);
    await expect(follow({ headers: { 'x-key': 'a\r\nb: c' } })).rejects.toThrow(/invalid character/i);
  });

  const lines = lineOf({ type: 'added', blocks: [1, 2] }) + lineOf({ type: 'ping' });
  const chunk = `${lines.length.toString(16)}\r\n${lines}\r\n`;
  it.each([
    ['with its connection', `${HEAD}\r\n${lines}${lines}`],
    ['with its last chunk', `${HEAD}transfer-encoding: chunked\r\n\r\n${chunk}${chunk}0\r\n\r\n`],
    ['with its connection, after hints', `HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${HEAD}\r\n${lines}${lines}`],
    ['after so many bytes', `${HEAD}content-length: ${2 * lines.length}\r\n\r\n${lines}${lines}`],
  ])('that ends %s is heard to its end, in one read or byte by byte', async (_what, text) => {
    const events = [{ type: 'added', blocks: [1, 2] }, { type: 'ping' }];
    answer = (socket) => {
      if (text.includes('length')) socket.write(text);
      else socket.end(text);
    };
    expect(await follow()).toEqual([...events, ...events]);
    answer = (socket) => {
      let at = 0;
      const next = (): void => {
        if (at === text.length) socket.end();
        else socket.write(text.charAt(at++), () => setImmediate(next));
      };
      next();
    };
    expect(await follow()).toEqual([...events, ...events]);
  });

  it.each([
    ['refuses', 'HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n', 'answered 403 instead of a stream'],
    [
      'does not speak HTTP',
      'SSH-2.0-OpenSSH\r\n\r\n',
      'gave no head of HTTP/1.1 that says one thing of where its body ends: "SSH-2.0-OpenSSH"',
    ],
    ['packs its body', `${HEAD}transfer-encoding: gzip, chunked\r\n\r\n`, 'that says one thing of where its body ends'],
    ['speaks something else', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', 'answered 101 instead of a stream'],
    ['gives a head without an end', `${HEAD}x: ${'y'.repeat(17_000)}`, 'longer than 16384 bytes'],
    ['sends what is no line of the protocol', `${HEAD}\r\n{"type":"added","blocks":[-1]}\n`, 'not of the protocol'],
    ['sends what is not JSON', `${HEAD}\r\nhello\n`, 'a line is not JSON: hello'],
    ['garbles its chunks', `${HEAD}transfer-encoding: chunked\r\n\r\nzz\r\n`, 'a chunk does not say how long it is'],
  ])('of a server that %s ends as a lie', async (_what, text, message) => {
    answer = (socket) => void socket.write(text);
    const failure = { kind: 'lying', message: expect.stringContaining(message) as string };
    await expect(follow()).rejects.toMatchObject(failure);
  });

  it.each([
    ['before its answer', ''],
    ['amid a chunk', `${HEAD}transfer-encoding: chunked\r\n\r\n${chunk}40\r\n{`],
    ['before so many bytes', `${HEAD}content-length: 5000\r\n\r\n${lines}`],
  ])('that is closed %s is broken', async (_what, text) => {
    answer = (socket) => void socket.end(text);
    const failure = { kind: 'gone', message: expect.stringContaining('the connection was closed') as string };
    await expect(follow()).rejects.toMatchObject(failure);
  });

  it('of a server that does not answer is given up, and so is one that falls silent', async () => {
    answer = () => undefined;
    const timeouts = { connect: 5000, answer: 50 };
    const failure = { kind: 'silent', message: expect.stringContaining('no answer came for 50 ms') as string };
    await expect(follow({ timeouts })).rejects.toMatchObject(failure);
    answer = (socket) => void socket.write(`${HEAD}\r\n${lines}`);
    const silent = { kind: 'silent', message: expect.stringContaining('was silent for 60 ms') as string };
    await expect(follow({ timeouts, silence: 60 })).rejects.toMatchObject(silent);
  });

  it('ends when it is aborted, and with what its listener throws; nothing is heard after that', async () => {
    const closing = new AbortController();
    const closed = new Promise<void>((resolve) => {
      answer = (socket) => {
        socket.once('close', resolve);
        socket.write(`${HEAD}\r\n${lines}`);
      };
    });
    const heard = jest.fn(() => closing.abort(new Error('enough')));
    await expect(follow({ signal: closing.signal }, heard)).rejects.toThrow('enough');
    expect(heard).toHaveBeenCalledTimes(1);
    await closed;
    const fails = jest.fn(() => {
      throw new Error('no room');
    });
    await expect(follow({}, fails)).rejects.toThrow('no room');
    expect(fails).toHaveBeenCalledTimes(1);
  });

  it('to a port where nobody listens cannot be opened', async () => {
    const { signal } = new AbortController();
    const options = { form: haveLine, silence: 5000, timeouts: { connect: 5000, answer: 5000 }, signal };
    const failure = { kind: 'gone', message: expect.stringContaining('ECONNREFUSED') as string };
    await expect(followLines(new URL('http://127.0.0.1:9/x'), options, () => undefined)).rejects.toMatchObject(failure);
  });
});
