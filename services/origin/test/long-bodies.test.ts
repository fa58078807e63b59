import { createHash } from 'node:crypto';

import { OriginClient, OriginRules, Trust } from '../src';
import type { OriginClientOptions } from '../src';
import { useCast } from './cast';
import { selfSigned } from './certificate';
import type { OriginServer } from './origin-server';
import { all, content, expectEventually, file } from './origin-server';
import { usePem } from './pem-files';
import { originError } from './rejection';

const MIB = 1024 * 1024;
/** Long enough to be read past Node's client, and no multiple of what is read at a time. */
const BYTES = content(6 * MIB + 12_344);

const { server, keep } = useCast();
const { pem } = usePem();
const idle = new AbortController().signal;

function client({ port }: OriginServer, more: Partial<OriginClientOptions> = {}): OriginClient {
  const rules = new OriginRules({ allow: [{ host: '127.0.0.1', port }] });
  return keep(new OriginClient({ rules, connectTimeout: 1000, firstByteTimeout: 5000, stallTimeout: 5000, ...more }));
}

/** Counts what it gives, and what of it is used again. */
class CountedMemory {
  readonly made: Buffer[] = [];
  readonly free: Buffer[] = [];

  readonly take = (length: number): Buffer => {
    const used = this.free.pop();
    if (used !== undefined) return used;
    const buffer = Buffer.allocUnsafeSlow(length);
    this.made.push(buffer);
    return buffer;
  };
}

describe('a long body', () => {
  it('is read into the memory that the client was given, byte for byte', async () => {
    const origin = await server(file(BYTES));
    const memory = new CountedMemory();
    const { body } = await client(origin, { memory }).open({ url: origin.url, headers: [] }, idle);
    const hash = createHash('sha256');
    let last: Buffer | undefined;
    for await (const chunk of body) {
      hash.update(chunk);
      const whose = memory.made.find(({ buffer }) => buffer === chunk.buffer);
      if (last !== undefined && whose !== last) {
        // As nobody reads it any more, what would be read into it would show in the digest of what comes from it later.
        last.fill(0);
        memory.free.push(last);
      }
      last = whose;
    }
    expect(hash.digest('hex')).toBe(createHash('sha256').update(BYTES).digest('hex'));
    expect(memory.made.length).toBeGreaterThan(0);
    expect(memory.made.length).toBeLessThanOrEqual(5);
  });

  it('is the same through TLS', async () => {
    const certificate = selfSigned(['127.0.0.1']);
    const origin = await server(file(BYTES), certificate);
    const trust = new Trust([{ ca: [pem(certificate.cert)] }]);
    const memory = new CountedMemory();
    const { body } = await client(origin, { memory, outward: { trust } }).open({ url: origin.url, headers: [] }, idle);
    expect((await all(body)).equals(BYTES)).toBe(true);
    expect(memory.made.length).toBeGreaterThan(6 * 3);
  });

  it('that begins in the middle is the same', async () => {
    const origin = await server(file(BYTES));
    const { body } = await client(origin).open({ url: origin.url, headers: [], from: 777, end: 5 * MIB }, idle);
    expect((await all(body)).equals(BYTES.subarray(777, 5 * MIB))).toBe(true);
  });

  it('of chunks is left to who knows how to read them', async () => {
    const origin = await server((_request, response) => {
      response.writeHead(200, { 'Transfer-Encoding': 'chunked' });
      response.end(BYTES);
    });
    const { body } = await client(origin).open({ url: origin.url, headers: [] }, idle);
    expect((await all(body)).equals(BYTES)).toBe(true);
  });

  it('is not read further than two reads ahead of a reader that takes its time', async () => {
    const origin = await server(file(BYTES));
    const memory = new CountedMemory();
    const { body } = await client(origin, { memory }).open({ url: origin.url, headers: [] }, idle);
    const chunks = body[Symbol.asyncIterator]();
    while (memory.made.length === 0) await chunks.next();
    const [socket] = origin.sockets;
    // The server has filled all buffers of the way and waits: nothing has moved for a while, and much is left.
    let [before, still] = [0, 0];
    await expectEventually(() => {
      const sent = (socket?.bytesWritten ?? 0) - (socket?.writableLength ?? 0);
      still = sent === before ? still + 1 : 0;
      before = sent;
      return still >= 10 && memory.made.length > 1;
    });
    expect(memory.made.length).toBeLessThanOrEqual(4);
    await chunks.return?.();
    await expectEventually(() => origin.sockets.size === 0);
  });

  it('that breaks off is truncated', async () => {
    const origin = await server((_request, response) => {
      response.writeHead(200, { 'Content-Length': BYTES.length });
      response.write(BYTES.subarray(0, 5 * MIB), () => response.destroy());
    });
    const { body } = await client(origin).open({ url: origin.url, headers: [] }, idle);
    expect(await originError(all(body))).toMatchObject({ kind: 'truncated', retryable: true });
  });

  it('that stalls is given up, and its connection closed', async () => {
    const origin = await server((_request, response) => {
      response.writeHead(200, { 'Content-Length': BYTES.length });
      response.write(BYTES.subarray(0, 5 * MIB));
    });
    const { body } = await client(origin, { stallTimeout: 100 }).open({ url: origin.url, headers: [] }, idle);
    const error = await originError(all(body));
    expect(error).toMatchObject({ kind: 'stalled', retryable: true });
    expect(error.message).toBe(`Origin ${origin.host} sent nothing for 100 ms in the middle of the body.`);
    await expectEventually(() => origin.sockets.size === 0);
  });

  it('ends with the reason of its signal', async () => {
    const origin = await server((_request, response) => {
      response.writeHead(200, { 'Content-Length': BYTES.length });
      response.write(BYTES.subarray(0, 5 * MIB));
    });
    const stop = new AbortController();
    const { body } = await client(origin).open({ url: origin.url, headers: [] }, stop.signal);
    const reason = new Error('enough');
    let received = 0;
    const reading = (async (): Promise<void> => {
      for await (const chunk of body) {
        received += chunk.length;
        if (received === 5 * MIB) stop.abort(reason);
      }
    })();
    await expect(reading).rejects.toBe(reason);
    await expectEventually(() => origin.sockets.size === 0);
  });

  it('leaves out what comes behind its end', async () => {
    const origin = await server((request) => {
      request.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${5 * MIB}\r\n\r\n`);
      request.socket.write(BYTES);
    });
    const { body } = await client(origin).open({ url: origin.url, headers: [] }, idle);
    expect((await all(body)).equals(BYTES.subarray(0, 5 * MIB))).toBe(true);
  });
});
