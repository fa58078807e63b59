import { randomBytes } from 'node:crypto';

import { Swarm, readAll } from './swarm';

const MIB = 1024 * 1024;

describe('one copy leaves the origin', () => {
  let swarm: Swarm;
  afterEach(() => swarm.stop());

  it.each([
    [1, 1],
    [4, 1],
    [16, 1],
    [4, 2],
    [4, 3],
  ])('for %d nodes and %d supernodes, byte for byte, while it is slow', async (count, replicas) => {
    swarm = await Swarm.start(replicas);
    swarm.origin.rate = 4 * MIB;
    const content = randomBytes(3 * MIB + 1);
    const { blob, url } = swarm.origin.add(content);
    const nodes = await Promise.all(Array.from({ length: count }, () => swarm.addNode()));
    const copies = await Promise.all(nodes.map((node) => readAll(node, { blob, url })));
    for (const copy of copies) expect(content.equals(copy)).toBe(true);
    expect(swarm.origin.bytesSent).toBe(content.length);
  });

  it('when it stands still in the middle, and the supernode goes on by Range', async () => {
    swarm = await Swarm.start();
    const content = randomBytes(6 * MIB);
    const { blob, url } = swarm.origin.add(content);
    swarm.origin.rate = 16 * MIB;
    swarm.origin.stallAt = 3 * MIB;
    const nodes = [await swarm.addNode(), await swarm.addNode(), await swarm.addNode()];
    const copies = await Promise.all(nodes.map((node) => readAll(node, { blob, url })));
    for (const copy of copies) expect(content.equals(copy)).toBe(true);
    expect(swarm.origin.requests.map(({ headers }) => headers.range)).toEqual([undefined, `bytes=${3 * MIB}-`]);
    expect(swarm.origin.bytesSent).toBe(content.length);
  });

  it('for a blob that is still on the supernode when it starts anew', async () => {
    swarm = await Swarm.start();
    const content = randomBytes(5 * MIB);
    const { blob, url } = swarm.origin.add(content);
    await readAll(await swarm.addNode(), { blob, url });
    await swarm.restartSupernode();
    expect(content.equals(await readAll(await swarm.addNode(), { blob, url }))).toBe(true);
    expect(swarm.origin.bytesSent).toBe(content.length);
  });
});
