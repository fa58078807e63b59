import { once } from 'node:events';
import { Agent } from 'node:http';
import { BlobUnavailable } from '@cdk8s-dragonfly/engine';
import { digestOf } from '@cdk8s-dragonfly/protocol';
import { ask, hear, say } from '../support/client';
import { FakeProvider } from '../support/fake-provider';
import type { FakeBlob } from '../support/fake-provider';
import { MirrorBench } from '../support/mirror-bench';

const BYTES = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 31 + (index >> 8)) % 251));
const DIGEST = digestOf(BYTES);
const PATH = `/v2/library/thing/blobs/${DIGEST}`;

let bench: MirrorBench | undefined;

async function mirrorOf(
  blob: Partial<FakeBlob>,
  options?: Parameters<typeof MirrorBench.start>[2],
): Promise<{
  readonly provider: FakeProvider;
  readonly bench: MirrorBench;
}> {
  const provider = new FakeProvider(() => ({ bytes: BYTES, ...blob }));
  bench = await MirrorBench.start(provider, (_, response) => response.writeHead(500).end('not expected'), options);
  return { provider, bench };
}

afterEach(async () => {
  await bench?.stop();
  bench = undefined;
});

describe('a blob', () => {
  test('comes whole from the provider, with the headers that runtimes look at', async () => {
    const { provider, bench } = await mirrorOf({});
    const answer = await ask(bench.port, `${PATH}?ns=${encodeURIComponent(bench.registryHost)}`, {
      headers: {
        Authorization: 'Bearer abc',
        'Accept-Encoding': 'gzip',
        'User-Agent': 'containerd/1.7',
        Connection: 'close, X-Hop',
        'X-Hop': '1',
        'If-None-Match': '"x"',
      },
    });
    expect(answer.status).toBe(200);
    expect(answer.body.equals(BYTES)).toBe(true);
    expect(answer.complete).toBe(true);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '300000',
      'docker-content-digest': DIGEST,
      etag: `"${DIGEST}"`,
      'accept-ranges': 'bytes',
    });
    const [request] = provider.requests;
    expect(request?.blob).toBe(DIGEST);
    expect(request?.url.href).toBe(`http://${bench.registryHost}${PATH}`);
    expect(request?.headers).toEqual([
      ['Authorization', 'Bearer abc'],
      ['User-Agent', 'containerd/1.7'],
    ]);
    expect(bench.asked).toEqual([]);
    expect(provider.released).toBe(1);
    expect(await bench.record()).toMatchObject({
      kind: 'blob',
      method: 'GET',
      digest: DIGEST,
      from: 'swarm',
      status: 200,
      bytes: 300_000,
      ms: expect.any(Number) as number,
      userAgent: 'containerd/1.7',
      passedOnBecause: undefined,
      error: undefined,
    });
  });

  test('of unknown length comes in chunks with a clean end; Range is ignored then', async () => {
    const { provider, bench } = await mirrorOf({ unknownSize: true });
    const answer = await ask(bench.port, PATH, { headers: { Range: 'bytes=5-' } });
    expect(answer.status).toBe(200);
    expect(answer.headers['transfer-encoding']).toBe('chunked');
    expect(answer.headers['content-length']).toBeUndefined();
    expect(answer.body.equals(BYTES)).toBe(true);
    expect(provider.reads).toEqual([{ from: 0, end: undefined }]);
  });

  test('without a byte is whole', async () => {
    const { provider, bench } = await mirrorOf({ bytes: Buffer.alloc(0) });
    const answer = await ask(bench.port, PATH);
    expect([answer.status, answer.headers['content-length'], answer.body.length]).toEqual([200, '0', 0]);
    expect(provider.released).toBe(1);
  });

  test.each([
    ['bytes=299990-', 299_990, 300_000],
    ['bytes=0-0', 0, 1],
    ['bytes=100-70099', 100, 70_100],
    ['bytes=-7', 299_993, 300_000],
    ['bytes=5-999999999', 5, 300_000],
  ])('with Range %s is that part', async (range, from, end) => {
    const { provider, bench } = await mirrorOf({});
    const answer = await ask(bench.port, PATH, { headers: { Range: range } });
    expect(answer.status).toBe(206);
    expect(answer.headers['content-range']).toBe(`bytes ${from}-${end - 1}/300000`);
    expect(answer.headers['content-length']).toBe(`${end - from}`);
    expect(answer.body.equals(BYTES.subarray(from, end))).toBe(true);
    expect(provider.reads).toEqual([{ from, end }]);
    expect(provider.requests[0]?.headers.map(([name]) => name.toLowerCase())).not.toContain('range');
  });

  test('with a Range beyond its end is 416, and nothing is read', async () => {
    const { provider, bench } = await mirrorOf({});
    const answer = await ask(bench.port, PATH, { headers: { Range: 'bytes=300000-' } });
    expect([answer.status, answer.headers['content-range'], answer.body.length]).toEqual([416, 'bytes */300000', 0]);
    expect(provider.reads).toEqual([]);
    expect(provider.released).toBe(1);
  });

  test('with If-Range is a part only when that names the same content', async () => {
    const { bench } = await mirrorOf({});
    const same = await ask(bench.port, PATH, { headers: { Range: 'bytes=9-', 'If-Range': `"${DIGEST}"` } });
    const other = await ask(bench.port, PATH, { headers: { Range: 'bytes=9-', 'If-Range': '"sha256:0"' } });
    expect([same.status, other.status]).toEqual([206, 200]);
  });
});

