import type { Digest } from '@cdk8s-dragonfly/protocol';
import { FalsePeer } from '../test/swarm/false-peer';
import { Containerd } from './world/containerd';
import { Dockerd } from './world/dockerd';
import type { Host } from './world/host';
import { blobsOf, createImage, targetOf, type Descriptor, type Image } from './world/image';
import { inWorld } from './world/in-world';
import { OWN_IP } from './world/network';
import { Podman } from './world/podman';
import { Registry } from './world/registry';
import { RegistryFront, type FrontFault } from './world/registry-front';
import { MIRROR, SUPERNODE_PORT, startDfDaemon, startSupernode } from './world/swarm';
import { TokenServer, USER, type User } from './world/token-server';
import type { World } from './world/world';

const MiB = 1024 * 1024;
const LAYERS = [MiB, 12 * MiB];
const PULL_LIMIT_MS = 60_000;
const TEST_LIMIT_MS = 90_000;
const PIECE_PORT = 8001;

/** dockerd, containerd and podman, each on its node, before a registry with token authentication. */
describe('every runtime', () => {
  let world: World;
  let registry: Registry;
  let front: RegistryFront;
  let supernodeHost: Host;
  let tokens: TokenServer;
  let dockerd: Dockerd;
  let containerd: Containerd;
  let podman: Podman;

  const scenario = inWorld(TEST_LIMIT_MS, async (made) => {
    world = made;
    tokens = world.keep('the token server', await TokenServer.start(OWN_IP));
    registry = await Registry.start(await world.host('registry'), tokens.trust);
    front = world.keep('the front', await RegistryFront.start(OWN_IP, registry.address));
    supernodeHost = await world.host('supernode');
    const times = ['--origin-first-byte-timeout', '15s', '--origin-stall-timeout', '2s'];
    await startSupernode(supernodeHost, front, times);
    const nodes = [await world.host('node1'), await world.host('node2'), await world.host('node3')] as const;
    await Promise.all(nodes.map((node) => startDfDaemon(node, front, supernodeHost, times)));
    dockerd = await Dockerd.start(nodes[0], JSON.stringify({ 'registry-mirrors': [`http://${MIRROR}`] }));
    containerd = await Containerd.start(nodes[1], { mirror: `http://${MIRROR}` });
    podman = new Podman(nodes[2], MIRROR);
  });

  async function imageAt(repository: string): Promise<Image> {
    const image = createImage(world.newFolder(repository.replace('/', '-')), repository, LAYERS, { others: ['s390x'] });
    await registry.push(image, USER);
    return image;
  }

  /** All three at once. What they have is what was pushed, for this machine's platform. */
  async function pullEverywhere(image: Image, user?: User): Promise<void> {
    const pulled = await Promise.all([
      dockerd.pull(image, PULL_LIMIT_MS, user),
      containerd.pull(image, PULL_LIMIT_MS, user),
      podman.pull(image, PULL_LIMIT_MS, user),
    ]);
    const { digest } = targetOf(image);
    const id = image.config.digest;
    expect(pulled).toEqual([
      { id, digest, diffIds: image.diffIds },
      { id, digest },
      { id, digests: [digest, image.manifest.digest].sort() },
    ]);
    expect(await containerd.storedDigests(image)).toEqual(blobsOf(image).map((blob) => blob.digest));
  }

  const onceEach = (image: Image): object[] => blobsOf(image).map(({ digest, size }) => ({ digest, bytes: size }));

  scenario('pulls an image for several platforms that all may have; exactly one copy leaves', async () => {
    const image = await imageAt('public');
    await pullEverywhere(image);
    expect(front.deliveries(image)).toEqual(onceEach(image));
  });

  scenario('pulls a private one with credentials; exactly one copy leaves', async () => {
    const image = await imageAt('team/private');
    await pullEverywhere(image, USER);
    expect(front.deliveries(image)).toEqual(onceEach(image));
  });

  scenario('gets no private image without credentials, though it is on the nodes', async () => {
    const image = await imageAt('team/secret');
    await containerd.pull(image, PULL_LIMIT_MS, USER);
    const strangers = [dockerd.pull(image, PULL_LIMIT_MS), podman.pull(image, PULL_LIMIT_MS)];
    for (const stranger of strangers) await expect(stranger).rejects.toThrow(image.repository);
  });

  test.each<[string, FrontFault]>([
    ['that is answered by 404 once', 404],
    ['that is answered by 500 once', 500],
    ['whose origin stalls in the middle once', 'stall'],
  ])(
    'pulls an image with a layer %s',
    async (_what, fault) => {
      await world.explain(async () => {
        const image = await imageAt(`faulty-${fault}`);
        const [, large] = image.layers;
        let faults = 0;
        front.fault = (digest) => {
          if (digest !== large?.digest || faults > 0) return undefined;
          faults += 1;
          return fault;
        };
        await pullEverywhere(image);
        expect(faults).toBe(1);
      });
    },
    TEST_LIMIT_MS,
  );

  scenario('pulls an image in whose swarm a peer sends other bytes, and one copy leaves all the same', async () => {
    const image = await imageAt('poisoned');
    const large = image.layers.at(-1) as Descriptor;
    const blob = large.digest as Digest;
    const url = new URL(`/v2/${image.repository}/blobs/${blob}`, front.url);
    const scope = `repository:${image.repository}:pull`;
    const { realm, service } = tokens.trust;
    const answer = await fetch(`${realm}?${new URLSearchParams({ service, scope }).toString()}`);
    const { token } = (await answer.json()) as { token: string };
    let lies = 0;
    const peer = world.keep(
      'the false peer',
      await FalsePeer.join(
        SUPERNODE_PORT,
        { blob, url, blocks: Math.ceil(large.size / MiB) + 4 },
        (index, _request, response) => {
          const block = `http://${supernodeHost.ip}:${PIECE_PORT}/native/v3/blobs/${blob}/blocks/${index}`;
          fetch(block).then(
            async (answer) => {
              // The true attestation, so that nothing but the bytes can tell.
              const bytes = Buffer.from(await answer.arrayBuffer());
              bytes[0] = (bytes[0] ?? 0) ^ 1;
              lies += 1;
              response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(bytes);
            },
            () => response.destroy(),
          );
        },
        undefined,
        { own: OWN_IP, supernode: supernodeHost.ip },
        [['Authorization', `Bearer ${token}`]],
      ),
    );
    await pullEverywhere(image);
    expect(front.deliveries(image)).toEqual(onceEach(image));
    expect(peer.asked.length).toBeGreaterThan(0);
    expect(lies).toBeGreaterThan(0);
  });
});
