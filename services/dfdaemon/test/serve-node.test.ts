import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { connect } from 'node:tls';
import { runCommand } from '@cdk8s-dragonfly/command';
import type { CommandHost, StopSignal } from '@cdk8s-dragonfly/command';
import { DFDAEMON } from '@cdk8s-dragonfly/contract';
import { digestOf } from '@cdk8s-dragonfly/protocol';
import { freePort } from '../../../test/support/free-port';
import { selfSigned } from '../../origin/test/certificate';
import { serveNode } from '../src/index';
import type { SwarmNodeOptions } from '@cdk8s-dragonfly/engine';
import type { StartNode } from '../src/index';
import { ask } from './support/client';
import { FakeProvider } from './support/fake-provider';

const BYTES = Buffer.from('a layer');
const DIGEST = digestOf(BYTES);

/** A df-daemon in this process, with a hand-made node. */
class Daemon {
  readonly events: string[] = [];
  readonly #err = new PassThrough();
  #text = '';
  #signal: (signal: StopSignal) => void = () => undefined;
  options: SwarmNodeOptions | undefined;
  /** The text of dfdaemon.yml; undefined: there is none. */
  config: string | undefined;

  constructor(private readonly startNode?: StartNode) {
    this.#err.on('data', (chunk: Buffer) => (this.#text += chunk.toString()));
  }

  run(...argv: string[]): Promise<number> {
    const host: CommandHost = {
      argv,
      env: {},
      stdout: new PassThrough(),
      stderr: this.#err,
      readFile: (path) => {
        if (path === '/etc/dragonfly/dfdaemon.yml' && this.config !== undefined) return this.config;
        throw Object.assign(new Error('no file'), { code: 'ENOENT' });
      },
      onSignal: (listener) => {
        this.#signal = listener;
        return () => undefined;
      },
      onUnhandled: () => () => undefined,
    };
    return runCommand(DFDAEMON, (values, ctx) => serveNode(values, ctx, this.startNode ?? this.startWith), host);
  }

  readonly startWith: StartNode = (options) => {
    this.options = options;
    const stop = (): Promise<void> => {
      this.events.push('node stopped');
      return Promise.resolve();
    };
    const provider = new FakeProvider(() => ({ bytes: BYTES }));
    const traffic = { local: 0, peer: 0, supernode: 0, origin: 0 };
    const usage = { blobs: 0, bytes: 0, evicted: 0 };
    const isWithinReach = (): Promise<boolean> => Promise.resolve(false);
    return Promise.resolve({ open: (request) => provider.open(request), isWithinReach, stop, traffic, usage });
  };

  interrupt(): void {
    this.#signal('SIGTERM');
  }

  get lines(): Record<string, unknown>[] {
    return this.#text
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  get text(): string {
    return this.#text;
  }

  async line(msg: string): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.lines.find((line) => line['msg'] === msg);
      if (found !== undefined) return found;
      await new Promise((resolve) => this.#err.once('data', resolve));
    }
  }
}

