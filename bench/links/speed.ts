import { createImage } from '../../e2e/world/image';
import { atMost } from '../rig/bars';
import type { Bar } from '../rig/bars';
import { Cluster, evenLayers, firstByteOf, timeAt } from '../rig/cluster';
import type { Herd } from '../rig/cluster';
import { Direct, Swarm } from '../rig/system';

/** All links, in megabits a second. */
const MEGABITS = 100;

/** Pulls over limited links, beside direct pulls in the same run. */
export async function speed(): Promise<Bar[]> {
  const cluster = await Cluster.create(2, { node: MEGABITS, centre: MEGABITS, registry: MEGABITS });
  try {
    const image = createImage(cluster.world.newFolder('image'), 'three', evenLayers(96, 3));
    const layer = createImage(cluster.world.newFolder('layer'), 'one', evenLayers(32, 1));
    const before = createImage(cluster.world.newFolder('before'), 'before', evenLayers(24, 3));
    for (const pushed of [image, layer, before]) await cluster.registry.push(pushed);
    const direct = checked(await cluster.herd(new Direct(), 1, image));
    const one = checked(await cluster.herd(new Swarm(), 1, image, before));
    const directTwo = checked(await cluster.herd(new Direct(), 2, image));
    const two = checked(await cluster.herd(new Swarm(), 2, image, before));
    const directLayer = checked(await cluster.herd(new Direct(), 1, layer));
    const oneLayer = checked(await cluster.herd(new Swarm(), 1, layer, before));
    const late = firstByteOf(oneLayer) - firstByteOf(directLayer);
    return [
      atMost('one node, 96 MiB in 3 layers, as a multiple of direct', timeAt(one, 1) / timeAt(direct, 1), 1.05),
      atMost(
        'two nodes at once, as a multiple of two direct pulls at once',
        timeAt(two, 1) / timeAt(directTwo, 1),
        0.6,
      ),
      atMost('first byte of a layer of 32 MiB, later than direct by', late, 150, ' ms'),
      atMost('copies that left the registry', Math.max(one.copies, two.copies), 1.02),
    ];
  } finally {
    await cluster.stop();
  }
}

function checked(herd: Herd): Herd {
  if (herd.failures.length > 0) throw new Error(`a pull failed (${herd.system}): ${herd.failures.join('; ')}`);
  return herd;
}
