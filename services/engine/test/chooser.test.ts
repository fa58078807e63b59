import { SUPERNODE } from '../src/download/sources';
import { LinkFailure } from '../src/links/failure';
import { useLooks } from './looks';
import { BLOCKS, nameOf, settled, until, withSwarm } from './swarm-of-servers';

const seen = useLooks();

const TOGETHER = 4;

describe('what a neighbour has got', () => {
  it('is asked of it when it is missing, and is no news when it is here, under way, or more than it gives at a time', async () => {
    await withSwarm(async ({ swarm, stored, neighbours: [one, other], hold }) => {
      await hold(5);
      await one.tell({ type: 'added', blocks: [1] });
      await until(() => one.asked.length === 1);
      await settled();
      seen.looks.mockClear();
      // Here, and under way.
      await other.tell({ type: 'added', blocks: [5, 1] });
      await until(() => swarm.has(5));
      await settled();
      expect(seen.looks).not.toHaveBeenCalled();
      // One of two gives so many at a time, and what is more has to wait.
      await one.tell({ type: 'added', blocks: [2, 3, 4] });
      await until(() => one.asked.length === TOGETHER);
      await settled();
      seen.looks.mockClear();
      await one.tell({ type: 'added', blocks: [6] });
      await until(() => swarm.has(6));
      await settled();
      expect(seen.looks).not.toHaveBeenCalled();
      // Until one has ended, well or not.
      one.give(1, stored.grid);
      await until(() => one.asked.length === TOGETHER + 1);
      await one.tell({ type: 'added', blocks: [7] });
      await until(() => swarm.has(7));
      one.refuse(2, 404);
      await until(() => one.asked.length === TOGETHER + 2);
      expect([[...one.asked].sort(), other.asked]).toEqual([[1, 2, 3, 4, 6, 7], []]);
    });
  });

  it('is asked of it though another neighbour is at it, when that one is late', async () => {
    await withSwarm(async ({ swarm, neighbours: [one, other] }) => {
      await one.tell({ type: 'added', blocks: [1] });
      await until(() => one.asked.length === 1);
      seen.later = 1000;
      await other.tell({ type: 'added', blocks: [1] });
      await until(() => other.asked.length === 1);
      expect([one.asked, other.asked, swarm.isLost]).toEqual([[1], [1], false]);
    });
  });
});

describe('another download that lets go of a neighbour', () => {
  it('leaves it to this one, which looks only if that has something for it', async () => {
    await withSwarm(async ({ swarm, budget, neighbours: [one], hold }) => {
      const greedy = { pump: (): void => undefined, freed: (): void => undefined };
      budget.open(greedy);
      // Something of it is under way all the time.
      budget.began(greedy, SUPERNODE);
      for (let count = 0; count < TOGETHER; count += 1) budget.began(greedy, nameOf(0));
      await hold(3);
      await one.tell({ type: 'added', blocks: [3] });
      await until(() => swarm.has(3));
      seen.looks.mockClear();
      budget.ended(greedy, nameOf(0));
      budget.ended(greedy, nameOf(1));
      budget.began(greedy, nameOf(0));
      await settled();
      expect(seen.looks).not.toHaveBeenCalled();
      await one.tell({ type: 'added', blocks: [4] });
      await until(() => swarm.has(4));
      await settled();
      expect([seen.looks.mock.calls, one.asked]).toEqual([[], []]);
      budget.ended(greedy, nameOf(0));
      await until(() => one.asked.length === 1);
      expect(one.asked).toEqual([4]);
      budget.close(greedy);
    });
  });
});

