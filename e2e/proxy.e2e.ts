import { writeFileSync } from 'node:fs';

import { makeAuthority } from '../services/dfdaemon/test/support/authority';
import { selfSigned } from '../services/origin/test/certificate';
import type { Daemon } from './world/daemon';
import { Dockerd } from './world/dockerd';
import { blobsOf, createImage, targetOf, type Image } from './world/image';
import type { Host } from './world/host';
import { OWN_IP } from './world/network';
import { Registry } from './world/registry';
import { startDfDaemon, startSupernode } from './world/swarm';
import { TokenServer, USER } from './world/token-server';
import { World } from './world/world';

const MiB = 1024 * 1024;
const LAYERS = [MiB, 12 * MiB];
const PULL_LIMIT_MS = 60_000;
const TEST_LIMIT_MS = 120_000;
const PROXY = 'http://127.0.0.1:65001';

/** dockerds whose proxy is the df-daemon of their node, before private registries that speak https. */
describe('dockerd with the df-daemon as its proxy', () => {
  let world: World;
  /** Its TLS is ended at the df-daemons. */
  let registry: Registry;
  /** Its is not. */
  let other: Registry;
  let supernode: Daemon;
  let daemons: readonly Daemon[];
  let dockerds: readonly Dockerd[];

  beforeAll(async () => {
    world = await World.create();
    await world.explain(async () => {
      const tokens = world.keep('the token server', await TokenServer.start(OWN_IP));
      const [registryHost, otherHost] = [await world.host('registry'), await world.host('other')];
      const [certificate, otherCertificate] = [selfSigned([registryHost.ip]), selfSigned([otherHost.ip])];
      registry = await Registry.start(registryHost, tokens.trust, undefined, certificate);
      other = await Registry.start(otherHost, tokens.trust, undefined, otherCertificate);
      const authority = makeAuthority('ec');
      const supernodeHost = await world.host('supernode');
      writeFileSync(supernodeHost.path('registry.pem'), certificate.cert);
      const trusted = `${registry.address}=${supernodeHost.path('registry.pem')}`;
      supernode = await startSupernode(supernodeHost, registry, ['--origin-ca', trusted]);
      const nodes = [await world.host('node1'), await world.host('node2')] as const;
      daemons = await Promise.all(
        nodes.map((node) => startDfDaemon(node, registry, supernodeHost, configOf(node, authority, certificate.cert))),
      );
      dockerds = await Promise.all(
        nodes.map((node) => {
          const bundle = node.path('trusted.pem');
          // The registry's own certificate is not among them: dockerd never sees it.
          writeFileSync(bundle, authority.cert + otherCertificate.cert);
          return Dockerd.start(node, '{}', { env: { HTTP_PROXY: PROXY, HTTPS_PROXY: PROXY, SSL_CERT_FILE: bundle } });
        }),
      );
    });
  }, TEST_LIMIT_MS);

  afterAll(async () => {
    await world.stop();
  }, TEST_LIMIT_MS);

  /** The dfdaemon.yml of an original, as a flag. */
  function configOf(node: Host, authority: { readonly cert: string; readonly key: string }, ca: string): string[] {
    const file = (name: string, text: string): string => {
      writeFileSync(node.path(name), text);
      return node.path(name);
    };
    const host = registry.address.replaceAll('.', '\\.');
    const config = {
      proxies: [{ regx: 'blobs/sha256.*' }],
      hijack_https: {
        cert: file('ca.pem', authority.cert),
        key: file('ca-key.pem', authority.key),
        hosts: [{ regx: `^${host}$`, certs: [file('registry.pem', ca)] }],
      },
    };
    return ['--config', file('dfdaemon.yml', JSON.stringify(config))];
  }

  async function imageAt(at: Registry, repository: string): Promise<Image> {
    const image = createImage(world.newFolder(repository.replace('/', '-')), repository, LAYERS, { others: ['s390x'] });
    await at.push(image, USER);
    return image;
  }

  async function pullEverywhere(image: Image, { address }: Registry): Promise<void> {
    const pulled = await Promise.all(dockerds.map((dockerd) => dockerd.pull(image, PULL_LIMIT_MS, USER, address)));
    const expected = { id: image.config.digest, digest: targetOf(image).digest, diffIds: image.diffIds };
    expect(pulled).toEqual([expected, expected]);
  }

  const scenario = (name: string, part: () => Promise<void>): void => {
    test(name, () => world.explain(part), TEST_LIMIT_MS);
  };

  scenario('pulls a private image of a registry with TLS through the swarm; exactly one copy leaves', async () => {
    const image = await imageAt(registry, 'team/private');
    await pullEverywhere(image, registry);
    const sent = registry.deliveries(image).map(({ digest, bytes }) => ({ digest, bytes }));
    expect(sent).toEqual(blobsOf(image).map(({ digest, size }) => ({ digest, bytes: size })));
    const large = image.layers[1]?.digest ?? '';
    expect(supernode.log()).toContain(large);
    for (const daemon of daemons) expect(daemon.log()).toMatch(new RegExp(`"digest":"${large}".*"from":"swarm"`));
  });

  scenario('gets nothing without credentials, though it is on the node', async () => {
    const image = await imageAt(registry, 'team/secret');
    await dockerds[0]?.pull(image, PULL_LIMIT_MS, USER, registry.address);
    await expect(dockerds[1]?.pull(image, PULL_LIMIT_MS, undefined, registry.address)).rejects.toThrow('team/secret');
  });

  scenario('pulls from a registry whose TLS is not ended through a tunnel, past the swarm', async () => {
    const image = await imageAt(other, 'team/tunnelled');
    await pullEverywhere(image, other);
    for (const { digest } of blobsOf(image)) {
      for (const daemon of [supernode, ...daemons]) expect(daemon.log()).not.toContain(digest);
    }
    for (const daemon of daemons) expect(daemon.log()).toContain(`"target":"${other.address}"`);
  });
});
