import { App, Chart } from 'cdk8s';
import { Dragonfly } from '../src';
import { podOf, type Probe } from '../test/support/pod';
import type { Manifest } from '../test/support/synth';
import { Dockerd } from './world/dockerd';
import { eventually } from './world/eventually';
import { blobsOf, createImage } from './world/image';
import { Kubelet } from './world/kubelet';
import { Registry } from './world/registry';
import { MIRROR, OPS_PORT, startDfDaemon, startSupernode } from './world/swarm';
import { World } from './world/world';

const MiB = 1024 * 1024;
/** So that the pull lasts for longer than from one probe to the next. */
const REGISTRY_MEGABITS = 12;
/** What a pull may stand still for. dockerd itself waits for ever for a mirror that hangs. */
const FREE_WITHIN_MS = 30_000;
const TEST_LIMIT_MS = 150_000;

/** The liveness probe of the df-daemon, as the manifests have it. */
function livenessProbe(): Probe {
  const chart = new Chart(new App({ outdir: '/nonexistent' }), 'dragonfly');
  new Dragonfly(chart, 'dragonfly', { supernodeImage: 'example/supernode:1', daemonImage: 'example/dfdaemon:1' });
  const { livenessProbe: probe } = podOf(chart.toJson() as Manifest[], 'DaemonSet').containers[0];
  if (probe === undefined) throw new Error('The df-daemon has no liveness probe.');
  return probe;
}

test(
  'a df-daemon that is stopped in the middle of a pull frees dockerd within 30 s, and the pull ends well',
  async () => {
    const world = await World.create();
    try {
      await world.explain(async () => {
        const registry = await Registry.start(await world.host('registry'));
        const image = createImage(world.newFolder('image'), 'hanging', [MiB, 24 * MiB]);
        await registry.push(image);
        await world.network.limitUplink('registry', REGISTRY_MEGABITS);
        const supernode = await world.host('supernode');
        await startSupernode(supernode, registry);
        const node = await world.host('node1');
        const start = () => startDfDaemon(node, registry, supernode);
        const probe = livenessProbe();
        const url = `http://${node.ip}:${OPS_PORT}${probe.httpGet.path}`;
        const kubelet = world.keep('the kubelet', Kubelet.watch(probe, url, await start(), start));
        const dockerd = await Dockerd.start(node, JSON.stringify({ 'registry-mirrors': [`http://${MIRROR}`] }));

        const size = blobsOf(image).reduce((sum, blob) => sum + blob.size, 0);
        const before = world.network.bytesSentBy('registry');
        let whole: number | undefined;
        const pull = dockerd.pull(image, TEST_LIMIT_MS).finally(() => (whole = performance.now()));
        pull.catch(() => undefined);
        await eventually('a tenth of the image to leave', { limitMs: 20_000 }, () =>
          world.network.bytesSentBy('registry') - before > size / 10 ? true : undefined,
        );
        // Just after an answer: so it is found out as late as can be.
        await kubelet.nextAnswer();
        const { pid } = kubelet.container;
        const stopped = performance.now();
        process.kill(pid, 'SIGSTOP');

        const [killing] = await eventually('the kubelet to kill it', { limitMs: 2 * FREE_WITHIN_MS }, () =>
          kubelet.killings.length > 0 ? kubelet.killings : undefined,
        );
        const free = performance.now() - stopped;
        expect(whole).toBeUndefined();
        expect(free).toBeLessThan(FREE_WITHIN_MS);
        expect(await pull).toEqual({ id: image.config.digest, digest: image.manifest.digest, diffIds: image.diffIds });
        expect(kubelet.killings).toHaveLength(1);
        expect(kubelet.container.pid).not.toBe(pid);
        expect(registry.deliveries(image).map(({ bytes }) => bytes)).toEqual(blobsOf(image).map((blob) => blob.size));
        process.stdout.write(
          `stopped whole; told to end ${seconds(killing?.told)} after its last answer, killed after ${seconds(killing?.ended)}; ` +
            `dockerd free ${seconds(free)} after the stop, its pull whole after ${seconds((whole ?? NaN) - stopped)}\n`,
        );
      });
    } finally {
      await world.stop();
    }
  },
  TEST_LIMIT_MS + 30_000,
);

function seconds(milliseconds = NaN): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