describe('what the supernode has got', () => {
  it('is asked of it when it is of the share, and no other news while neighbours bring something', async () => {
    await withSwarm(async ({ swarm, blob, supernode, neighbours: [one] }) => {
      seen.looks.mockClear();
      swarm.event({ type: 'added', blob, blocks: [1, 2] });
      await settled();
      expect(seen.looks).not.toHaveBeenCalled();
      swarm.event({ type: 'added', blob, blocks: [0, 3] });
      await until(() => supernode.asked.length === 1);
      expect(supernode.asked).toEqual([0]);
      // A neighbour is late with what it has got.
      await one.tell({ type: 'added', blocks: [4] });
      await until(() => one.asked.length === 1);
      await settled();
      seen.later = 1000;
      swarm.event({ type: 'added', blob, blocks: [4] });
      await until(() => supernode.asked.length === 2);
      expect(supernode.asked).toEqual([0, 4]);
      // And nobody has brought anything for long.
      seen.later = 2100;
      swarm.event({ type: 'added', blob, blocks: [5] });
      await until(() => supernode.asked.length > 2);
      expect(supernode.asked).toContain(1);
    });
  });

  it('is asked of it, whatever it is, when no neighbour answers and it gives no shares', async () => {
    await withSwarm(
      async ({ swarm, blob, supernode, neighbours }) => {
        for (const neighbour of neighbours) neighbour.hangUp();
        await until(() => swarm.neighbours.length === 0);
        await settled();
        expect(supernode.asked).toEqual([]);
        swarm.event({ type: 'added', blob, blocks: [6] });
        await until(() => supernode.asked.length === 1);
        expect(supernode.asked).toEqual([6]);
      },
      { share: false },
    );
  });

  it('is asked of it as soon as the last neighbour has gone', async () => {
    await withSwarm(
      async ({ swarm, blob, supernode, neighbours }) => {
        swarm.event({ type: 'added', blob, blocks: [6] });
        await settled();
        expect(supernode.asked).toEqual([]);
        for (const neighbour of neighbours) neighbour.hangUp();
        await until(() => supernode.asked.length === 1);
      },
      { share: false },
    );
  });
});

describe('a tick', () => {
  it('looks when a block is late, a pause is over, or nothing has come for long', async () => {
    await withSwarm(async ({ swarm, neighbours: [one, other] }) => {
      // Nothing has changed.
      await settled();
      seen.looks.mockClear();
      swarm.tick();
      await settled();
      expect(seen.looks).not.toHaveBeenCalled();
      await one.tell({ type: 'added', blocks: [1] });
      await until(() => one.asked.length === 1);
      one.refuse(1, 503);
      await until(() => seen.looks.mock.calls.length === 2);
      seen.later = 249;
      swarm.tick();
      await settled();
      expect([seen.looks.mock.calls.length, one.asked]).toEqual([2, [1]]);
      seen.later = 250;
      swarm.tick();
      await until(() => one.asked.length === 2);
      await other.tell({ type: 'added', blocks: [1] });
      await until(() => swarm.has(1));
      seen.later = 1249;
      swarm.tick();
      await settled();
      expect([seen.looks.mock.calls.length, other.asked]).toEqual([3, []]);
      seen.later = 1250;
      swarm.tick();
      await until(() => other.asked.length === 1);
      // Nobody has brought anything for so long that the supernode may be asked for more.
      seen.looks.mockClear();
      seen.later = 1999;
      swarm.tick();
      await settled();
      expect(seen.looks).not.toHaveBeenCalled();
      seen.later = 2000;
      swarm.tick();
      await until(() => seen.looks.mock.calls.length === 1);
    });
  });

  it('looks when a neighbour that broke off has had a pause: it has told of the block, and will not again', async () => {
    await withSwarm(async ({ swarm, neighbours: [one] }) => {
      await one.tell({ type: 'added', blocks: [1] });
      await until(() => one.asked.length === 1);
      seen.looks.mockClear();
      one.refuse(1, 500);
      await until(() => seen.looks.mock.calls.length === 1);
      seen.later = 250;
      swarm.tick();
      await until(() => one.asked.length === 2);
      expect(one.asked).toEqual([1, 1]);
    });
  });

  it('looks once a second at least', async () => {
    await withSwarm(async ({ swarm }) => {
      seen.looks.mockClear();
      swarm.pump();
      await until(() => seen.looks.mock.calls.length === 1);
      seen.later = 999;
      swarm.tick();
      await settled();
      expect(seen.looks).toHaveBeenCalledTimes(1);
      seen.later = 1000;
      swarm.tick();
      await until(() => seen.looks.mock.calls.length === 2);
      expect(seen.looks).toHaveBeenCalledTimes(2);
    });
  });

  it('looks when a block was thrown away', async () => {
    await withSwarm(async ({ swarm, stored, neighbours: [one], hold }) => {
      await hold(1);
      await one.tell({ type: 'added', blocks: [1] });
      await until(() => swarm.has(1));
      swarm.tick();
      await settled();
      expect(one.asked).toEqual([]);
      stored.drop(1);
      swarm.tick();
      await until(() => one.asked.length === 1);
    });
  });

  it('looks when a block was thrown away and another was written, so that there are as many as before', async () => {
    await withSwarm(async ({ swarm, stored, neighbours: [one], hold }) => {
      await hold(1);
      await one.tell({ type: 'added', blocks: [1] });
      await until(() => swarm.has(1));
      swarm.tick();
      await settled();
      stored.drop(1);
      await hold(2);
      swarm.tick();
      await until(() => one.asked.length === 1);
      expect(one.asked).toEqual([1]);
    });
  });

  it('looks when the origin has told how long the blob is, or which edition', async () => {
    await withSwarm(
      async ({ swarm, stored }) => {
        const looksAt = async (): Promise<number> => {
          seen.looks.mockClear();
          for (let time = 0; time < 2; time += 1) {
            swarm.tick();
            await settled();
          }
          return seen.looks.mock.calls.length;
        };
        expect(await looksAt()).toBe(0);
        await stored.setSize(BLOCKS * 256 * 1024);
        expect(await looksAt()).toBe(1);
        await stored.setEdition({ id: 'ef'.repeat(16) });
        expect(await looksAt()).toBe(1);
      },
      { size: false },
    );
  });

  it('looks when no supernode takes it in, as it then takes what none has attested', async () => {
    await withSwarm(async ({ swarm, neighbours: [one], hold, joining }) => {
      await hold(5);
      await one.tell({ type: 'added', blocks: [5], unattested: [2] });
      await until(() => swarm.has(5));
      let refuse: (reason: Error) => void = () => undefined;
      joining.answer = () => new Promise((_resolve, reject) => (refuse = reject));
      swarm.lost(new LinkFailure('gone', 'the session ended'));
      await settled();
      swarm.tick();
      await settled();
      expect(one.asked).toEqual([]);
      refuse(new LinkFailure('gone', 'nobody is there'));
      await until(() => swarm.takesUnattested);
      await settled();
      expect(one.asked).toEqual([]);
      swarm.tick();
      await until(() => one.asked.length === 1);
      expect(one.asked).toEqual([2]);
    });
  });
});

