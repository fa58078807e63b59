import { Containerd } from './world/containerd';
import type { Daemon } from './world/daemon';
import { Dockerd } from './world/dockerd';
import { eventually } from './world/eventually';
import type { Host } from './world/host';
import { blobsOf, createImage, type Image } from './world/image';
import { inWorld } from './world/in-world';
import { Registry } from './world/registry';
import { pullWithSkopeo } from './world/skopeo';
import { MIRROR, nodeMirror, startDfDaemon, startSupernode } from './world/swarm';
import type { World } from './world/world';

const MiB = 1024 * 1024;
const LAYERS = [MiB, 8 * MiB, 24 * MiB];
/** What the registry can send, so that an image takes about 3 s and the pulls of all nodes overlap. */
const REGISTRY_MEGABITS = 100;
const PULL_LIMIT_MS = 60_000;
const TEST_LIMIT_MS = 90_000;

/** daemon.json before anybody touches it, in the operator's own style. */
const DAEMON_JSON = '{\n    "labels": ["zone=e2e"],   "max-concurrent-downloads": 3\n}\n\n';

describe('a layer travels to three nodes', () => {
  let world: World;
  let registry: Registry;
  let first: Image;
  let second: Image;
  let supernodeHost: Host;
  let supernode: Daemon;
  let dfDaemons: Daemon[];
  let node1: Host;
  let node3: Host;
  let dockerd: Dockerd;
  let containerd: Containerd;

  const scenario = inWorld(TEST_LIMIT_MS, async (made) => {
    world = made;
    registry = await Registry.start(await world.host('registry'));
    await world.network.limitUplink('registry', REGISTRY_MEGABITS);
    first = createImage(world.newFolder('first-image'), 'first', LAYERS);
    second = createImage(world.newFolder('second-image'), 'second', LAYERS);
    await registry.push(first);
    await registry.push(second);

    supernodeHost = await world.host('supernode');
    supernode = await startSupernode(supernodeHost, registry);
    node1 = await world.host('node1');
    const node2 = await world.host('node2');
    node3 = await world.host('node3');
    dfDaemons = await Promise.all([node1, node2, node3].map((node) => startDfDaemon(node, registry, supernodeHost)));

    dockerd = await Dockerd.start(node1, DAEMON_JSON);
    containerd = await Containerd.start(node2, { mirror: `http://${MIRROR}` });
  });

  async function expectPulledByDocker(image: Image): Promise<void> {
    const pulled = await dockerd.pull(image, PULL_LIMIT_MS);
    expect(pulled).toEqual({ id: image.config.digest, digest: image.manifest.digest, diffIds: image.diffIds });
  }

  async function expectPulledByContainerd(image: Image): Promise<void> {
    const pulled = await containerd.pull(image, PULL_LIMIT_MS);
    expect(pulled).toEqual({ id: image.config.digest, digest: image.manifest.digest });
    expect(await containerd.storedDigests(image)).toEqual(digestsOf(image));
  }

  async function expectPulledBySkopeo(image: Image): Promise<void> {
    const pulled = await pullWithSkopeo(node3, MIRROR, image, PULL_LIMIT_MS);
    expect(pulled).toEqual({ digest: image.manifest.digest, blobs: digestsOf(image) });
  }

  scenario('node-mirror points a running dockerd at its df-daemon', async () => {
    const { pid } = dockerd;
    expect(await dockerd.mirrors()).toEqual([]);

    await nodeMirror(node1, 'apply', dockerd);

    expect(await dockerd.mirrors()).toEqual([`http://${MIRROR}/`]);
    expect(JSON.parse(dockerd.configText())).toEqual({
      labels: ['zone=e2e'],
      'max-concurrent-downloads': 3,
      'registry-mirrors': [`http://${MIRROR}`],
    });
    expect(dockerd.pid).toBe(pid);
    await nodeMirror(node1, 'check', dockerd);
  });

  scenario('docker and containerd pull at once, and the registry sends each blob once', async () => {
    await Promise.all([expectPulledByDocker(first), expectPulledByContainerd(first)]);

    expect(registry.deliveries(first)).toEqual(
      blobsOf(first).map((blob) => ({ digest: blob.digest, requests: 1, bytes: blob.size })),
    );
  });

  scenario('after the supernode is killed the third node still pulls', async () => {
    expect(await supernode.kill()).toBe('SIGKILL');

    await expectPulledBySkopeo(first);
  });

  scenario('a supernode that is killed in the middle of the pulls of all three nodes fails none of them', async () => {
    supernode = await startSupernode(supernodeHost, registry);
    const before = world.network.bytesSentBy('registry');
    const size = blobsOf(second).reduce((total, blob) => total + blob.size, 0);

    const pulls = Promise.all([
      expectPulledByDocker(second),
      expectPulledByContainerd(second),
      expectPulledBySkopeo(second),
    ]);
    let reason: string | undefined;
    const end = (): void => {
      reason = 'the pulls have ended';
    };
    pulls.then(end, end);
    const third = eventually(
      'a third of the image to leave the registry',
      { limitMs: PULL_LIMIT_MS, hopeless: () => reason },
      () => (world.network.bytesSentBy('registry') - before > size / 3 ? true : undefined),
    );

    const killed = third.then(() => supernode.kill());

    await pulls;
    expect(await killed).toBe('SIGKILL');
  });

  scenario('node-mirror gives daemon.json its first bytes back, and dockerd forgets the mirror', async () => {
    const { pid } = dockerd;

    await nodeMirror(node1, 'restore', dockerd);

    expect(dockerd.configText()).toBe(DAEMON_JSON);
    expect(await dockerd.mirrors()).toEqual([]);
    expect(dockerd.pid).toBe(pid);
  });

  scenario('df-daemons end orderly on SIGTERM', async () => {
    expect(await Promise.all(dfDaemons.map((daemon) => daemon.stop()))).toEqual([0, 0, 0]);
  });
});

function digestsOf(image: Image): string[] {
  return blobsOf(image).map((blob) => blob.digest);
}
