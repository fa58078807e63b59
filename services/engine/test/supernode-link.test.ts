import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import {
  NATIVE_VERSION,
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
const KEY = publicKeyText(generateKeyPairSync('ed25519').privateKey);

describe('a daemon that is told to come later', () => {
  const clock = new SteadyClock();
  const pulses = new PulseSockets();
  let server: Server;
  let link: SupernodeLink;
  /** How it was registered, and when. */
  let came: { readonly waited: unknown; readonly at: number }[];
  let answer: (times: number) => ClassicAnswer;

  beforeEach(async () => {
    came = [];
    server = createServer((request, response) => {
      if (request.url?.startsWith(SESSION_PATH) === true) {
        response.write(lineOf({ type: 'hello', blobs: 1 }));
        return;
      }
      if (request.method !== 'POST') {
        response.end('OK');
        return;
      }
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.once('end', () => {
        const { native } = JSON.parse(text) as { native: { waited?: boolean } };
        came.push({ waited: native.waited, at: performance.now() });
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
    failureAnswer(RESULT_CODE.waitAuth, 'come again', { version: NATIVE_VERSION, later: ms });
  const join = async (more: Partial<SessionListener> = {}): Promise<string> => {
    const wanted = { blob, url: new URL(`http://origin/v2/a/blobs/${blob}`), headers: [] };
    return (await link.join(wanted, { event: () => undefined, lost: () => undefined, ...more })).kind;
  };

  it('comes at that time, and says that it has waited', async () => {
    answer = (times) => {
      if (times === 1) return later(400);
      const native = { version: NATIVE_VERSION, blob, key: KEY, blocks: { ip: '127.0.0.1', port: 9 } };
      return registeredAnswer({ taskId: 'ef'.repeat(32), length: undefined, pieceSize: 4 * 1024 * 1024 }, native);
    };
    const told: number[] = [];
    expect(await join({ putOff: (ms) => void told.push(ms) })).toBe('joined');
    expect(told).toEqual([400]);
    expect(came.map(({ waited }) => waited)).toEqual([undefined, true]);
    const [first, second] = came.map(({ at }) => at);
    const waited = (second ?? 0) - (first ?? 0);
    // It would be 2.5 s where no time is told.
    expect(waited).toBeGreaterThan(390);
    expect(waited).toBeLessThan(2400);
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
