import { BlockSlots } from '../src';

describe('places for blocks in memory', () => {
  const { signal } = new AbortController();

  it('are bounded in all and for each client, and go to who waited longest', async () => {
    const slots = new BlockSlots(3, 2);
    const order: string[] = [];
    const take = (client: string, name: string): Promise<(bytes: number) => void> =>
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
    other(1);
    await last;
    expect(order).toEqual(['a1', 'a2', 'b1', 'b2']);
    one(1);
    await third;
    expect(order).toEqual(['a1', 'a2', 'b1', 'b2', 'a3']);
    expect(slots.waiting).toBe(0);
  });

  it('go to who has least', async () => {
    const slots = new BlockSlots(2, 2);
    const order: string[] = [];
    const take = (client: string): Promise<(bytes: number) => void> =>
      slots.take(client, signal).then((done) => {
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
  });

  it('are few while others wait, until more bytes go out with more', async () => {
    const slots = new BlockSlots();
    const turns = Array.from({ length: 6 }, (_, index) => slots.take(`client ${index}`, signal));
    const served = await Promise.all(turns.slice(0, 5));
    expect(slots.waiting).toBe(1);
    served[0]?.(1);
    await turns[5];
    expect(slots.waiting).toBe(0);
  });

  it('pass by those who are slow', async () => {
    const slots = new BlockSlots();
    for (let index = 0; index < 5; index += 1) await slots.take(`slow ${index}`, signal);
    // Nobody ends his turn.
    await slots.take('another', signal);
    expect(slots.waiting).toBe(0);
  });

  it('are not kept for who goes away', async () => {
    const slots = new BlockSlots(1);
    const done = await slots.take('a', signal);
    const leaving = new AbortController();
    const gone = slots.take('b', leaving.signal);
    const next = slots.take('c', signal);
    leaving.abort(new Error('gone'));
    await expect(gone).rejects.toThrow('gone');
    done(1);
    (await next)(1);
    expect(slots.waiting).toBe(0);
  });
});
