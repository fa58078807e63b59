import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { Against } from '../bench/rig/against';
import { Containerd } from './world/containerd';
import { Dockerd } from './world/dockerd';
import { blobsOf, createImage, type Image } from './world/image';
import { inWorld } from './world/in-world';
import { Registry } from './world/registry';
import { pullWithSkopeo } from './world/skopeo';
import type { World } from './world/world';

const MiB = 1024 * 1024;
const PULL_LIMIT_MS = 60_000;

/** The measure against which the swarm is measured: what the log shows when each engine asks the registry itself. */
describe('without df-daemons', () => {
  let world: World;
  let registry: Registry;
  let image: Image;

  const scenario = inWorld(PULL_LIMIT_MS, async (made) => {
    world = made;
    registry = await Registry.start(await world.host('registry'));
    image = createImage(world.newFolder('image'), 'alone', [MiB, 3 * MiB]);
    await registry.push(image);
  });

  scenario('three engines fetch every blob from the registry, and its log shows three copies', async () => {
    const dockerd = await Dockerd.start(
      await world.host('node1'),
      JSON.stringify({ 'registry-mirrors': [registry.url] }),
    );
    const containerd = await Containerd.start(await world.host('node2'), { mirror: registry.url });
    const node3 = await world.host('node3');

    const [docker, cri, skopeo] = await Promise.all([
      dockerd.pull(image, PULL_LIMIT_MS),
      containerd.pull(image, PULL_LIMIT_MS),
      pullWithSkopeo(node3, registry.address, image, PULL_LIMIT_MS),
    ]);

    const blobs = blobsOf(image).map((blob) => blob.digest);
    expect(docker).toEqual({ id: image.config.digest, digest: image.manifest.digest, diffIds: image.diffIds });
    expect(cri).toEqual({ id: image.config.digest, digest: image.manifest.digest });
    expect(await containerd.storedDigests(image)).toEqual(blobs);
    expect(skopeo).toEqual({ digest: image.manifest.digest, blobs });
    expect(registry.deliveries(image)).toEqual(
      blobsOf(image).map((blob) => ({ digest: blob.digest, requests: 3, bytes: 3 * blob.size })),
    );
  });

  scenario(
    'the other system that stands as an example beside the swarm bench serves a node, and leaves nothing',
    async () => {
      const before = registry.requests().length;
      const [centre, node] = [await world.host('centre'), await world.host('node4')];
      const system = new Against(join(__dirname, '../bench/against/pull-through'));
      try {
        await system.startCentre(centre, registry);
        await system.startNode(node);
        expect(system.processes().map(({ role }) => role)).toEqual(['centre']);
        await pullWithSkopeo(node, new URL(system.mirrorUrl(node)).host, image, PULL_LIMIT_MS);
        const asked = registry.requests().slice(before);
        const blobs = asked.filter(({ method, path }) => method === 'GET' && path.includes('/blobs/'));
        expect(new Set(blobs.map(({ client }) => client))).toEqual(new Set([centre.ip]));
      } finally {
        await system.stop();
      }
      expect(system.processes()).toEqual([]);
      expect(readdirSync(centre.path(system.name))).toEqual([]);
    },
  );
});
