import { OriginTurns } from '../src/tasks/origin-turns';
import type { OriginTurn } from '../src/tasks/origin-turns';

describe('turns to ask an origin', () => {
  /** Whose turns have come, in order. */
  let came: string[];
  let turns: OriginTurns;
  const ask = (name: string): OriginTurn => {
    const [host = ''] = name.split(' ');
    const turn = turns.ask(host, () => came.push(name));
    if (turn.has) came.push(name);
    return turn;
  };
  beforeEach(() => {
    came = [];
    turns = new OriginTurns({ each: 2, total: 3 });
  });

  it('are so many of one origin and in all, the first first', () => {
    const [first, second, third, fourth] = ['a 1', 'a 2', 'a 3', 'a 4'].map(ask);
    expect([first?.has, second?.has, third?.has, fourth?.has]).toEqual([true, true, false, false]);
    expect([turns.running, turns.waiting]).toEqual([2, 2]);
    ask('b 1');
    // One more of them may, but for those in all.
    ask('b 2');
    expect(came).toEqual(['a 1', 'a 2', 'b 1']);
    second?.end();
    first?.end();
    // Among equals those of whom one came last are the last.
    expect(came.slice(3)).toEqual(['a 3', 'b 2']);
    expect([turns.running, turns.waiting]).toEqual([3, 1]);
  });

  it('are first of the origin that has least', () => {
    turns = new OriginTurns({ each: 3, total: 3 });
    const [first] = ['a 1', 'a 2', 'a 3', 'a 4', 'b 1'].map(ask);
    first?.end();
    expect(came.slice(3)).toEqual(['b 1']);
  });

  it('end once, and those that nobody waits for any more are not given', () => {
    const [first, second, third] = ['a 1', 'a 2', 'a 3'].map(ask);
    ask('a 4');
    third?.end();
    expect([turns.running, turns.waiting]).toEqual([2, 1]);
    first?.end();
    first?.end();
    expect(came.slice(2)).toEqual(['a 4']);
    expect([turns.running, turns.waiting]).toEqual([2, 0]);
    second?.end();
    ask('a 5');
    expect(turns.running).toBe(2);
  });

  it('come to who has waited long, whatever else runs, up to so many', async () => {
    turns = new OriginTurns({ each: 1, total: 1, patience: 1, most: 2 });
    const first = turns.ask('a', () => undefined);
    const [second, third] = ['a', 'b'].map((host) => turns.ask(host, () => undefined));
    // Timers of one length end in the order in which they began.
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(second?.has).toBe(true);
    expect([third?.has, turns.running, turns.waiting]).toEqual([false, 2, 1]);
    // One is more than the total still, and of the same origin as many as may be: who has waited long comes nevertheless.
    first.end();
    expect([third?.has, turns.running, turns.waiting]).toEqual([true, 2, 0]);
  });
});