describe('a df-daemon', () => {
  let home = '';
  let taken: Server;

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'dfdaemon-'));
    taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
  });
  afterEach(() => jest.restoreAllMocks());
  afterAll(() => {
    taken.close();
    rmSync(home, { recursive: true });
  });

  /** Enough to start with; what is given wins over what stands here. */
  async function flags(...given: readonly string[]): Promise<string[]> {
    const flags = new Map([
      ['--registry', 'http://127.0.0.1:9'],
      ['--data-dir', home],
      ['--node', '10.0.0.9'],
      ['--port', `${await freePort()}`],
      ['--ops-listen', `127.0.0.1:${await freePort()}`],
    ]);
    for (let index = 0; index + 1 < given.length; index += 2) flags.set(given[index] ?? '', given[index + 1] ?? '');
    return [...flags].flat();
  }

  test('serves blobs of its node, is ready then, logs one line each, and ends with 0', async () => {
    const daemon = new Daemon();
    const opsPort = await freePort();
    const ops = `127.0.0.1:${opsPort}`;
    const code = daemon.run(...(await flags('--ops-listen', ops, '--blob-authorization', 'none')));
    const { mirror } = (await daemon.line('ready')) as { readonly mirror: { readonly port: number } };
    expect((await ask(opsPort, '/readyz')).status).toBe(200);

    const path = `/v2/x/blobs/${DIGEST}`;
    const headers = { Authorization: 'Bearer s3cret-token', 'User-Agent': 'docker/28' };
    const answer = await ask(mirror.port, path, { headers });
    expect([answer.status, answer.body]).toEqual([200, BYTES]);
    expect(await daemon.line('blob')).toMatchObject({
      level: 'info',
      digest: DIGEST,
      from: 'swarm',
      status: 200,
      bytes: BYTES.length,
      userAgent: 'docker/28',
    });
    expect(daemon.text).not.toContain('s3cret');
    expect(daemon.options).toMatchObject({
      dataDir: home,
      supernodes: [{ host: '10.0.0.9', port: 8002 }],
      peers: { host: '::', port: 15_001 },
      supernodeSilence: 1_000,
    });
    const { originRules } = daemon.options ?? {};
    expect(() => originRules?.checkUrl(new URL('http://127.0.0.1:9/v2/'), 'first-hand')).not.toThrow();
    expect(() => originRules?.checkUrl(new URL('http://127.0.0.1:10/v2/'), 'first-hand')).toThrow('--registry');

    daemon.interrupt();
    expect(await code).toBe(0);
    expect(daemon.events).toEqual(['node stopped']);
    await expect(ask(mirror.port, path)).rejects.toThrow('ECONNREFUSED');
    await expect(ask(opsPort, '/livez')).rejects.toThrow('ECONNREFUSED');
  });

  test('without a supernode says where one could be named', async () => {
    const nodeConfig = join(home, 'nodes.conf');
    writeFileSync(nodeConfig, '[node]\naddress=\n');
    const daemon = new Daemon();
    const code = daemon.run(
      ...(await flags('--node-config', nodeConfig)).filter((_, index, all) => {
        return all[index] !== '--node' && all[index - 1] !== '--node';
      }),
    );
    expect(await daemon.line('no supernode: all comes from the registry')).toMatchObject({
      level: 'warn',
      nameableIn: [
        '--node',
        'supernodes in /etc/dragonfly/dfdaemon.yml',
        nodeConfig,
        'nodes in /etc/dragonfly/dfget.yml',
      ],
    });
    await daemon.line('ready');
    daemon.interrupt();
    expect(await code).toBe(0);
  });

  test('speaks https with the certificate and key that its files hold now, once both have changed', async () => {
    const clock = performance.now.bind(performance);
    let passed = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => clock() + passed);
    const [cert, key] = [join(home, 'tls.crt'), join(home, 'tls.key')];
    const [first, second] = [selfSigned(['127.0.0.1']), selfSigned(['127.0.0.1'])];
    writeFileSync(cert, first.cert);
    writeFileSync(key, first.key);
    const daemon = new Daemon();
    const code = daemon.run(...(await flags('--certpem', cert, '--keypem', key)));
    const { mirror } = (await daemon.line('ready')) as { readonly mirror: { readonly port: number } };
    /** Whose certificate a client is shown that comes a second later. */
    const shown = async (): Promise<string | undefined> => {
      passed += 1000;
      const socket = connect({ host: '127.0.0.1', port: mirror.port, rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      return fingerprint256;
    };
    const [before, after] = [first, second].map((one) => new X509Certificate(one.cert).fingerprint256);
    expect(await shown()).toBe(before);
    writeFileSync(cert, second.cert);
    expect(await shown()).toBe(before);
    writeFileSync(key, second.key);
    expect(await shown()).toBe(after);
    daemon.interrupt();
    expect(await code).toBe(0);
  });

  test.each([
    [['--registry', 'ftp://x'], 2, 'dfdaemon: --registry: "ftp://x/" must begin with http:// or https://\n'],
    [['--port', 'TAKEN'], 1, 'dfdaemon: the mirror cannot listen on 127.0.0.1:TAKEN: the port is in use'],
    [
      ['--tag-policy', 'sometimes'],
      2,
      'dfdaemon: --tag-policy must be revalidate, strict or ttl=DURATION such as ttl=5m',
    ],
    [['--registry-auth', '/nowhere'], 2, 'dfdaemon: the file /nowhere of --registry-auth cannot be used: '],
    [['--token-server', 'a'], 2, 'dfdaemon: --token-server must be REGISTRY=HOST[:PORT], such as ghcr.io='],
    [['--certpem', '/nowhere'], 2, 'dfdaemon: --certpem and --keypem go together'],
    [['--data-dir', '/proc/x'], 1, 'dfdaemon: the folder for the store cannot be made (ENOENT: /proc/x'],
    [['--data-dir', '/dev/null/x'], 1, 'dfdaemon: the folder for the store cannot be made ('],
    [
      ['--ops-listen', '127.0.0.1:TAKEN'],
      1,
      'dfdaemon: the health endpoint cannot listen on 127.0.0.1:TAKEN: the port',
    ],
  ])('that is given %j ends with %i and one line', async (given, code, line) => {
    const { port } = taken.address() as AddressInfo;
    const number = (text: string): string => text.replace('TAKEN', `${port}`);
    const daemon = new Daemon();
    expect(await daemon.run(...(await flags(...given.map(number))))).toBe(code);
    expect(daemon.text).toContain(number(line));
    expect(daemon.text.trim().split('\n')).toHaveLength(1);
  });

  test('takes the dfdaemon.yml of an original, and registries of its own there', async () => {
    const registry = createHttpServer((request, response) => response.end(request.headers.host)).listen(0, '127.0.0.1');
    await new Promise((resolve) => registry.once('listening', resolve));
    const { port } = registry.address() as AddressInfo;
    const daemon = new Daemon();
    daemon.config = [
      'registry_mirror: {remote: "http://127.0.0.1:9", insecure: true, certs: []}',
      'dfpath: /opt/dragonfly/dfget',
      'notbs: true',
      `registries: [{host: harbor.test, url: "http://127.0.0.1:${port}"}]`,
    ].join('\n');
    const given = await flags();
    const code = daemon.run(...given.filter((word, index) => ![word, given[index - 1]].includes('--registry')));
    const { mirror } = (await daemon.line('ready')) as { readonly mirror: { readonly port: number } };
    const answer = await ask(mirror.port, '/v2/?ns=harbor.test');
    expect(answer.body.toString()).toBe(`127.0.0.1:${port}`);
    expect((await daemon.line('accepted, but without effect'))['settings']).toEqual([
      expect.stringMatching(/^the key registry_mirror.insecure .*: certificates are always checked/),
      expect.stringContaining('the key dfpath'),
      expect.stringContaining('the key notbs'),
    ]);
    daemon.interrupt();
    expect(await code).toBe(0);
    registry.close();
  });

  test.each([
    [
      'registries: [{host: a.test, url: "https://a.test", certs: [/nowhere.pem]}]',
      'the certificate /nowhere.pem cannot',
    ],
    ['registries: [{host: a.test}]', 'the key url of entry 1 of registries in /etc/dragonfly/dfdaemon.yml is missing'],
    ['registry_mirror: {certs: [/nowhere.pem]}', 'the certificate /nowhere.pem cannot be used'],
    ['proxies: [{regx: "("}]', 'the key regx of entry 1 of proxies must be a regular expression (RE2), not "("'],
    [
      'proxies: [{regex: x}]',
      'unknown key regex in entry 1 of proxies in /etc/dragonfly/dfdaemon.yml; did you mean regx?',
    ],
    ['hijack_https: {hosts: [{regx: x}]}', 'hijack_https.hosts needs hijack_https.cert and hijack_https.key'],
    ['hijack_https: {cert: /nowhere.pem}', 'hijack_https.cert (--hijack-cert) and hijack_https.key (--hijack-key)'],
    [
      'hijack_https: {cert: /nowhere.pem, key: /x}',
      '/nowhere.pem and /x, named by hijack_https.cert and hijack_https.key, cannot be read: ',
    ],
  ])('with the dfdaemon.yml %j ends with 2 and one line', async (config, line) => {
    const daemon = new Daemon();
    daemon.config = config;
    expect(await daemon.run(...(await flags()))).toBe(2);
    expect(daemon.text).toContain(line);
    expect(daemon.text.trim().split('\n')).toHaveLength(1);
  });

  test('that is told to stop while it starts has no mirror, and is never ready', async () => {
    const daemon: Daemon = new Daemon(async (options) => {
      daemon.interrupt();
      await daemon.line('stopping');
      return daemon.startWith(options);
    });
    const port = await freePort();
    expect(await daemon.run(...(await flags('--port', `${port}`)))).toBe(143);
    expect(daemon.lines.map(({ msg }) => msg)).toEqual(['stopping']);
    expect(daemon.events).toEqual(['node stopped']);
    await expect(ask(port, '/v2/')).rejects.toThrow('ECONNREFUSED');
  });

  test('whose node does not start has no mirror', async () => {
    const daemon = new Daemon(() => Promise.reject(new Error('no way')));
    const port = await freePort();
    expect(await daemon.run(...(await flags('--port', `${port}`)))).toBe(70);
    await expect(ask(port, '/v2/')).rejects.toThrow('ECONNREFUSED');
  });
});
