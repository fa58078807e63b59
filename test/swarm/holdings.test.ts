import { randomBytes } from 'node:crypto';

import type { Digest } from '@cdk8s-dragonfly/protocol';

import { OriginalClient } from '../../services/supernode/test/classic/original-client';
import { GO } from '../../services/supernode/test/classic/original-style';
import { Swarm, readAll } from './swarm';

/** Blobs of one byte more end with a short block, which shows how long they are. */
const MIB = 1024 * 1024;

/** How often a supernode looks for what can be forgotten, in ms. */
const FORGETS_EVERY = 15_000;

/** Lets time pass at once, for all clocks of this process. */
function timeAtWill(): (ms: number) => void {
  const clock = performance.now.bind(performance);
  let passed = 0;
  jest.spyOn(performance, 'now').mockImplementation(() => clock() + passed);
  return (ms) => {
    passed += ms;
  };
}

/** The same, and what can be forgotten is looked for then. */
function forgettingAtWill(): (ms: number) => void {
  const looks: (() => void)[] = [];
  const real = globalThis.setInterval;
  const later = timeAtWill();
  jest.spyOn(globalThis, 'setInterval').mockImplementation((look, ms) => {
    if (ms === FORGETS_EVERY) looks.push(look);
    return real(look, ms);
  });
  return (ms) => {
    later(ms);
    for (const look of looks) look();
  };
}

interface Wanted {
  readonly blob: Digest;
  readonly url: URL;
}

