import { randomBytes } from 'node:crypto';

import { Swarm, readAll } from './swarm';

describe('over IPv6', () => {
  let swarm: Swarm;

  beforeEach(async () => {
    swarm = await Swarm.start(1, {}, '::1');
  });
  afterEach(() => swarm.stop());

  test('nodes trade blocks with the supernode and with each other, and one copy leaves the origin', async () => {
    const content = randomBytes(8 * 1024 * 1024 + 7);
    const wanted = swarm.origin.add(content);
    const nodes = [await swarm.addNode(), await swarm.addNode()];
    const got = await Promise.all(nodes.map((node) => readAll(node, wanted)));
    expect(got.map((bytes) => bytes.equals(content))).toEqual([true, true]);
    expect(swarm.origin.bytesSent).toBe(content.length);
    const [one, other] = nodes.map(({ traffic }) => traffic);
    for (const traffic of [one, other]) expect(traffic).toMatchObject({ origin: 0, local: 0 });
    // Whoever came first may have had nothing to take from the other.
    expect(Math.max(one?.peer ?? 0, other?.peer ?? 0)).toBeGreaterThan(0);
    expect(Math.max(one?.supernode ?? 0, other?.supernode ?? 0)).toBeGreaterThan(0);
  });

  test('a node gets from the origin what no supernode gives', async () => {
    const content = randomBytes(1024 * 1024);
    const wanted = swarm.origin.add(content);
    const node = await swarm.addNode();
    await swarm.stopSupernode();
    expect((await readAll(node, wanted)).equals(content)).toBe(true);
    expect(node.traffic.origin).toBe(content.length);
    expect(swarm.lines.join('')).toContain('"supernode":"[::1]:');
  });
});