describe('a limit of the rate', () => {
  it('has one block wait for it at a time: what is asked next is chosen when that may be asked', async () => {
    const waiting: (() => void)[] = [];
    const limit = {
      pass: () => new Promise<void>((resolve) => waiting.push(resolve)),
      giveBack: () => undefined,
    };
    await withSwarm(
      async ({ neighbours: [one] }) => {
        await one.tell({ type: 'added', blocks: [1, 2] });
        await until(() => waiting.length === 1);
        seen.looks.mockClear();
        await one.tell({ type: 'added', blocks: [3] });
        await settled();
        expect([waiting.length, one.asked, seen.looks.mock.calls.length]).toEqual([1, [], 0]);
        waiting[0]?.();
        await until(() => waiting.length === 2);
        await until(() => one.asked.length === 1);
        waiting[1]?.();
        await until(() => waiting.length === 3);
        await until(() => one.asked.length === 2);
        await settled();
        expect(waiting).toHaveLength(3);
      },
      { limit },
    );
  });
});

describe('readers that go on', () => {
  it('are no reason to look when all that is missing was looked at, and one when it is not known how much that is', async () => {
    await withSwarm(async ({ swarm }) => {
      seen.looks.mockClear();
      swarm.cursorMoved();
      await settled();
      expect(seen.looks).not.toHaveBeenCalled();
    });
    await withSwarm(
      async ({ swarm }) => {
        seen.looks.mockClear();
        swarm.cursorMoved();
        await settled();
        expect(seen.looks).toHaveBeenCalledTimes(1);
      },
      { size: false },
    );
  });

  it.each([
    [256, 0],
    [257, 1],
  ])('are one when more is missing than is looked at: of %d blocks, in %d looks', async (blocks, expected) => {
    await withSwarm(
      async ({ swarm }) => {
        seen.looks.mockClear();
        swarm.cursorMoved();
        await settled();
        expect(seen.looks).toHaveBeenCalledTimes(expected);
      },
      { blocks },
    );
  });

  it('are none while as much is under way as may be', async () => {
    await withSwarm(
      async ({ swarm, blob, supernode, neighbours: [one, other] }) => {
        swarm.event({ type: 'added', blob, blocks: [0, 64, 128, 192] });
        await one.tell({ type: 'added', blocks: [1, 2, 3, 4] });
        await until(() => supernode.asked.length === 4 && one.asked.length === 4);
        await settled();
        seen.looks.mockClear();
        // Another neighbour may be asked.
        swarm.cursorMoved();
        await settled();
        expect(seen.looks).toHaveBeenCalledTimes(1);
        await other.tell({ type: 'added', blocks: [5, 6, 7, 8] });
        await until(() => other.asked.length === 4);
        await settled();
        seen.looks.mockClear();
        swarm.cursorMoved();
        await settled();
        expect(seen.looks).not.toHaveBeenCalled();
      },
      { blocks: 300 },
    );
  });
});
