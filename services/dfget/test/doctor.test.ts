import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import promises from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';

import type { DaemonReach, ReachFault } from '@cdk8s-dragonfly/protocol';

import { freePort } from '../../../test/support/free-port';
import type { Finding } from '../src/index';
import { Answering, findings, like } from './support/doctor';
import { runDoctor } from './support/run-dfget';

describe('dfget doctor, of what answers or does not where the df-daemon should be', () => {
  let home: string;
  const answering = new Answering();
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'doctor-'));
  });
  afterEach(() => answering.close());
  afterAll(() => rmSync(home, { recursive: true }));

  it('says that nothing answers, asks nothing further, and ends with 1', async () => {
    const dead = `http://127.0.0.1:${await freePort()}`;
    const { code, out } = await runDoctor(['--mirror', dead, '--readyz', `${dead}/readyz`, '--runtime', 'none']);
    expect([code, out.split('\n')]).toEqual([
      1,
      [
        `FAIL  df-daemon: it does not answer at ${dead}/readyz: the connection was refused: nothing listens there (ECONNREFUSED)`,
        expect.stringMatching(/^ {6}do: look at its pod and log .* and start it; .* give --readyz$/),
        `FAIL  mirror: it does not answer at ${dead}: the connection was refused: nothing listens there (ECONNREFUSED)`,
        expect.stringMatching(/^ {6}do: look at its pod and log .* and start it; .* give --mirror$/),
        'skip  supernode: the df-daemon would have to be asked',
        'skip  registry: the df-daemon would have to be asked',
        'skip  test blob: the df-daemon would have to be asked',
        'skip  runtime: not looked at (--runtime none)',
        '2 failed, 0 could be better; 4 not looked at: see above',
        '',
      ],
    ]);
  });

  it('tells one that hangs from one that is not there', async () => {
    // As a process that is stopped: the system takes connections for it.
    const hangs = createServer(() => undefined).listen(0, '127.0.0.1');
    await new Promise((resolve) => hangs.once('listening', resolve));
    const at = `http://127.0.0.1:${(hangs.address() as AddressInfo).port}`;
    try {
      for (const subject of ['df-daemon', 'mirror'] as const) {
        const asked = findings({ mirror: at, readyz: `${at}/readyz` }, subject, '--timeout', '200ms');
        expect(await asked).toEqual([
          1,
          [
            {
              state: 'fail',
              says: like(/^it does not answer at .*: it takes connections, and nothing came for 200 ms$/),
            },
          ],
          like(/^it hangs, .*1\. look at .*2\. .*liveness probe.*3\. .*delete pod.*4\. only if .*kill -9/),
        ]);
      }
      const flags = ['--mirror', at, '--readyz', `${at}/readyz`, '--runtime', 'none', '--timeout', '200ms'];
      const lines = (await runDoctor(flags)).out.split('\n');
      expect(lines.slice(2, 8)).toEqual([
        ...[1, 2, 3].map((step) => like(new RegExp(`^ {10}${step}\\. `))),
        like(/^ {10}4\. only if/),
        like(/^FAIL {2}mirror/),
        '      do: as above',
      ]);
    } finally {
      hangs.closeAllConnections();
      hangs.close();
    }
  });

  it('advises nothing that ends a process where no connection opens', async () => {
    // Two connections wait for a process that takes none: the system drops those that come after them.
    const full = new Worker(
      `const server = require('node:net').createServer().listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
        require('node:worker_threads').parentPort.postMessage(server.address().port);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      });`,
      { eval: true },
    );
    const [port] = (await once(full, 'message')) as [number];
    const waiting = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
    try {
      await Promise.all(waiting.map((socket) => once(socket, 'connect')));
      const at = `http://127.0.0.1:${port}`;
      const [code, found, advice] = await findings({ mirror: at, readyz: at }, 'mirror', '--timeout', '100ms');
      expect([code, found]).toEqual([
        1,
        [{ state: 'fail', says: `it does not answer at ${at}: no connection to it opened for 100 ms` }],
      ]);
      expect(advice).toMatch(/firewall.*Recv-Q/);
      expect(advice).not.toMatch(/kill/i);
    } finally {
      waiting.forEach((socket) => socket.destroy());
      await full.terminate();
    }
  });

  it.each<[ReachFault | undefined, RegExp, RegExp]>([
    ['name', /the name of its Service/, /the DNS of this node knows it/],
    ['refused', /whether the supernode runs/, /host and port of --registry/],
    ['unopened', /NetworkPolicy or firewall .* 8001 and UDP/, /firewall, HTTPS_PROXY/],
    ['silent', /its process hangs.*kubectl delete pod.*stays; pulls go to the registry/, /firewall, HTTPS_PROXY/],
    ['certificate', /NetworkPolicy/, /--origin-ca; .*openssl/],
    [undefined, /NetworkPolicy/, /firewall/],
  ])('says what to do about a supernode and a registry when it is %p', async (fault, supernode, registry) => {
    const place = { name: 'place:1', why: 'because', fault };
    const reach: DaemonReach = { version: '1', supernodes: [place], registries: [{ ...place, hosts: [], own: false }] };
    const mirror = await answering.start(() => [200, JSON.stringify(reach)]);
    const told = async (subject: Finding['subject']): Promise<string> =>
      (await findings({ mirror, readyz: mirror }, subject))[2];
    expect(await told('supernode')).toMatch(supernode);
    expect(await told('registry')).toMatch(registry);
  });

  it('reads the files of a runtime that it cannot see running', async () => {
    const root = join(home, 'files');
    // What runs on this machine is no matter of this test.
    const proc = join(root, 'proc');
    mkdirSync(proc, { recursive: true });
    const nobody = { mirror: 'http://127.0.0.1:65001', readyz: 'http://127.0.0.1:1/readyz', proc };
    const write = (path: string, text: string): void => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    };
    const found = async (runtime: string, ...more: string[]): Promise<string> => {
      const [, [one], advice] = await findings(nobody, 'runtime', '--host-root', root, '--runtime', runtime, ...more);
      return `${one?.state ?? ''} ${one?.says ?? ''}; do: ${advice}`;
    };
    const config =
      'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "/etc/containerd/certs.d"\n';
    write('etc/docker/daemon.json', '{"registry-mirrors": ["http://other:5000"]}');
    write('etc/containerd/config.toml', config);
    write('etc/crio/crio.conf', '');
    expect(await found('docker')).toMatch(
      /^fail docker is not pointed at http:\/\/127.0.0.1:65001: \/etc\/docker\/daemon.json does not have .*; do: node-mirror plan/,
    );
    write('srv/docker.json', '{"registry-mirrors": ["http://127.0.0.1:65001"]}');
    expect(await found('docker', '--docker-config', '/srv/docker.json')).toMatch(
      /^warn the files of docker \(\/srv\/docker.json\) point it at/,
    );
    expect(await found('containerd')).toMatch(
      /^fail containerd is not pointed at .*docker.io\/hosts.toml does not have/,
    );
    expect(await found('crio')).toMatch(/^fail crio is not pointed at .*99-dragonfly-docker.io.conf does not have/);
    write('etc/docker/daemon.json', '{"registry-mirrors": ["http://127.0.0.1:65001"]}');
    write(
      'etc/containerd/certs.d/docker.io/hosts.toml',
      'server = "https://registry-1.docker.io"\n[host."http://127.0.0.1:65001"]\ncapabilities = ["pull", "resolve"]\n',
    );
    write(
      'etc/containers/registries.conf.d/50-own.conf',
      '[[registry]]\nprefix = "docker.io"\nlocation = "docker.io"\n[[registry.mirror]]\nlocation = "127.0.0.1:65001/docker.io"\ninsecure = true\n',
    );
    // The node-mirror of this node was told of another registry too.
    const record = {
      version: 1,
      existed: false,
      foldersCreated: 1,
      original: 'missing',
      derived: [],
      keyCreated: false,
    };
    write(
      'etc/containerd/certs.d/ghcr.io.dragonfly-state',
      JSON.stringify({ ...record, added: ['http://127.0.0.1:65001'] }),
    );
    write('etc/containerd/certs.d/ghcr.io/hosts.toml', '[host."http://127.0.0.1:65001"]\n');
    const there =
      ': no (dockerd|containerd|CRI-O) runs here: [^;]*; do: start it; if it runs, run dfget doctor on the node';
    for (const runtime of ['docker', 'containerd', 'crio']) {
      expect(await found(runtime)).toMatch(
        new RegExp(
          `^warn the files of ${runtime} \\([^)]*\\) point it at http://127.0.0.1:65001, but it cannot be asked${there}`,
        ),
      );
    }
  });

  it('says that it cannot see what runs, and not that a runtime is wrong', async () => {
    const proc = join(home, 'hidden');
    mkdirSync(join(proc, '1'), { recursive: true });
    const fault = Object.assign(new Error('not permitted'), { code: 'EPERM' });
    const reading = jest.spyOn(promises, 'readFile').mockRejectedValue(fault);
    const nobody = { mirror: 'http://127.0.0.1:1', readyz: 'http://127.0.0.1:1/readyz', proc };
    const [code, found, advice] = await findings(nobody, 'runtime', '--host-root', home, '--runtime', 'containerd');
    expect([code, found, reading.mock.calls]).toEqual([
      1,
      [
        {
          state: 'fail',
          says: 'whether containerd is pointed at http://127.0.0.1:1 cannot be told: the system does not show what runs here (process 1; /proc is mounted with hidepid, perhaps): run as root; in a pod, hostPID: true and privileged: true are needed',
        },
      ],
      [[join(proc, '1/stat'), 'utf8']],
    ]);
    expect(advice).toMatch(/^correct that and run dfget doctor again/);
    reading.mockRestore();
  });

  it('tells what else answers from a df-daemon, and one that is not ready', async () => {
    const readyz = `${await answering.start(() => [503, 'the mirror is not ready\n'])}/readyz`;
    const says = async (status: number, body = ''): Promise<string> => {
      const mirror = await answering.start(() => [status, body]);
      const [code, [found], advice] = await findings({ mirror, readyz }, 'mirror');
      expect([code, found?.state]).toEqual([1, 'fail']);
      return `${found?.says ?? ''}; ${advice}`;
    };
    expect(await says(200, '<html>')).toMatch(/^what answers at .* is no dfdaemon of this version: .* 200; .*ss -ltnp/);
    expect(await says(403)).toMatch(/to its own machine alone.*; run dfget doctor on the node/);
    const [, found] = await findings({ mirror: readyz.replace('/readyz', ''), readyz }, 'df-daemon');
    expect(found).toEqual([
      { state: 'fail', says: `it is not ready, says ${readyz} with 503: the mirror is not ready` },
    ]);
  });

  it('says that no runtime is in sight', async () => {
    const root = join(home, 'empty');
    mkdirSync(root, { recursive: true });
    const nobody = { mirror: 'http://127.0.0.1:1', readyz: 'http://127.0.0.1:1/readyz' };
    const [, found, advice] = await findings(nobody, 'runtime', '--host-root', root, '--runtime', 'podman');
    rmSync(root, { recursive: true });
    expect(found).toEqual([{ state: 'fail', says: like('podman is not installed here') }]);
    expect(advice).not.toBe('');
  });

  it.each([
    [['--image', 'a b'], '--image "a b" is no image; write [HOST/]NAME[:TAG]'],
    [['--image', 'docker.io/'], '--image "docker.io/" is no image'],
    [['--mirror', 'http://127.0.0.1:65001/x'], '--mirror must be scheme, host and port alone'],
    [['--runtime', 'rkt'], '--runtime must be'],
  ])('ends with 2 and one line for %j', async (argv, line) => {
    const { code, err } = await runDoctor(argv);
    expect([code, err.trimEnd().split('\n')]).toEqual([2, [expect.stringContaining(line)]]);
  });
});
