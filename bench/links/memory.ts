import { setTimeout as delay } from 'node:timers/promises';

import { createLargeImage } from '../rig/large-image';
import { atMost } from '../rig/bars';
import type { Bar } from '../rig/bars';
import { Cluster } from '../rig/cluster';
import { Swarm } from '../rig/system';
import { memory } from '../rig/usage';

const GIB = 1024;

/** How long a daemon does nothing before its idle memory is read, in milliseconds. */
const IDLE = 5000;

/** The memory of a daemon: idle, and while it pulls four layers of 1 GiB at once. */
export async function memoryOfDaemon(): Promise<Bar[]> {
  const cluster = await Cluster.create(1, { node: undefined, centre: undefined, registry: undefined });
  try {
    const image = createLargeImage(cluster.world.newFolder('image'), 'large', 4, GIB);
    await cluster.registry.push(image);
    const swarm = new Swarm();
    return await cluster.with(swarm, 1, async () => {
      const pid = swarm.processes().find(({ role }) => role === 'node')?.pid ?? 0;
      await delay(IDLE);
      const idle = memory(pid).now;
      const puller = cluster.puller(0);
      const pulls = image.layers.map((layer) =>
        puller.blob({ ...layer, base: swarm.mirrorUrl(), path: `/v2/${image.repository}/blobs/${layer.digest}` }),
      );
      await Promise.all(pulls);
      return [
        atMost('RSS of an idle daemon', idle, 96, ' MiB'),
        atMost('RSS of a daemon that pulled four layers of 1 GiB at once, at its peak', memory(pid).peak, 176, ' MiB'),
      ];
    });
  } finally {
    await cluster.stop();
  }
}
