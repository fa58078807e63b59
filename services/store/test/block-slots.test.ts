import { BlockSlots } from '../src';

describe('places for blocks in memory', () => {
  const { signal } = new AbortController();

  it('are bounded in all and for each client, and go to who waited longest', async () => {
    const slots = new BlockSlots(3, 2);
    const order: string[] = [];
    const take = (client: string, name: string): Promise<() => void> =>
      slots.take(client, signal).then((done) => {
        order.push(name);
        return done;
      });
    const [one] = await Promise.all([take('a', 'a1'), take('a', 'a2')]);
    const third = take('a', 'a3');
    const other = await take('b', 'b1');
    const last = take('b', 'b2');
    expect(slots.waiting).toBe(2);
    expect(order).toEqual(['a1', 'a2', 'b1']);
    other();
    await last;
    expect(order).toEqual(['a1', 'a2', 'b1', 'b2']);
    one();
    await third;
    expect(order).toEqual(['a1', 'a2', 'b1', 'b2', 'a3']);
    expect(slots.waiting).toBe(0);
  });

  it('go to who has least', async () => {
    const slots = new BlockSlots(2, 2);
    const order: string[] = [];
    const take = (client: string): Promise<() => void> =>
      slots.take(client, signal).then((done) => {
        order.push(client);
        return done;
      });
    const [one, two] = await Promise.all([take('greedy'), take('greedy')]);
    const waiting = [take('greedy'), take('greedy'), take('modest')];
    one();
    await waiting[2];
    expect(order).toEqual(['greedy', 'greedy', 'modest']);
    two();
    await waiting[0];
    expect(order).toEqual(['greedy', 'greedy', 'modest', 'greedy']);
  });

  it('are not kept for who goes away', async () => {
    const slots = new BlockSlots(1);
    const done = await slots.take('a', signal);
    const leaving = new AbortController();
    const gone = slots.take('b', leaving.signal);
    const next = slots.take('c', signal);
    leaving.abort(new Error('gone'));
    await expect(gone).rejects.toThrow('gone');
    done();
    (await next)();
    expect(slots.waiting).toBe(0);
  });
});
