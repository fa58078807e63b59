import { useLooks } from './looks';
import type { SmallSwarm } from './swarm-of-servers';
import { settled, until, withSwarm } from './swarm-of-servers';

const seen = useLooks();

/** How often a tick looks at that time. */
async function looksAt({ swarm }: SmallSwarm, time: number): Promise<number> {
  seen.later = time;
  seen.looks.mockClear();
  swarm.tick();
  await settled();
  return seen.looks.mock.calls.length;
}

/** The supernode has got a block, and gives it after so many milliseconds. */
async function gives({ swarm, blob, supernode, stored }: SmallSwarm, block: number, after: number): Promise<void> {
  swarm.event({ type: 'added', blob, blocks: [block] });
  await until(() => supernode.asked.includes(block));
  seen.later += after;
  supernode.give(block, stored.grid);
  await until(() => stored.held.has(block));
  await settled();
}

describe('a supernode that gives no block', () => {
  it.each([
    ['as it has too much to do, is asked for it again after a pause', 503, [0, 0, 3]],
    ['as it does not have it, is asked for another after a pause', 404, [0, 3]],
  ])('%s', async (_what, status, asked) => {
    await withSwarm(
      async (world) => {
        const { swarm, blob, supernode, neighbours } = world;
        for (const neighbour of neighbours) neighbour.hangUp();
        await until(() => swarm.neighbours.length === 0);
        swarm.event({ type: 'added', blob, blocks: [0] });
        await until(() => supernode.asked.length === 1);
        supernode.refuse(0, status);
        // As it ended.
        await until(() => seen.looks.mock.calls.length >= 2);
        await settled();
        swarm.event({ type: 'added', blob, blocks: [3] });
        await settled();
        expect(supernode.asked).toEqual([0]);
        expect(await looksAt(world, 249)).toBe(0);
        expect(await looksAt(world, 250)).toBe(1);
        await until(() => supernode.asked.length === asked.length);
        expect([...supernode.asked].sort()).toEqual(asked);
      },
      { share: false },
    );
  });
});

describe('time alone', () => {
  it('is a reason to look at the time at which blocks may be overdue, and not before', async () => {
    await withSwarm(async (world) => {
      await gives(world, 0, 10);
      // Of a step since the look before: three times as long as that took is less than 100 ms.
      expect(await looksAt(world, 99)).toBe(0);
      expect(await looksAt(world, 100)).toBe(1);
      expect(await looksAt(world, 199)).toBe(0);
      expect(await looksAt(world, 200)).toBe(1);
    });
  });

  it('is one at the time at which a block is late, though there was a look since it was asked for', async () => {
    await withSwarm(async (world) => {
      const { swarm, neighbours } = world;
      const [one] = neighbours;
      await one.tell({ type: 'added', blocks: [1] });
      await until(() => one.asked.length === 1);
      seen.later = 500;
      swarm.pump();
      await settled();
      expect(await looksAt(world, 999)).toBe(0);
      expect(await looksAt(world, 1000)).toBe(1);
    });
  });

  it('is none at each tick when nobody has brought anything for long', async () => {
    await withSwarm(async (world) => {
      expect(await looksAt(world, 2000)).toBe(1);
      expect(await looksAt(world, 2100)).toBe(0);
      expect(await looksAt(world, 2999)).toBe(0);
      expect(await looksAt(world, 3000)).toBe(1);
    });
  });
});
