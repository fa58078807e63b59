import { generateKeyPairSync } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import {
  NATIVE_VERSION,
  PROCESS_HEADER,
  RESULT_CODE,
  SESSION_PATH,
  failureAnswer,
  lineOf,
  publicKeyText,
  registeredAnswer,
} from '@cdk8s-dragonfly/protocol';
import type { ClassicAnswer, Digest } from '@cdk8s-dragonfly/protocol';

import { PulseSockets } from '../src/links/pulse';
import { SteadyClock } from '../src/links/steady-clock';
import { SupernodeLink } from '../src/links/supernode-link';
import type { SessionListener } from '../src/links/supernode-session';

const blob: Digest = `sha256:${'ab'.repeat(32)}`;
const FIRST = 'a'.repeat(32);
const KEY = publicKeyText(generateKeyPairSync('ed25519').privateKey);

describe('a daemon that is told to come later', () => {
  const clock = new SteadyClock();
  const pulses = new PulseSockets();
  let server: Server;
  let link: SupernodeLink;
  /** What was said of waiting at each registration, and when. */
  let came: { readonly waits: unknown; readonly at: number }[];
  /** Which process answers pings. */
  let process: string;
  let pings: number;
  /** The last that was opened. */
  let session: ServerResponse | undefined;
  /** How many lines sessions have said, and when there is another. */
  let said = 0;
  const spoken = new EventEmitter();
  let answer: (times: number) => ClassicAnswer;

  beforeEach(async () => {
    came = [];
    process = FIRST;
    pings = 0;
    session = undefined;
    server = createServer((request, response) => {
      if (request.url?.startsWith(SESSION_PATH) === true) {
        response.write(lineOf({ type: 'hello', blobs: 1, process }));
        session = response;
        const speaking = setInterval(() => {
          response.write(lineOf({ type: 'ping' }));
          said += 1;
          spoken.emit('line');
        }, 50);
        response.once('close', () => clearInterval(speaking));
        return;
      }
      if (request.method !== 'POST') {
        if (request.url === '/_ping') pings += 1;
        response.setHeader(PROCESS_HEADER, process).end('OK');
        return;
      }
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.once('end', () => {
        const { native } = JSON.parse(text) as { native: { waits?: boolean } };
        came.push({ waits: native.waits, at: performance.now() });
        response.end(JSON.stringify(answer(came.length)));
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    link = new SupernodeLink({
      address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
      identity: { cid: 'me', key: 'secret', ip: '127.0.0.1', port: 15_001 },
      connectTimeout: 1000,
      silence: 1000,
      busy: 8000,
      lookEvery: 200,
      nextSession: () => 1,
      clock,
      pulses,
      holdings: () => [],
      log: { debug: () => undefined, info: () => undefined, warn: () => undefined },
    });
  });
  afterEach(async () => {
    await link.stop();
    server.closeAllConnections();
    server.close();
  });
  afterAll(() => {
    clock.stop();
    pulses.stop();
  });

  const later = (ms: number): ClassicAnswer =>
    failureAnswer(RESULT_CODE.waitAuth, 'come again', { version: NATIVE_VERSION, later: ms, process: FIRST });
  const takenIn = (): ClassicAnswer => {
    const native = { version: NATIVE_VERSION, blob, key: KEY, blocks: { ip: '127.0.0.1', port: 9 } };
    return registeredAnswer({ taskId: 'ef'.repeat(32), length: undefined, pieceSize: 4 * 1024 * 1024 }, native);
  };
  const join = async (more: Partial<SessionListener> = {}): Promise<string> => {
    const wanted = { blob, url: new URL(`http://origin/v2/a/blobs/${blob}`), headers: [] };
    return (await link.join(wanted, { event: () => undefined, lost: () => undefined, ...more })).kind;
  };

  it('comes at that time, and has said that it does', async () => {
    answer = (times) => (times === 1 ? later(400) : takenIn());
    const told: number[] = [];
    expect(await join({ putOff: (ms) => void told.push(ms) })).toBe('joined');
    expect(told).toEqual([400, 0]);
    expect(came.map(({ waits }) => waits)).toEqual([true, true]);
    const [first, second] = came.map(({ at }) => at);
    const waited = (second ?? 0) - (first ?? 0);
    // It would be 2.5 s where no time is told.
    expect(waited).toBeGreaterThan(390);
    expect(waited).toBeLessThan(2400);
  });

  it('comes soon when another process has taken the place of the one that said so', async () => {
    answer = (times) => (times === 1 ? later(60_000) : takenIn());
    const told: number[] = [];
    const began = performance.now();
    const joined = join({ putOff: (ms) => void told.push(ms) });
    // The one that said so answers; the next answers from the second ping on.
    const end = began + 10_000;
    while (pings < 2 && performance.now() < end) await once(server, 'request');
    expect(came).toHaveLength(1);
    process = 'b'.repeat(32);
    expect(await joined).toBe('joined');
    expect(told).toEqual([60_000, 0]);
    expect(came).toHaveLength(2);
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  it('asks nobody while its session shows that the supernode lives, nor waits when another process opens it', async () => {
    answer = (times) => (times === 1 ? later(60_000) : takenIn());
    const began = performance.now();
    link.keepInTouch();
    while (session === undefined) await once(server, 'request', { signal: AbortSignal.timeout(5000) });
    const waits = new AbortController();
    const joined = join({ putOff: () => waits.abort() });
    if (!waits.signal.aborted) await once(waits.signal, 'abort', { signal: AbortSignal.timeout(5000) });
    const before = pings;
    const lines = said;
    // Long enough for a few looks.
    while (said < lines + 16) await once(spoken, 'line', { signal: AbortSignal.timeout(5000) });
    expect([pings - before, came.length]).toEqual([0, 1]);
    process = 'b'.repeat(32);
    session.end();
    expect(await joined).toBe('joined');
    expect(came).toHaveLength(2);
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  it('gives it up when it is told the same again and again', async () => {
    answer = () => later(1);
    await expect(join()).rejects.toThrow('again and again');
    expect(came).toHaveLength(4);
  });

  it('waits no more, and does not come, when nothing is wanted any more', async () => {
    answer = () => later(60_000);
    const over = new AbortController();
    const began = performance.now();
    const joined = join({ putOff: () => over.abort(new Error('nobody wants it')), over: over.signal });
    await expect(joined).rejects.toThrow();
    expect(came).toHaveLength(1);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('does not wait for one that is gone by then', async () => {
    answer = () => {
      setImmediate(() => server.close());
      server.closeIdleConnections();
      return later(60_000);
    };
    const began = performance.now();
    await expect(join()).rejects.toThrow('is not there');
    expect(performance.now() - began).toBeLessThan(15_000);
  });
});
