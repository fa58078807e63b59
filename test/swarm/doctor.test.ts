import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { parseCommand } from '@cdk8s-dragonfly/command';
import { NODE_MIRROR } from '@cdk8s-dragonfly/contract';
import { NodeMirror, nodeMirrorSettings, runtimesOf } from '@cdk8s-dragonfly/node-mirror';
import { digestOf } from '@cdk8s-dragonfly/protocol';

import { Answering, findings, like } from '../../services/dfget/test/support/doctor';
import { runDoctor } from '../../services/dfget/test/support/run-dfget';
import { freePort } from '../support/free-port';
import { CountedOrigin } from './counted-origin';
import { DaemonCommand } from './daemon-command';
import { Swarm } from './swarm';

const MIB = 1024 * 1024;
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

describe('dfget doctor', () => {
  let swarm: Swarm;
  let registry: string;
  const started: DaemonCommand[] = [];
  const answering = new Answering();

  beforeAll(async () => {
    swarm = await Swarm.start();
    registry = `127.0.0.1:${swarm.origin.port}`;
    swarm.origin.addAt('/v2/', Buffer.from('{}'));
  });
  afterEach(async () => {
    swarm.origin.fault = () => false;
    await Promise.all(started.splice(0).map((daemon) => daemon.stop()));
    answering.close();
  });
  afterAll(() => swarm.stop());

  async function daemon(...flags: string[]): Promise<DaemonCommand> {
    const supernode = flags.includes('--node') ? [] : ['--node', `127.0.0.1:${swarm.supernodePort}`];
    const own = flags.includes('--registry') ? [] : ['--registry', `http://${registry}`];
    const one = await DaemonCommand.start(swarm.home, ...own, ...supernode, ...flags);
    started.push(one);
    return one;
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
    const { code, out, err } = await runDoctor([...flags, '--image', name]);
    expect([code, err, out]).toEqual([0, '', expect.not.stringContaining('FAIL')]);
    expect(out).toMatch(
      new RegExp(
        [
          `^ok    df-daemon: it is ready, says ${own.readyz}`,
          `ok    mirror: dfdaemon .* answers at ${own.mirror}`,
          `ok    supernode: 127.0.0.1:${swarm.supernodePort} answers the df-daemon`,
          `ok    registry: ${registry} \\(http://${registry}\\) answers the df-daemon`,
          `ok    test blob: a layer of 3 MiB came in .* s: .*MiB from peers.*`,
          `ok    runtime: podman.* is pointed at ${own.mirror} by /etc/containers/registries.conf.d/99-dragonfly-docker.io.conf`,
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
    const one = await daemon('--registry', await answering.start(() => [status, '']));
    const [code, found] = await findings(one, 'registry');
    expect([code, found]).toEqual([state === 'fail' ? 1 : 0, [{ state, says: like(says) }]]);
  });

  it('tells of a registry that is not there, and of credentials that it does not take', async () => {
    const [, gone, advice] = await findings(await daemon('--registry', 'http://127.0.0.1:1'), 'registry');
    expect(gone).toEqual([{ state: 'fail', says: like(/does not answer the df-daemon: .*127.0.0.1:1.*refused/) }]);
    expect(advice).toContain('see whether the registry runs');
    const strict = await answering.start(() => [401, '']);
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
    const unserved = await test('ghcr.io/x/y:1');
    expect(unserved).toMatch(/serves no registry ghcr.io; give --image of one of .*127.0.0.1/);
    expect(unserved).not.toContain(':443');
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
});
