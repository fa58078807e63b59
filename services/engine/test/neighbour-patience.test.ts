import { NeighbourPatience } from '../src/links/neighbour-patience';
import type { Waiting } from '../src/links/neighbour-patience';

/** It passes in 16 steps. */
const SILENCE = 160;
const STEP = SILENCE / 16;

describe('patience with a neighbour', () => {
  let patience: NeighbourPatience;
  /** The streams that were lost, in their order. */
  let lost: string[];

  beforeEach(() => {
    jest.useFakeTimers();
    patience = new NeighbourPatience(SILENCE);
    lost = [];
  });
  afterEach(() => jest.useRealTimers());

  const open = (neighbour: string, stream: string, then: () => void = () => undefined): Waiting =>
    patience.with(neighbour, () => {
      lost.push(stream);
      then();
    });
  /** Which streams are lost meanwhile. */
  const pass = (ms: number): string[] => {
    jest.advanceTimersByTime(ms);
    return lost.splice(0);
  };

  it('is renewed by what any of its streams brings, and ends for all of them at once', () => {
    open('a', 'a1');
    const second = open('a', 'a2');
    open('b', 'b1');
    expect(pass(SILENCE - 1)).toEqual([]);
    second.renew();
    // Who has begun while steps are under way has one more.
    expect(pass(STEP)).toEqual([]);
    expect(pass(1)).toEqual(['b1']);
    expect(pass(SILENCE - STEP - 1)).toEqual([]);
    expect(pass(1)).toEqual(['a1', 'a2']);
    expect([pass(2 * SILENCE), jest.getTimerCount()]).toEqual([[], 0]);
  });

  it('does not concern a stream that has ended, and begins anew with the next', () => {
    const ended = open('a', 'ended');
    pass(SILENCE / 2);
    ended.end();
    open('a', 'next');
    expect(pass(SILENCE - 1)).toEqual([]);
    expect(pass(1)).toEqual(['next']);
  });

  it('goes on for the others when one stream has ended', () => {
    const ended = open('a', 'ended');
    open('a', 'other');
    ended.end();
    expect(pass(SILENCE)).toEqual(['other']);
  });

  it('passes for all neighbours in the steps of one timer, which is there as long as it is needed', () => {
    open('a', 'a');
    const gone = open('gone', 'gone');
    pass(STEP / 2);
    open('b', 'b');
    gone.end();
    expect([pass(SILENCE - STEP / 2 - 1), jest.getTimerCount()]).toEqual([[], 1]);
    expect([pass(1), jest.getTimerCount()]).toEqual([['a'], 1]);
    expect(pass(STEP - 1)).toEqual([]);
    expect([pass(1), jest.getTimerCount()]).toEqual([['b'], 0]);
  });

  it('is a new one for streams that are opened when it has ended, whatever those before do', () => {
    const begun: Waiting[] = [];
    const first = open('a', 'first', () => begun.push(open('a', 'next')));
    const second = open('a', 'second', () => begun.push(open('a', 'again')));
    expect(pass(SILENCE)).toEqual(['first', 'second']);
    // As who is lost is closed then: that is not the end of what has begun meanwhile.
    for (const before of [first, second]) before.end();
    open('a', 'third');
    pass(SILENCE / 2);
    begun[1]?.renew();
    expect(pass(SILENCE)).toEqual([]);
    begun[0]?.end();
    expect(pass(STEP)).toEqual(['again', 'third']);
  });

  it('is not lost by a stream that another has ended, as that was lost', () => {
    const second: Waiting[] = [];
    open('a', 'first', () => second[0]?.end());
    second.push(open('a', 'second'));
    open('a', 'third');
    expect(pass(SILENCE)).toEqual(['first', 'third']);
  });
});
