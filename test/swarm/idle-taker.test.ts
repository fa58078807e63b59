import { randomBytes } from 'node:crypto';

import { Swarm, readAll } from './swarm';

const MIB = 1024 * 1024;

describe('a taker that asks the supernode for nothing', () => {
  let swarm: Swarm;
  beforeEach(async () => {
    swarm = await Swarm.start();
  });
  afterEach(() => swarm.stop());

  it('does not hold the others up, and what it should take leaves the supernode about once', async () => {
    const content = randomBytes(24 * MIB);
    const { blob, url } = swarm.origin.add(content);
    await swarm.addFalsePeer({ blob, url, blocks: 0 }, (_index, _request, response) => response.destroy());
    const nodes = [await swarm.addNode(), await swarm.addNode(), await swarm.addNode()];
    const results = await Promise.all(nodes.map((node) => readAll(node, { blob, url })));
    for (const result of results) expect(content.equals(result)).toBe(true);
    const fromSupernode = nodes.map(({ traffic }) => traffic.supernode);
    // When all wait until the swarm has brought nothing for long, each of them takes the idle quarter: 1.5 copies.
    expect(fromSupernode.reduce((sum, bytes) => sum + bytes, 0) / content.length).toBeLessThan(1.25);
  });
});
