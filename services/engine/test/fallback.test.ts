import type { OriginIntake } from '../src/download/origin-intake';
import { Fallback } from '../src/download/fallback';
import type { SwarmIntake } from '../src/download/swarm-intake';
import type { DownloadTools } from '../src/download/tools';

describe('when the swarm brings nothing', () => {
  const STALL = 25_000;
  const clock = { now: 0 };
  let swarm: {
    isPutOff: boolean;
    isHeldBack: boolean;
    isWaitingForOrigin: boolean;
    isLost: boolean;
    isServed: boolean;
  };
  let started: string[];
  let fallback: Fallback;

  beforeEach(() => {
    clock.now = 1000;
    started = [];
    swarm = { isPutOff: false, isHeldBack: false, isWaitingForOrigin: false, isLost: false, isServed: false };
    const origin = { start: (reason: string) => void started.push(reason), swarmReturned: () => undefined };
    fallback = new Fallback(
      { fail: () => undefined, stored: () => undefined },
      { clock, timeouts: { swarmStall: STALL } } as unknown as DownloadTools,
      swarm as unknown as SwarmIntake,
      origin as unknown as OriginIntake,
      new AbortController().signal,
    );
    fallback.begin();
  });

  it('the origin is asked after the time of a stall', () => {
    clock.now += STALL;
    fallback.look();
    expect(started).toEqual([]);
    clock.now += 1;
    fallback.look();
    expect(started).toEqual([`the swarm brought nothing for ${STALL + 1} ms`]);
  });

  it('the origin is asked with what the supernode says of it in the middle of a sentence', () => {
    fallback.supernodeFailed({ code: 500, message: 'Origin a.test:80 is refused.' });
    expect(started).toEqual(['the supernode failed: Origin a.test:80 is refused']);
  });

  it.each(['isPutOff', 'isHeldBack', 'isWaitingForOrigin'] as const)('time does not count while it %s', (why) => {
    swarm[why] = true;
    for (let seconds = 0; seconds < 60; seconds += 1) {
      clock.now += 1000;
      fallback.look();
    }
    expect(started).toEqual([]);
    swarm[why] = false;
    clock.now += STALL + 1;
    fallback.look();
    expect(started).toHaveLength(1);
  });
});