describe('what daemons hold is not fetched again', () => {
  let swarm: Swarm;
  afterEach(async () => {
    jest.restoreAllMocks();
    await swarm.stop();
  });
  /** How many tasks the supernode has in its memory. */
  const tasks = async (): Promise<number> => {
    const text = await (await fetch(`http://127.0.0.1:${swarm.supernodePort}/metrics`)).text();
    const counts = [...text.matchAll(/^dragonfly_supernode_tasks\{.*\} (\d+)$/gm)];
    return counts.reduce((sum, [, count]) => sum + Number(count), 0);
  };

  it('by a new owner: who joins late costs nothing, nor does an original client', async () => {
    swarm = await Swarm.start(2);
    const content = randomBytes(6 * MIB + 1);
    const { blob, url } = swarm.origin.add(content);
    await readAll(await swarm.addNode(), { blob, url });
    await swarm.told(1, 2);
    await swarm.stopSupernode(swarm.ownerOf(blob));

    const late = await swarm.addNode();
    expect(content.equals(await readAll(late, { blob, url }))).toBe(true);
    expect(late.traffic).toMatchObject({ local: 0, origin: 0 });
    const cid = '127.0.0.1-7-1795406219.563';
    const client = new OriginalClient({ style: GO, api: swarm.supernodePort, url: url.href, cid });
    expect((await client.download()).content.equals(content)).toBe(true);
    expect(swarm.origin.requests).toHaveLength(1);
    expect(swarm.origin.bytesSent).toBe(content.length);
  });

  it('an hour after all have it: who joins then has the neighbours that told of it', async () => {
    const later = forgettingAtWill();
    swarm = await Swarm.start();
    const content = randomBytes(12 * MIB);
    const { blob, url } = swarm.origin.add(content);
    const nodes = await Promise.all(Array.from({ length: 3 }, () => swarm.addNode()));
    await Promise.all(nodes.map((node) => readAll(node, { blob, url })));
    await swarm.told(1, 3);
    later(60 * 60_000);
    // All that swarms keep is gone: the supernode finds the blob anew.
    expect(await tasks()).toBe(0);
    const late = await swarm.addNode();
    expect(content.equals(await readAll(late, { blob, url }))).toBe(true);
    expect(await tasks()).toBe(1);
    expect(late.traffic).toMatchObject({ origin: 0 });
    expect(late.traffic.peer).toBeGreaterThanOrEqual(content.length / 2);
    expect(swarm.origin.requests).toHaveLength(1);
  });

  it('by a supernode that had to make room for another blob on its disk', async () => {
    const later = timeAtWill();
    swarm = await Swarm.start(1, { diskQuota: 5 * MIB });
    const contents = [randomBytes(3 * MIB + 1), randomBytes(3 * MIB + 1)];
    const [first, second] = contents.map((content) => swarm.origin.add(content)) as [Wanted, Wanted];
    const nodes = [await swarm.addNode(), await swarm.addNode()];
    for (const node of nodes) await readAll(node, first);
    await swarm.told(1, 2);
    // What somebody has just read stays.
    later(3000);
    await readAll(await swarm.addNode(), second);
    await swarm.told(1, 3);
    later(3000);
    const late = await swarm.addNode();
    expect(contents[0]?.equals(await readAll(late, first))).toBe(true);
    // Once it is whole there, the supernode has asked for all that it asks for.
    await swarm.fetched(3);
    expect(swarm.origin.requests.map(({ path }) => path)).toEqual([first.url.pathname, second.url.pathname]);
    expect(late.traffic.origin).toBe(0);
  });

  it('by a supernode that has lost its disk', async () => {
    swarm = await Swarm.start();
    const contents = [randomBytes(5 * MIB), randomBytes(2 * MIB + 1)];
    const blobs = contents.map((content) => swarm.origin.add(content));
    const node = await swarm.addNode('first');
    for (const blob of blobs) await readAll(node, blob);
    await swarm.told(2);
    await swarm.restartSupernode('empty');
    await swarm.told(2, 2);
    for (const [at, blob] of blobs.entries()) {
      expect(contents[at]?.equals(await readAll(await swarm.addNode(), blob))).toBe(true);
    }
    expect(swarm.origin.requests).toHaveLength(2);
    expect(swarm.origin.bytesSent).toBe(7 * MIB + 1);
    const metricsNow = async (): Promise<string> =>
      (await fetch(`http://127.0.0.1:${swarm.supernodePort}/metrics`)).text();
    let metrics = await metricsNow();
    // The daemon that asked had some of it from its neighbour, and may be done first.
    const all = `dragonfly_supernode_holder_bytes_total ${7 * MIB + 1}\n`;
    while (!metrics.includes(all)) metrics = await metricsNow();
    expect(metrics).toContain('dragonfly_supernode_origin_bytes_total 0\n');
  });

  it('when the daemon that holds it was started anew, and has asked for nothing since', async () => {
    swarm = await Swarm.start();
    const content = randomBytes(3 * MIB + 1);
    const { blob, url } = swarm.origin.add(content);
    const before = await swarm.addNode('same');
    await readAll(before, { blob, url });
    await swarm.stopNode(before);
    await swarm.restartSupernode('empty');
    await swarm.addNode('same');
    await swarm.told(1);
    expect(content.equals(await readAll(await swarm.addNode(), { blob, url }))).toBe(true);
    expect(swarm.origin.bytesSent).toBe(content.length);
  });

  it('in the middle of a download: the new owner takes what they have from them, and the rest from the origin', async () => {
    swarm = await Swarm.start(3);
    swarm.origin.rate = 12 * MIB;
    const content = randomBytes(12 * MIB);
    const { blob, url } = swarm.origin.add(content);
    const nodes = await Promise.all(Array.from({ length: 3 }, () => swarm.addNode()));
    let died: Promise<void> | undefined;
    const copies = await Promise.all(
      nodes.map((node) =>
        readAll(node, { blob, url }, { from: 0 }, (sum) => {
          if (sum > content.length / 2) died ??= swarm.stopSupernode(swarm.ownerOf(blob));
        }),
      ),
    );
    await died;
    for (const copy of copies) expect(content.equals(copy)).toBe(true);
    // What the old owner had read and not yet given to anyone is lost with it; fetched anew, it would be two copies.
    expect(swarm.origin.bytesSent).toBeLessThanOrEqual(1.5 * content.length);
    expect(nodes.map(({ traffic }) => traffic.origin)).toEqual([0, 0, 0]);
  });
});
