import { randomBytes } from 'node:crypto';

import { Swarm, readAll } from './swarm';

const MIB = 1024 * 1024;

/** The first block may come at once. */
const BURST = MIB;

/** Makes a content another one. */
const FURTHER = Buffer.from('further');

describe('a limit of the rate', () => {
  let swarm: Swarm;
  beforeEach(async () => {
    swarm = await Swarm.start();
  });
  afterEach(() => swarm.stop());

  it('holds for all downloads of a node together, from the supernode as from the origin, and wastes little of it', async () => {
    const rate = 8 * MIB;
    const contents = [randomBytes(2 * MIB), randomBytes(2 * MIB), randomBytes(2 * MIB)];
    const node = await swarm.addNode('limited', swarm.supernodePorts, { downloadRate: rate });
    const alone = await swarm.addNode('without', [], { downloadRate: rate });
    // What a machine with much else to do takes for as much without a limit is not wasted by it.
    const free = await swarm.addNode('free', []);
    const before = performance.now();
    await Promise.all(contents.map((content) => readAll(free, swarm.origin.add(Buffer.concat([content, FURTHER])))));
    const unlimited = (performance.now() - before) / 1000;
    for (const [of, count] of [
      [node, 3],
      [alone, 1],
    ] as const) {
      const began = performance.now();
      const wanted = contents.slice(0, count);
      const read = await Promise.all(wanted.map((content) => readAll(of, swarm.origin.add(content))));
      const seconds = (performance.now() - began) / 1000;
      expect(read.every((bytes, index) => contents[index]?.equals(bytes) === true)).toBe(true);
      const bytes = 2 * MIB * count;
      expect(bytes - BURST).toBeLessThanOrEqual(rate * (seconds + 0.01));
      expect(seconds).toBeLessThan(2 + 5 * unlimited);
    }
    expect(node.traffic).toEqual({ local: 0, peer: 0, supernode: 6 * MIB, origin: 0 });
  });

  it('of what a node gives to its neighbours drives none of them to the origin, and none away', async () => {
    const rate = 8 * MIB;
    const content = randomBytes(3 * MIB);
    const { blob, url } = swarm.origin.add(content);
    const giver = await swarm.addNode('giver', swarm.supernodePorts, { uploadRate: rate });
    await readAll(giver, { blob, url });
    const takers = [await swarm.addNode('one'), await swarm.addNode('two')];
    const began = performance.now();
    const read = await Promise.all(takers.map((taker) => readAll(taker, { blob, url })));
    const seconds = (performance.now() - began) / 1000;
    expect(read.every((bytes) => bytes.equals(content))).toBe(true);
    const given = takers.reduce((sum, { traffic }) => sum + traffic.peer, 0);
    expect(takers.map(({ traffic }) => traffic.origin)).toEqual([0, 0]);
    // They trade with each other as well: at least the half that is new comes from the giver or the supernode.
    expect(given / 2 - BURST).toBeLessThanOrEqual(rate * (seconds + 0.01));
    expect(swarm.origin.bytesSent).toBe(content.length);
    expect(swarm.lines.filter((line) => line.includes('a peer was dropped'))).toEqual([]);
  });
});