describe('a blob that fails in the middle', () => {
  test.each([
    ['by an error', { failAt: 131_072, error: new BlobUnavailable('digest-mismatch', 'the digest is wrong') }],
    ['of unknown length', { failAt: 131_072, unknownSize: true, error: new Error('the digest is wrong') }],
    ['by an early end', { endAt: 131_072 }],
    ['by too many bytes', { size: 131_072 }],
  ])('%s never ends cleanly, and is released once', async (_, blob) => {
    const { provider, bench } = await mirrorOf(blob);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const answer = await ask(bench.port, PATH, { agent });
    agent.destroy();
    expect(answer.status).toBe(200);
    const record = await bench.record();
    expect(record.error).toEqual(expect.any(String));
    expect(provider.released).toBe(1);
    expect(bench.asked).toEqual([]);
    expect(record.bytes).toBeLessThanOrEqual(131_072);
    // With too many bytes the client has all that was promised; the connection is closed nevertheless.
    expect('size' in blob || !answer.complete).toBe(true);
  });

  test('is resumed by Range', async () => {
    let asked = 0;
    const provider = new FakeProvider(() => (asked++ === 0 ? { bytes: BYTES, failAt: 131_072 } : { bytes: BYTES }));
    bench = await MirrorBench.start(provider, (_, response) => response.end());
    const first = await ask(bench.port, PATH);
    const rest = await ask(bench.port, PATH, { headers: { Range: `bytes=${first.body.length}-` } });
    expect([first.complete, rest.complete, rest.status]).toEqual([false, true, 206]);
    expect(Buffer.concat([first.body, rest.body]).equals(BYTES)).toBe(true);
  });

  test('by silence is cut after the patience for sources', async () => {
    const { provider, bench } = await mirrorOf({ hangAt: 65_536 }, { patience: { source: 80, client: 5_000 } });
    const answer = await ask(bench.port, PATH);
    expect([answer.complete, answer.body.length]).toEqual([false, 65_536]);
    expect((await bench.record()).error).toBe('no byte came for 0.08 s');
    expect([provider.aborted, provider.released]).toEqual([1, 1]);
  });
});

