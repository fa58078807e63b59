import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

import { createLog } from '@cdk8s-dragonfly/command';
import { ALL_ADDRESSES } from '@cdk8s-dragonfly/contract';
import { SwarmNode } from '@cdk8s-dragonfly/engine';
import { OriginRules } from '@cdk8s-dragonfly/origin';
import { PULSE_NONCE, pulsePort, pulseQuestion, readPulse } from '@cdk8s-dragonfly/protocol';
import { Supernode } from '@cdk8s-dragonfly/supernode';

import { freePort } from '../support/free-port';
import { CountedOrigin } from './counted-origin';
import { DaemonCommand } from './daemon-command';
import { readAll } from './swarm';

const LAUNCHER = join(__dirname, '../../services/supernode/bin/supernode.js');
const HERE = ['127.0.0.1', '::1'];

function at(address: string, port: number): string {
  return address.includes(':') ? `http://[${address}]:${port}` : `http://${address}:${port}`;
}

/** By how much the supernode's event loop is late, as its pulse at an address says. */
async function pulseAt(address: string, port: number): Promise<number | undefined> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  const question = pulseQuestion(randomBytes(PULSE_NONCE));
  const asking = setInterval(() => socket.send(question, port, address), 20);
  try {
    const [answer] = (await once(socket, 'message', { signal: AbortSignal.timeout(15_000) })) as [Buffer];
    return readPulse(question, answer);
  } finally {
    clearInterval(asking);
    socket.close();
  }
}

describe('on all addresses of IPv6 and IPv4', () => {
  let home = '';
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'all-addresses-'));
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  describe('a supernode that is not told where to listen', () => {
    let child: ChildProcess | undefined;
    afterEach(async () => {
      if (child === undefined) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    });

    test('answers at both ports, and by its pulse', async () => {
      const [api, pieces] = [await freePort(), await freePort()];
      const ports = ['--port', `${api}`, '--download-port', `${pieces}`];
      const started = spawn(process.execPath, [LAUNCHER, '--home-dir', home, '--min-free', '0', ...ports], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      child = started;
      const said: string[] = [];
      for await (const line of createInterface({ input: started.stderr })) {
        said.push(line);
        if (line.includes('"serving"')) break;
      }
      expect(said.join('\n')).toContain(`"api":{"host":"::","port":${api}},"pieces":{"host":"::","port":${pieces}}`);
      for (const address of HERE) {
        expect((await fetch(`${at(address, api)}/readyz`)).status).toBe(200);
        expect((await fetch(`${at(address, pieces)}/nothing`)).status).toBe(404);
        expect(await pulseAt(address, pulsePort(api) ?? 0)).toBeLessThan(4000);
      }
    });
  });

  test('a df-daemon answers its health, its neighbours, and to its own machine what it is', async () => {
    const peers = await freePort();
    const ops = await freePort();
    const daemon = await DaemonCommand.start(
      home,
      ...['--registry', 'http://127.0.0.1:9', '--node', '127.0.0.1:9'],
      ...['--peer-ip', ALL_ADDRESSES, '--peer-port', `${peers}`, '--ops-listen', `[${ALL_ADDRESSES}]:${ops}`],
      ...['--hostIp', ALL_ADDRESSES],
    );
    try {
      for (const address of HERE) {
        expect((await fetch(`${at(address, ops)}/readyz`)).status).toBe(200);
        expect((await fetch(`${at(address, peers)}/nothing`)).status).toBe(404);
        expect((await fetch(`${at(address, daemon.mirrorPort)}/args`)).status).toBe(200);
      }
    } finally {
      await daemon.stop();
    }
  });

  describe('a swarm', () => {
    const lines: string[] = [];
    const log = createLog(
      'debug',
      'test',
      new Writable({
        write(chunk: Buffer, _encoding, done) {
          lines.push(chunk.toString());
          done();
        },
      }),
    );
    const parts: { stop(): Promise<void> }[] = [];
    let origin: CountedOrigin;

    beforeEach(async () => {
      lines.length = 0;
      origin = await CountedOrigin.start('127.0.0.1');
      parts.push(origin);
    });
    afterEach(async () => {
      jest.restoreAllMocks();
      for (const part of parts.splice(0).reverse()) await part.stop();
    });

    async function supernode(): Promise<Supernode> {
      const started = await Supernode.start({
        homeDir: join(home, 'supernode'),
        api: { host: ALL_ADDRESSES, port: 0 },
        blocks: { host: ALL_ADDRESSES, port: 0 },
        advertiseIp: '127.0.0.1',
        allowOrigin: [{ host: '127.0.0.1', port: origin.port }],
        originFirstByteTimeout: 5000,
        originStallTimeout: 5000,
        env: {},
        log,
      });
      parts.push(started);
      return started;
    }

    async function node(host: string, port: number): Promise<SwarmNode> {
      const started = await SwarmNode.start({
        dataDir: join(home, host.replace(/:/g, '-')),
        originFirstByteTimeout: 5000,
        originStallTimeout: 5000,
        supernodes: [{ host, port }],
        peers: { host: ALL_ADDRESSES, port: 0 },
        originRules: new OriginRules({ allow: [{ host: '127.0.0.1', port: origin.port }] }),
        connectTimeout: 1000,
        peerStallTimeout: 2000,
        supernodeSilence: 1000,
        log,
      });
      parts.push(started);
      return started;
    }

    test('of nodes of IPv4 and IPv6 trades blocks, and knows each by its own address', async () => {
      const { api } = await supernode();
      const nodes = [await node('127.0.0.1', api.port), await node('::1', api.port)];
      const content = randomBytes(8 * 1024 * 1024 + 7);
      const wanted = origin.add(content);
      const got = await Promise.all(nodes.map((one) => readAll(one, wanted)));
      expect(got.map((bytes) => bytes.equals(content))).toEqual([true, true]);
      expect(origin.bytesSent).toBe(content.length);
      expect(Math.max(...nodes.map(({ traffic }) => traffic.peer))).toBeGreaterThan(0);
      const registered = lines
        .map((line) => JSON.parse(line) as { msg: string; ip?: string })
        .filter(({ msg }) => msg === 'registered');
      expect(registered.map(({ ip }) => ip).sort()).toEqual(HERE);
      expect(lines.join('')).not.toContain('::ffff:');
    });

    test('is one of IPv4 where the kernel has no IPv6', async () => {
      // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its server
      const { listen } = Server.prototype;
      jest.spyOn(Server.prototype, 'listen').mockImplementation(function (this: Server, ...given: unknown[]) {
        const [{ host = '' }] = given as [{ host?: string }];
        if (!host.includes(':')) return Reflect.apply(listen, this, given) as Server;
        const error = Object.assign(new Error(`listen EAFNOSUPPORT ${host}`), { code: 'EAFNOSUPPORT' });
        setImmediate(() => this.emit('error', error));
        return this;
      });
      const { api, blocks } = await supernode();
      expect([api.host, blocks.host]).toEqual(['0.0.0.0', '0.0.0.0']);
      const content = randomBytes(1024 * 1024);
      const wanted = origin.add(content);
      expect((await readAll(await node('127.0.0.1', api.port), wanted)).equals(content)).toBe(true);
      expect(origin.bytesSent).toBe(content.length);
    });
  });
});
