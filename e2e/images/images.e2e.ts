import { existsSync } from 'node:fs';
import { Dockerd } from '../world/dockerd';
import { eventually } from '../world/eventually';
import type { Host } from '../world/host';
import { blobsOf, createImage } from '../world/image';
import { inWorld } from '../world/in-world';
import { Registry } from '../world/registry';
import { run } from '../world/run';
import { MIRROR, OPS_PORT } from '../world/swarm';
import type { World } from '../world/world';
import { REVISION, TARGETS, VERSION, buildImages, nameOf, type Target } from './our-images';

const MiB = 1024 * 1024;
const TEST_LIMIT_MS = 180_000;
/** What an image may take beyond its base. */
const OWN_LIMIT = 8 * MiB;
/** As the DaemonSet and the Deployment have them where the storage needs no root. */
const UNPRIVILEGED = ['--user=65532:65532', '--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges'];

interface ImageFacts {
  readonly Size: number;
  readonly Config: {
    readonly Labels: Readonly<Record<string, string>>;
    readonly Entrypoint: readonly string[];
    readonly Healthcheck: { readonly Test: readonly string[] };
  };
}

/** services/Dockerfile, built by a real engine and run by it. */
describe('the images', () => {
  let world: World;
  let node: Host;
  let registry: Registry;
  let dockerd: Dockerd;
  let baseSize: number;
  let volumes = 0;

  const scenario = inWorld(TEST_LIMIT_MS, async (made) => {
    world = made;
    registry = await Registry.start(await world.host('registry'));
    node = await world.host('node1');
    const config = JSON.stringify({ 'registry-mirrors': [`http://${MIRROR}`] });
    dockerd = await Dockerd.start(node, config, { storageDriver: 'overlay2' });
    world.keep('the containers', { stop: removeContainers });
    baseSize = await buildImages(dockerd);
  });

  const removeContainers = async (): Promise<void> => {
    const left = (await dockerd.docker(['ps', '--all', '--quiet'])).split('\n').filter((id) => id !== '');
    if (left.length > 0) await dockerd.docker(['rm', '--force', ...left]);
    // The network of the host, as containers have it: dockerd leaves it mounted.
    const network = node.path('docker-exec', 'netns', 'default');
    if (existsSync(network)) await run(['umount', network]);
  };

  const factsOf = async (target: Target): Promise<ImageFacts> => {
    const [facts] = JSON.parse(await dockerd.docker(['image', 'inspect', nameOf(target)])) as [ImageFacts];
    return facts;
  };

  /** Starts a daemon's image in the network of the node, with a volume that its user owns. */
  const start = async (target: Target, home: string, ...args: readonly string[]): Promise<string> => {
    const volume = world.newFolder(`volume-${(volumes += 1)}`);
    await node.run(['chown', '65532:65532', volume]);
    const how = ['--detach', '--network=host', ...UNPRIVILEGED, '--volume', `${volume}:${home}`];
    return (await dockerd.docker(['run', ...how, nameOf(target), ...args])).trim();
  };

  const health = (id: string, status: string): Promise<true> =>
    eventually(`${id} to be ${status}`, { limitMs: 60_000 }, async () => {
      const format = '{{.State.Status}} {{.State.Health.Status}}';
      return (await dockerd.docker(['inspect', '--format', format, id])).trim() === `running ${status}`
        ? true
        : undefined;
    });

  const inside = (target: Target, program: string, ...args: readonly string[]): Promise<string> => {
    const how = ['--rm', '--network=none', '--entrypoint', program];
    return dockerd.docker(['run', ...how, nameOf(target), ...args], TEST_LIMIT_MS);
  };

  scenario('add little to their base, name what they are, and hold no npm', async () => {
    for (const target of TARGETS) {
      const { Size, Config } = await factsOf(target);
      process.stdout.write(`${target}: ${mb(Size)}, of it the base ${mb(baseSize)} and ours ${mb(Size - baseSize)}\n`);
      expect(Size - baseSize).toBeLessThan(OWN_LIMIT);
      expect(Config.Entrypoint).toEqual([target]);
      expect(Config.Labels).toMatchObject({
        'org.opencontainers.image.title': target,
        'org.opencontainers.image.version': VERSION,
        'org.opencontainers.image.revision': REVISION,
        'org.opencontainers.image.licenses': 'Apache-2.0',
      });
      expect(await inside(target, target, '--version')).toContain(VERSION);
      await expect(inside(target, 'sh', '-c', 'command -v npm || command -v npx || command -v yarn')).rejects.toThrow();
    }
    expect(await inside('dfdaemon', 'dfget', '--version')).toContain(VERSION);
    expect((await factsOf('node-mirror')).Config.Healthcheck.Test).toEqual(['NONE']);
  });

  scenario(
    'of the daemons run as nobody, become healthy, and dockerd pulls through them: one copy leaves',
    async () => {
      const supernode = await start(
        'supernode',
        '/home/admin/supernode',
        ...['--advertise-ip', node.ip, '--allow-origin', registry.address],
      );
      const home = '/var/lib/dragonfly';
      const dfdaemon = await start(
        'dfdaemon',
        home,
        ...['--registry', registry.url, '--node', node.ip, '--data-dir', home],
      );
      await health(supernode, 'healthy');
      await health(dfdaemon, 'healthy');

      const image = createImage(world.newFolder('image'), 'through-images', [MiB, 8 * MiB]);
      await registry.push(image);
      const pulled = await dockerd.pull(image, TEST_LIMIT_MS);
      expect(pulled).toEqual({ id: image.config.digest, digest: image.manifest.digest, diffIds: image.diffIds });
      expect(registry.deliveries(image)).toEqual(
        blobsOf(image).map(({ digest, size }) => ({ digest, requests: 1, bytes: size })),
      );
      const metrics = await (await fetch(`http://${node.ip}:${OPS_PORT}/metrics`)).text();
      const { size } = blobsOf(image).at(-1) ?? { size: NaN };
      const [, fromSupernode] = /^dragonfly_dfdaemon_bytes_total\{[^}]*"supernode"[^}]*\} (\d+)$/m.exec(metrics) ?? [];
      expect(Number(fromSupernode)).toBeGreaterThanOrEqual(size);

      // Stopped whole, each is unhealthy: its port still takes connections, and nobody answers.
      for (const id of [supernode, dfdaemon]) {
        const pid = Number(await dockerd.docker(['inspect', '--format', '{{.State.Pid}}', id]));
        process.kill(pid, 'SIGSTOP');
        await health(id, 'unhealthy');
        process.kill(pid, 'SIGKILL');
      }
    },
  );

  scenario('end orderly when they are told to', async () => {
    const home = '/var/lib/dragonfly';
    const id = await start('dfdaemon', home, '--registry', registry.url, '--data-dir', home);
    await health(id, 'healthy');
    await dockerd.docker(['stop', '--time=20', id]);
    expect((await dockerd.docker(['inspect', '--format', '{{.State.ExitCode}}', id])).trim()).toBe('0');
  });
});

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
