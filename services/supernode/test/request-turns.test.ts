import { setImmediate as turn } from 'node:timers/promises';

import { RequestTurns } from '../src/fronts/request-turns';

describe('the turns of requests', () => {
  let turns: RequestTurns;
  let begun: number;
  let abandoned: number;
  const open = { writable: true };
  const begin = (): void => void (begun += 1);
  beforeEach(() => {
    [begun, abandoned] = [0, 0];
    turns = new RequestTurns(() => (abandoned += 1));
  });
  afterEach(() => turns.stop());

  it('are 64 in one of the event loop, in their order', async () => {
    const order: number[] = [];
    for (let number = 0; number < 100; number += 1) turns.take(() => void order.push(number), open);
    expect(order).toHaveLength(64);
    await turn();
    expect(order).toEqual(Array.from({ length: 100 }, (_, number) => number));
  });

  const connect = async (times: number): Promise<void> => {
    for (let came = 0; came < times; came += 1) {
      turns.connected({ writable: true });
      await turn();
    }
  };

  it('leave time for connections while a herd of them comes, and come as before when it does not', async () => {
    await connect(8);
    for (let number = 0; number < 84; number += 1) turns.take(begin, open);
    expect(begun).toBeLessThan(2);
    await connect(40);
    expect(begun).toBeGreaterThan(5);
    expect(begun).toBeLessThan(15);
    for (let more = 0; more < 4; more += 1) await turn();
    expect(begun).toBe(84);
  });

  it('come as ever while there is a connection now and then', async () => {
    for (let pairs = 0; pairs < 20; pairs += 1) {
      await connect(1);
      await turn();
      turns.take(begin, open);
    }
    expect(begun).toBe(20);
  });

  it('pass by clients that have gone, also when that is read after what they asked on a new connection', async () => {
    const [gone, fresh, stays] = [{ writable: true }, { writable: true }, { writable: true }];
    for (let number = 0; number < 64; number += 1) turns.take(begin, open);
    turns.take(begin, gone);
    turns.connected(fresh);
    turns.connected(stays);
    turns.take(begin, fresh);
    turns.take(begin, stays);
    expect(begun).toBe(64);
    gone.writable = false;
    await turn();
    fresh.writable = false;
    for (let more = 0; more < 12; more += 1) await turn();
    expect([begun, abandoned]).toEqual([65, 2]);
  });
});
