import { nodeMirror } from './node-mirror/command';
import { Containerd } from './world/containerd';
import type { Daemon } from './world/daemon';
import { Dockerd } from './world/dockerd';
import { eventually } from './world/eventually';
import type { Host } from './world/host';
import { Hub } from './world/hub';
import { blobsOf, createImage, type Image } from './world/image';
import { inWorld } from './world/in-world';
import { OWN_IP } from './world/network';
import { Podman } from './world/podman';
import { Registry } from './world/registry';
import { MIRROR, startDfDaemon, startSupernode } from './world/swarm';
import type { World } from './world/world';

const MiB = 1024 * 1024;
const LAYERS = [MiB, 5 * MiB, 5 * MiB];
/** So that a pull lasts for longer than it takes to break something. */
const REGISTRY_MEGABITS = 40;
/** A fault comes when so many bytes have left the registry. */
const MIDDLE = 3 * MiB;
const PULL_LIMIT_MS = 120_000;
const TEST_LIMIT_MS = 240_000;

/** dockerd, containerd and podman, each pointed at the df-daemon of its node by node-mirror; docker.io is there for them too. */
describe('no pull fails', () => {
  let world: World;
  let registry: Registry;
  let registryHost: Host;
  let supernode: Daemon;
  let supernodeHost: Host;
  let nodes: readonly [Host, Host, Host];
  let daemons: readonly Daemon[];
  let dockerd: Dockerd;
  let containerd: Containerd;
  let podman: Podman;

  const startDaemons = (): Promise<readonly Daemon[]> =>
    Promise.all(nodes.map((node) => startDfDaemon(node, registry, supernodeHost)));

  const scenario = inWorld(TEST_LIMIT_MS, async (made) => {
    world = made;
    registryHost = await world.host('registry');
    registry = await Registry.start(registryHost);
    const authority = `${world.newFolder('hub')}/ca.pem`;
    world.keep('docker.io', await Hub.start(OWN_IP, registry.address, authority));
    // The engines' own list of authorities.
    const env = { SSL_CERT_FILE: authority };
    supernodeHost = await world.host('supernode');
    supernode = await startSupernode(supernodeHost, registry);
    nodes = [await world.host('node1'), await world.host('node2'), await world.host('node3')];
    daemons = await startDaemons();
    dockerd = await Dockerd.start(nodes[0], '{}', { env });
    containerd = await Containerd.start(nodes[1], { env });
    podman = new Podman(nodes[2], undefined, env);
    const flags = [
      [
        ...['docker', '--docker-config', dockerd.configFile],
        ...['--docker-socket', dockerd.socket, '--docker-pid-file', dockerd.pidFile],
      ],
      ['containerd', '--containerd-config', nodes[1].path('containerd.toml')],
      ['podman'],
    ];
    await Promise.all(
      nodes.map(async (host, index) => {
        const runtime = { host, flags: ['--runtime', ...(flags[index] ?? [])] };
        // podman's folder is the same for all worlds.
        const restore = async (): Promise<void> => {
          await nodeMirror(runtime, 'restore');
        };
        world.keep(`the mirror of ${host.name}`, { stop: restore });
        await nodeMirror(runtime, 'apply', '--mirror', `http://${MIRROR}`);
      }),
    );
    await world.network.limitUplink('registry', REGISTRY_MEGABITS);
  });

  async function imageAt(name: string): Promise<Image> {
    const image = createImage(world.newFolder(name), name, LAYERS);
    await registry.push(image);
    return image;
  }

  /** All three at once, a fault in the middle. What they have is what was pushed. */
  async function pullThrough(
    image: Image,
    fault: () => Promise<unknown> | boolean,
    podmanPull = pullByPodman,
  ): Promise<void> {
    const before = world.network.bytesSentBy('registry');
    let ended = 0;
    const pulls = Promise.all(
      [dockerd.pull(image, PULL_LIMIT_MS), containerd.pull(image, PULL_LIMIT_MS), podmanPull(image)].map((pull) =>
        pull.finally(() => (ended += 1)),
      ),
    );
    pulls.catch(() => undefined);
    await eventually('a part of the image to leave', { limitMs: 30_000 }, () =>
      world.network.bytesSentBy('registry') - before > MIDDLE ? true : undefined,
    );
    expect(ended).toBe(0);
    await fault();
    const id = image.config.digest;
    const { digest } = image.manifest;
    expect(await pulls).toEqual([
      { id, digest, diffIds: image.diffIds },
      { id, digest },
      { id, digests: [digest] },
    ]);
    expect(await containerd.storedDigests(image)).toEqual(blobsOf(image).map((blob) => blob.digest));
  }

  const pullByPodman = (image: Image): Promise<unknown> => podman.pull(image, PULL_LIMIT_MS);

  scenario('while the supernode is killed, stays away and comes back', async () => {
    await pullThrough(await imageAt('killed'), () => supernode.kill());
    await pullThrough(await imageAt('away'), async () => {
      supernode = await startSupernode(supernodeHost, registry);
    });
  });

  scenario('while the supernode hangs, and goes on', async () => {
    await pullThrough(await imageAt('hanging'), () => process.kill(supernode.pid, 'SIGSTOP'));
    await pullThrough(await imageAt('hung'), () => process.kill(supernode.pid, 'SIGCONT'));
  });

  scenario('while the df-daemons are told to end, and start anew', async () => {
    await pullThrough(await imageAt('drained'), async () => {
      expect(await Promise.all(daemons.map((daemon) => daemon.stop(PULL_LIMIT_MS)))).toEqual([0, 0, 0]);
      daemons = await startDaemons();
    });
  });

  scenario('while the df-daemons are killed, and start anew; but podman has to pull again', async () => {
    const again = (image: Image): Promise<unknown> =>
      pullByPodman(image).catch(async (error: unknown) => {
        expect(String(error)).toContain('unexpected EOF');
        await eventually('the df-daemons', { limitMs: PULL_LIMIT_MS }, () => daemons.every(({ running }) => running));
        return pullByPodman(image);
      });
    await pullThrough(
      await imageAt('cut'),
      async () => {
        await Promise.all(daemons.map((daemon) => daemon.kill()));
        daemons = await startDaemons();
      },
      again,
    );
  });

  scenario('while the registry is away, of an image that the nodes have', async () => {
    const image = await imageAt('kept');
    const { id, digest } = { id: image.config.digest, digest: image.manifest.digest };
    const pull = (): Promise<unknown> =>
      Promise.all([dockerd.pull(image, PULL_LIMIT_MS), containerd.pull(image, PULL_LIMIT_MS), pullByPodman(image)]);
    await pull();
    await dockerd.docker(['image', 'rm', `${image.repository}:${image.tag}`]);
    await Promise.all([containerd.remove(image), podman.remove(image)]);
    await registry.stop();
    expect(await pull()).toEqual([
      { id, digest, diffIds: image.diffIds },
      { id, digest },
      { id, digests: [digest] },
    ]);
    registry = await Registry.start(registryHost);
  });
});
