import { setImmediate as nextTurn } from 'node:timers/promises';

import { BlockSlots } from '../src';

describe('places for blocks in memory', () => {
  const { signal } = new AbortController();
  const kept = (): void => {
    throw new Error('nobody is to be cut off');
  };

  it('are bounded in all and for each client, and go to who waited longest', async () => {
    const slots = new BlockSlots({ total: 3, each: 2 });
    const order: string[] = [];
    const take = (client: string, name: string): Promise<(bytes: number) => void> =>
      slots.take(client, signal, kept).then((done) => {
        order.push(name);
        return done;
      });
    const [one] = await Promise.all([take('a', 'a1'), take('a', 'a2')]);
    const third = take('a', 'a3');
    const other = await take('b', 'b1');
    const last = take('b', 'b2');
    expect(slots.waiting).toBe(2);
    expect(order).toEqual(['a1', 'a2', 'b1']);
    other(1);
    await last;
    expect(order).toEqual(['a1', 'a2', 'b1', 'b2']);
    one(1);
    await third;
    expect(order).toEqual(['a1', 'a2', 'b1', 'b2', 'a3']);
    expect(slots.waiting).toBe(0);
  });

  it('go to who has least', async () => {
    const slots = new BlockSlots({ total: 2, each: 2 });
    const order: string[] = [];
    const take = (client: string): Promise<(bytes: number) => void> =>
      slots.take(client, signal, kept).then((done) => {
        order.push(client);
        return done;
      });
    const [one, two] = await Promise.all([take('greedy'), take('greedy')]);
    const waiting = [take('greedy'), take('greedy'), take('modest')];
    one(1);
    await waiting[2];
    expect(order).toEqual(['greedy', 'greedy', 'modest']);
    two(1);
    await waiting[0];
    expect(order).toEqual(['greedy', 'greedy', 'modest', 'greedy']);
    (await waiting[2])?.(1);
    await waiting[1];
  });

  it('are few while others wait, until more bytes go out with more', async () => {
    const slots = new BlockSlots();
    const turns = Array.from({ length: 9 }, (_, index) => slots.take(`client ${index}`, signal, kept));
    const served = await Promise.all(turns.slice(0, 8));
    expect(slots.waiting).toBe(1);
    served[0]?.(1);
    await turns[8];
    expect(slots.waiting).toBe(0);
  });

  it('are more when more bytes go out with more, also where nobody waits for long', async () => {
    const slots = new BlockSlots();
    const serving = new Set<(bytes: number) => void>();
    let most = 0;
    const began = performance.now();
    for (let client = 0; most < 10 && performance.now() < began + 10_000; client += 1) {
      const impatient = new AbortController();
      const turn = slots.take(`client ${client}`, impatient.signal, kept).then(
        (done) => serving.add(done),
        () => undefined,
      );
      await nextTurn();
      impatient.abort();
      await turn;
      most = Math.max(most, serving.size);
      const [done] = serving;
      if (client % 3 !== 0 || done === undefined) continue;
      serving.delete(done);
      // Each of them takes as long, however many there are.
      done(serving.size);
    }
    expect(most).toBe(10);
  });

  it('pass by those who are slow', async () => {
    const slots = new BlockSlots();
    for (let index = 0; index < 8; index += 1) await slots.take(`slow ${index}`, signal, kept);
    // Nobody ends his turn.
    await slots.take('another', signal, kept);
    expect(slots.waiting).toBe(0);
  });

  it('are not kept for who goes away', async () => {
    const slots = new BlockSlots({ total: 1 });
    const done = await slots.take('a', signal, kept);
    const leaving = new AbortController();
    const gone = slots.take('b', leaving.signal, kept);
    const next = slots.take('c', signal, kept);
    leaving.abort(new Error('gone'));
    await expect(gone).rejects.toThrow('gone');
    done(1);
    (await next)(1);
    expect(slots.waiting).toBe(0);
  });

  it('leave half of them to others, however many are slow and for however long', async () => {
    const slots = new BlockSlots({ total: 4, patience: 600 });
    const cut: string[] = [];
    const ends = new Map<string, (bytes: number) => void>();
    for (const client of ['s1', 's2', 's3', 's4']) {
      const over = (): void => {
        cut.push(client);
        ends.get(client)?.(0);
      };
      ends.set(client, await slots.take(client, signal, over));
    }
    // All places are taken. The two that came last make room; who came first goes on.
    const one = await slots.take('fast 1', signal, kept);
    expect(cut).toEqual(['s3', 's4']);
    // One of those comes again, and waits for a place among the slow ones; a place is free all the while.
    let isServed = false;
    const again = slots.take('s3', signal, kept).then(() => (isServed = true));
    const two = await slots.take('fast 2', signal, kept);
    one(1);
    two(1);
    expect(isServed).toBe(false);
    ends.get('s1')?.(1);
    await again;
  });

  it('are given without a look at all who wait, when those have one address', async () => {
    /** What it takes to serve so many, in microseconds of CPU: others on this machine do not count. */
    const serve = async (count: number): Promise<number> => {
      const slots = new BlockSlots({ total: 4, each: 2 });
      const first = await Promise.all([slots.take('nat', signal, kept), slots.take('nat', signal, kept)]);
      const many = Array.from({ length: count }, () => slots.take('nat', new AbortController().signal, kept));
      // One after the other: each end begins the next.
      let [done] = first;
      const before = process.cpuUsage();
      for (const next of many) {
        done(1);
        done = await next;
      }
      expect(slots.waiting).toBe(0);
      return process.cpuUsage(before).user;
    };
    // It is compiled first.
    await serve(2500);
    const few = await serve(2500);
    // Eight times as many take about eight times as long; with a look at all who wait, each time, it would be 64 times.
    expect(await serve(20_000)).toBeLessThan(30 * Math.max(few, 1000));
  });
});
