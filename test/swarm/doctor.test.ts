import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Worker } from 'node:worker_threads';

import { parseCommand, runCommand } from '@cdk8s-dragonfly/command';
import { DFGET_DOCTOR, NODE_MIRROR } from '@cdk8s-dragonfly/contract';
import { examineNode } from '@cdk8s-dragonfly/dfget';
import type { Diagnosis, Finding } from '@cdk8s-dragonfly/dfget';
import { NodeMirror, nodeMirrorSettings, runtimesOf } from '@cdk8s-dragonfly/node-mirror';
import { digestOf } from '@cdk8s-dragonfly/protocol';
import type { DaemonReach, ReachFault } from '@cdk8s-dragonfly/protocol';

import { freePort } from '../support/free-port';
import { CountedOrigin } from './counted-origin';
import { DaemonCommand } from './daemon-command';
import { Swarm } from './swarm';

const MIB = 1024 * 1024;
/** Matches a text, inside an object. */
function like(pattern: RegExp | string): unknown {
  return typeof pattern === 'string' ? expect.stringContaining(pattern) : expect.stringMatching(pattern);
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

describe('dfget doctor', () => {
  let swarm: Swarm;
  let registry: string;
  const started: DaemonCommand[] = [];
  const servers: Server[] = [];

  beforeAll(async () => {
    swarm = await Swarm.start();
    registry = `127.0.0.1:${swarm.origin.port}`;
    swarm.origin.addAt('/v2/', Buffer.from('{}'));
  });
  afterEach(async () => {
    swarm.origin.fault = () => false;
    await Promise.all(started.splice(0).map((daemon) => daemon.stop()));
    for (const server of servers.splice(0)) server.close();
  });
  afterAll(() => swarm.stop());

  async function daemon(...flags: string[]): Promise<DaemonCommand> {
    const supernode = flags.includes('--node') ? [] : ['--node', `127.0.0.1:${swarm.supernodePort}`];
    const own = flags.includes('--registry') ? [] : ['--registry', `http://${registry}`];
    const one = await DaemonCommand.start(swarm.home, ...own, ...supernode, ...flags);
    started.push(one);
    return one;
  }

  async function server(answer: (path: string) => [number, string]): Promise<string> {
    const one = createServer((request, response) => {
      const [status, body] = answer(request.url ?? '');
      response.writeHead(status, { connection: 'close' }).end(body);
    }).listen(0, '127.0.0.1');
    servers.push(one);
    await new Promise((resolve) => one.once('listening', resolve));
    return `http://127.0.0.1:${(one.address() as AddressInfo).port}`;
  }

  async function doctor(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const code = await runCommand(DFGET_DOCTOR, examineNode, {
      argv,
      env: {},
      stdout,
      stderr,
      readFile: () => {
        throw new Error('no file');
      },
      onSignal: () => () => undefined,
      onUnhandled: () => () => undefined,
    });
    return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
  }

  /** What is found with a daemon, of one subject; `--runtime none` unless it is about that. */
  async function findings(
    { mirror, readyz }: Pick<DaemonCommand, 'mirror' | 'readyz'>,
    subject: Finding['subject'],
    ...more: string[]
  ): Promise<[number, Pick<Finding, 'state' | 'says'>[], string]> {
    const runtime = more.includes('--runtime') ? [] : ['--runtime', 'none'];
    const argv = ['--mirror', mirror, '--readyz', readyz, '--output', 'json', ...runtime, ...more];
    const { code, out } = await doctor(...argv);
    const all = (JSON.parse(out) as Diagnosis).findings.filter((one) => one.subject === subject);
    return [code, all.map(({ state, says }) => ({ state, says })), all.map(({ advice = '' }) => advice).join('\n')];
  }

  /** An image with these layers at the registry. */
  function image(name: string, ...layers: Buffer[]): string {
    const blobs = layers.map((content) => {
      const digest = digestOf(content);
      swarm.origin.addAt(`/v2/${name}/blobs/${digest}`, content);
      return { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: content.length };
    });
    const text = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, layers: blobs });
    swarm.origin.addAt(`/v2/${name}/manifests/1`, Buffer.from(text));
    return `${registry}/${name}:1`;
  }

  it('says that all is well, with a layer that comes from a peer, and ends with 0', async () => {
    const name = image('team/app', randomBytes(300_000), randomBytes(3 * MIB));
    const root = join(swarm.home, 'root');
    const [other, own] = [await daemon(), await daemon()];
    const [, first] = await findings(other, 'test blob', '--image', name);
    expect(first).toEqual([
      {
        state: 'ok',
        says: like(/^a layer of 3 MiB came in .* s: 3 MiB from the supernode; no other/),
      },
    ]);
    mkdirSync(join(root, 'usr/bin'), { recursive: true });
    mkdirSync(join(root, 'etc/containers'), { recursive: true });
    writeFileSync(join(root, 'usr/bin/podman'), '#!/bin/sh\n', { mode: 0o755 });
    expect(await findings(own, 'runtime', '--host-root', root, '--runtime', 'podman')).toEqual([
      1,
      [{ state: 'fail', says: like(/^podman.* is not pointed at .*99-dragonfly-docker.io.conf/) }],
      expect.stringContaining('node-mirror apply'),
    ]);
    const given = ['apply', '--runtime', 'podman', '--host-root', root, '--mirror', own.mirror, '--readyz', own.readyz];
    const values = parseCommand(NODE_MIRROR, given, { env: {} });
    expect((await new NodeMirror(runtimesOf(values), nodeMirrorSettings(values)).apply()).runtimes).toEqual([
      expect.objectContaining({ outcome: 'changed' }),
    ]);
    const flags = ['--mirror', own.mirror, '--readyz', own.readyz, '--host-root', root, '--runtime', 'podman'];
    const { code, out, err } = await doctor(...flags, '--image', name);
    expect([code, err, out]).toEqual([0, '', expect.not.stringContaining('FAIL')]);
    expect(out).toMatch(
      new RegExp(
        [
          `^ok    df-daemon: it is ready, says ${own.readyz}`,
          `ok    mirror: dfdaemon .* answers at ${own.mirror}`,
          `ok    supernode: 127.0.0.1:${swarm.supernodePort} answers the df-daemon`,
          `ok    registry: ${registry} \\(http://${registry}\\) answers the df-daemon`,
          `ok    test blob: a layer of 3 MiB came in .* s: .*MiB from peers.*`,
          `ok    runtime: podman.* is pointed at ${own.mirror}`,
          'nothing is wrong\n$',
        ].join('\n'),
      ),
    );
    // Both layers are here by now, or will be.
    await findings(own, 'test blob', '--image', name);
    expect((await findings(own, 'test blob', '--image', name))[1]).toEqual([
      { state: 'skip', says: `the layers of ${name} that were asked for are on this node already` },
    ]);
  });

  it('says that nothing answers, asks nothing further, and ends with 1', async () => {
    const dead = `http://127.0.0.1:${await freePort()}`;
    const { code, out } = await doctor('--mirror', dead, '--readyz', `${dead}/readyz`, '--runtime', 'none');
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
      const lines = (await doctor(...flags)).out.split('\n');
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
    const mirror = await server(() => [200, JSON.stringify(reach)]);
    const told = async (subject: Finding['subject']): Promise<string> =>
      (await findings({ mirror, readyz: mirror }, subject))[2];
    expect(await told('supernode')).toMatch(supernode);
    expect(await told('registry')).toMatch(registry);
  });

  it('reads the files of a runtime that it cannot see running', async () => {
    const root = join(swarm.home, 'files');
    const nobody = { mirror: 'http://127.0.0.1:65001', readyz: 'http://127.0.0.1:1/readyz' };
    const write = (path: string, text: string): void => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    };
    const found = async (runtime: string): Promise<string> => {
      const [, [one], advice] = await findings(nobody, 'runtime', '--host-root', root, '--runtime', runtime);
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
    const there =
      ': no (dockerd|containerd|CRI-O) runs here: [^;]*; do: start it; if it runs, run dfget doctor on the node';
    for (const runtime of ['docker', 'containerd', 'crio']) {
      expect(await found(runtime)).toMatch(
        new RegExp(`^warn the files of ${runtime} point it at http://127.0.0.1:65001, but it cannot be asked${there}`),
      );
    }
  });

  it('tells what else answers from a df-daemon, and one that is not ready', async () => {
    const readyz = `${await server(() => [503, 'the mirror is not ready\n'])}/readyz`;
    const says = async (status: number, body = ''): Promise<string> => {
      const mirror = await server(() => [status, body]);
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

  it('tells which supernodes the daemon does not reach', async () => {
    const dead = `127.0.0.1:${await freePort()}`;
    const alive = `127.0.0.1:${swarm.supernodePort}`;
    const refused = `${dead} does not answer the df-daemon: the connection was refused: nothing listens there (ECONNREFUSED)`;
    const [code, found, advice] = await findings(await daemon('--node', dead), 'supernode');
    expect([code, found]).toEqual([1, [{ state: 'fail', says: refused }]]);
    expect(advice).toContain('listens at that port; pulls go to the registry meanwhile');
    const name = image('team/unhelped', randomBytes(2 * MIB));
    const alone = await findings(started.at(-1) as DaemonCommand, 'test blob', '--image', name);
    expect(alone[1]).toEqual([{ state: 'fail', says: like(/: 2 MiB from the registry$/) }]);
    expect(alone[2]).toMatch(/^no supernode answers/);
    expect((await findings(await daemon('--node', `${dead},${alive}`), 'supernode')).slice(0, 2)).toEqual([
      0,
      [
        { state: 'warn', says: refused },
        { state: 'ok', says: `${alive} answers the df-daemon` },
      ],
    ]);
  });

  it('warns when the daemon has no supernode', async () => {
    const none = join(swarm.home, 'none.conf');
    writeFileSync(none, '[node]\n');
    const name = image('team/alone', randomBytes(2 * MIB));
    const alone = await DaemonCommand.start(swarm.home, '--registry', `http://${registry}`, '--node-config', none);
    started.push(alone);
    expect((await findings(alone, 'supernode')).slice(0, 2)).toEqual([
      0,
      [{ state: 'warn', says: 'the df-daemon knows none, so that everything comes from the registries' }],
    ]);
    expect((await findings(alone, 'test blob', '--image', name))[1]).toEqual([
      { state: 'warn', says: like(/: 2 MiB from the registry$/) },
    ]);
  });

  it.each<[string, number, RegExp]>([
    ['fail', 500, /answers the df-daemon with 500 for \/v2\//],
    ['warn', 404, /answers the df-daemon with 404 for \/v2\/, which is not how a registry answers/],
    ['ok', 401, /answers the df-daemon$/],
  ])('is %s with a registry that answers with %i', async (state, status, says) => {
    const one = await daemon('--registry', await server(() => [status, '']));
    const [code, found] = await findings(one, 'registry');
    expect([code, found]).toEqual([state === 'fail' ? 1 : 0, [{ state, says: like(says) }]]);
  });

  it('tells of a registry that is not there, and of credentials that it does not take', async () => {
    const [, gone, advice] = await findings(await daemon('--registry', 'http://127.0.0.1:1'), 'registry');
    expect(gone).toEqual([{ state: 'fail', says: like(/does not answer the df-daemon: .*127.0.0.1:1.*refused/) }]);
    expect(advice).toContain('see whether the registry runs');
    const strict = await server(() => [401, '']);
    const auth = join(swarm.home, 'auth.json');
    const auths = { [strict.replace('http://', '')]: { auth: Buffer.from('me:s3cret').toString('base64') } };
    writeFileSync(auth, JSON.stringify({ auths }));
    const [code, found] = await findings(await daemon('--registry', strict, '--registry-auth', auth), 'registry');
    expect([code, found]).toEqual([
      1,
      [{ state: 'fail', says: like("refuses the df-daemon's own credentials with 401") }],
    ]);
  });

  it('tells why a test blob does not come, or not through the swarm', async () => {
    const one = await daemon();
    const test = async (name: string): Promise<string> => {
      const [code, [found], advice] = await findings(one, 'test blob', '--image', name, '--timeout', '5s');
      expect([code, found?.state]).toEqual([1, 'fail']);
      return `${found?.says ?? ''}; ${advice}`;
    };
    expect(await test('ghcr.io/x/y:1')).toMatch(/serves no registry ghcr.io; give --image of one of .*127.0.0.1/);
    expect(await test(`${registry}/team/none:1`)).toMatch(
      /the manifest of .*none:1 is answered with 404; see that the/,
    );
    swarm.origin.fault = (request, response) => {
      if (request.url?.includes('/manifests/') !== true) return false;
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      return true;
    };
    expect(await test(`${registry}/team/app:1`)).toMatch(/answered with 401; the image is private: .*--registry-auth/);
    const layer = randomBytes(2 * MIB);
    const name = image('team/cut', layer);
    swarm.origin.fault = (request, response) => {
      if (request.url?.includes('/blobs/') !== true) return false;
      response.writeHead(500).end();
      return true;
    };
    expect(await test(name)).toMatch(/the layer sha256:.* is answered with 50\d/);
  });

  it('tells when the supernode did not help', async () => {
    const other = await CountedOrigin.start();
    other.addAt('/v2/', Buffer.from('{}'));
    const layer = randomBytes(2 * MIB);
    const digest = digestOf(layer);
    other.addAt(`/v2/team/app/blobs/${digest}`, layer);
    const text = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, layers: [{ digest, size: layer.length }] });
    other.addAt('/v2/team/app/manifests/1', Buffer.from(text));
    const one = await daemon('--registry', `http://127.0.0.1:${other.port}`);
    const [code, found, advice] = await findings(one, 'test blob', '--image', `127.0.0.1:${other.port}/team/app:1`);
    expect([code, found]).toEqual([1, [{ state: 'fail', says: like(/: 2 MiB from the registry$/) }]]);
    expect(advice).toContain('--allow-origin');
    await other.stop();
  });

  it('says that no runtime is in sight', async () => {
    const root = join(swarm.home, 'empty');
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
    const { code, err } = await doctor(...argv);
    expect([code, err.trimEnd().split('\n')]).toEqual([2, [expect.stringContaining(line)]]);
  });
});