describe('a client', () => {
  const CLOSE = `GET ${PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`;

  test('that does not read makes the provider wait, whatever the size of the blob', async () => {
    const big = Buffer.alloc(64 << 20);
    const { provider, bench } = await mirrorOf(
      { bytes: big, chunk: 1 << 20 },
      { patience: { source: 5_000, client: 300 } },
    );
    const socket = await say(bench.port, CLOSE);
    socket.pause();
    const record = await bench.record();
    expect(record.error).toBe('the client took no byte for 0.3 s');
    // What the kernel's buffers of a loopback connection take, and one chunk.
    expect(provider.taken).toBeLessThan(16 << 20);
    expect(provider.taken).toBe(record.bytes);
    expect([provider.ended, provider.released]).toEqual([1, 1]);
    socket.destroy();
  });

  test('that reads slowly gets every byte', async () => {
    const big = Buffer.concat(Array.from({ length: 64 }, () => BYTES));
    const { provider, bench } = await mirrorOf({ bytes: big, chunk: 1 << 20 });
    const socket = await say(bench.port, CLOSE);
    let heard = 0;
    for await (const chunk of socket) {
      heard += (chunk as Buffer).length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(heard).toBeGreaterThan(big.length);
    expect((await bench.record()).bytes).toBe(big.length);
    expect(provider.released).toBe(1);
  });

  test('that goes away while the provider waits has the read aborted and the blob released once', async () => {
    const { provider, bench } = await mirrorOf({ hangAt: 65_536 });
    const socket = await say(bench.port, CLOSE);
    await provider.until(({ taken }) => taken === 65_536);
    socket.destroy();
    await provider.until(({ released }) => released > 0);
    expect([provider.aborted, provider.released]).toEqual([1, 1]);
    expect(await bench.record()).toMatchObject({ error: 'the client went away', bytes: 65_536, status: 200 });
  });

  test('that goes away in the middle of the last chunk is not taken for one that has it', async () => {
    const big = Buffer.alloc(32 << 20);
    const { provider, bench } = await mirrorOf({ bytes: big, chunk: big.length });
    const socket = await say(bench.port, CLOSE);
    await once(socket, 'data');
    socket.destroy();
    expect(await bench.record()).toMatchObject({ error: 'the client went away', status: 200 });
    expect([provider.ended, provider.released]).toEqual([1, 1]);
  });

  test('that goes away while the blob opens has it released when it is open', async () => {
    let open: (blob: FakeBlob) => void = () => undefined;
    const provider = new FakeProvider(() => new Promise<FakeBlob>((resolve) => (open = resolve)));
    bench = await MirrorBench.start(provider, (_, response) => response.end());
    const socket = await say(bench.port, CLOSE);
    while (provider.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    socket.destroy();
    expect(await bench.record()).toMatchObject({ error: 'the client went away', status: 0 });
    open({ bytes: BYTES });
    await provider.until(({ released }) => released > 0);
    expect([provider.released, bench.asked.length]).toEqual([1, 0]);
  });

  test('that sent two requests at once and goes away leaves neither behind', async () => {
    const { provider, bench } = await mirrorOf({ hangAt: 65_536 });
    const line = `GET ${PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
    const socket = await say(bench.port, line + line);
    await provider.until(({ taken }) => taken === 65_536);
    socket.destroy();
    await provider.until(({ released }) => released === 1);
    expect([(await bench.record(0)).error, (await bench.record(1)).error]).toEqual([
      'the client went away',
      'the client went away',
    ]);
  });

  test('that asks for much without taking it has one download at a time, and gets all in order', async () => {
    const { provider, bench } = await mirrorOf({});
    const line = `GET ${PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
    const socket = await say(bench.port, line.repeat(20));
    let running = 0;
    const most = provider.until(({ requests, released }) => {
      running = Math.max(running, requests.length - released);
      return released === 20;
    });
    let heard = 0;
    socket.on('data', (chunk: Buffer) => (heard += chunk.length));
    await most;
    await bench.record(19);
    expect(running).toBe(1);
    expect(bench.records.map(({ status, bytes }) => [status, bytes])).toEqual(Array(20).fill([200, BYTES.length]));
    socket.destroy();
    expect(heard).toBeGreaterThan(0);
  });

  test('that wants the connection closed finds it closed after the last byte', async () => {
    const { bench } = await mirrorOf({});
    const heard = await hear(await say(bench.port, CLOSE));
    const [head = '', body = ''] = heard.split('\r\n\r\n', 2);
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(head).toMatch(/^Connection: close$/im);
    expect(Buffer.from(heard.slice(head.length + 4), 'latin1').equals(BYTES)).toBe(true);
    expect(body.length).toBeGreaterThan(0);
  });

  test('of HTTP/1.0 gets the blob', async () => {
    const { bench } = await mirrorOf({});
    const heard = await hear(await say(bench.port, `GET ${PATH} HTTP/1.0\r\n\r\n`));
    expect(heard.endsWith(BYTES.subarray(-1_000).toString('latin1'))).toBe(true);
  });
});

describe('a stopping mirror', () => {
  test('lets a running answer end', async () => {
    let open: (blob: FakeBlob) => void = () => undefined;
    const provider = new FakeProvider(() => new Promise<FakeBlob>((resolve) => (open = resolve)));
    bench = await MirrorBench.start(provider, (_, response) => response.end());
    const agent = new Agent({ keepAlive: true });
    const answer = ask(bench.port, PATH, { agent });
    while (provider.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const stopped = bench.stopMirror(10_000);
    open({ bytes: BYTES });
    expect((await answer).body.equals(BYTES)).toBe(true);
    await stopped;
    agent.destroy();
    await expect(ask(bench.port, PATH)).rejects.toThrow('ECONNREFUSED');
  });

  test('cuts what takes longer than its grace', async () => {
    const { provider, bench } = await mirrorOf({ hangAt: 65_536 });
    const answer = ask(bench.port, PATH);
    await provider.until(({ taken }) => taken === 65_536);
    await bench.stopMirror(20);
    expect((await answer).complete).toBe(false);
    expect(provider.released).toBe(1);
  });
});
