import { SteadyClock } from '../src/links/steady-clock';
import { Tempo } from '../src/links/tempo';

describe('how long a supernode may be silent', () => {
  it('is the usual time while it answers fast', () => {
    const tempo = new Tempo(1000, () => 0);
    tempo.answered(5);
    expect(tempo.patience).toBe(1000);
  });

  it('grows with answers that come late, within bounds, and falls again', () => {
    const tempo = new Tempo(1000, () => 0);
    tempo.answered(600);
    expect(tempo.patience).toBe(1200);
    tempo.answered(9000);
    expect(tempo.patience).toBe(5000);
    for (let count = 0; count < 20; count += 1) tempo.answered(5);
    expect(tempo.patience).toBe(1000);
  });

  it('counts from when it was asked first without an answer', () => {
    let now = 10_000;
    const tempo = new Tempo(1000, () => now);
    expect(tempo.silentSince).toBeUndefined();
    tempo.wasSilent(1000);
    now = 15_000;
    tempo.wasSilent(1000);
    expect(tempo.silentSince).toBe(9000);
    tempo.answered(7000);
    expect(tempo.silentSince).toBeUndefined();
    tempo.wasSilent(1000);
    tempo.isGone();
    expect(tempo.silentSince).toBeUndefined();
  });
});

describe('the steady clock', () => {
  it('does not count the time in which this process stands still', () => {
    jest.useFakeTimers();
    let real = 0;
    const clock = new SteadyClock(() => real);
    const run = (ms: number): void => {
      real += ms;
      jest.advanceTimersByTime(50);
    };
    try {
      for (let step = 0; step < 20; step += 1) run(50);
      expect(clock.now).toBe(1000);
      run(4000);
      expect(clock.now).toBe(1100);
      real += 30;
      expect(clock.now).toBe(1130);
    } finally {
      clock.stop();
      jest.useRealTimers();
    }
  });

  it('calls them by the time that has passed, where the process seldom comes to look', () => {
    jest.useFakeTimers();
    let real = 0;
    const clock = new SteadyClock(() => real);
    try {
      let calls = 0;
      clock.every(() => void (calls += 1));
      for (let step = 0; step < 10; step += 1) {
        real += 300;
        jest.advanceTimersByTime(50);
      }
      expect(calls).toBe(10);
    } finally {
      clock.stop();
      jest.useRealTimers();
    }
  });

  it('calls those who look at something themselves every 100 ms, all at once, and keeps the process alive for them', () => {
    jest.useFakeTimers();
    const begun = jest.spyOn(global, 'setInterval');
    const clock = new SteadyClock();
    try {
      const timer = begun.mock.results[0]?.value as NodeJS.Timeout;
      const called: string[] = [];
      expect(timer.hasRef()).toBe(false);
      const ends = ['one', 'other'].map((name) => clock.every(() => void called.push(name)));
      jest.advanceTimersByTime(99);
      expect(called).toEqual([]);
      jest.advanceTimersByTime(1);
      expect(called).toEqual(['one', 'other']);
      ends[0]?.();
      expect(timer.hasRef()).toBe(true);
      jest.advanceTimersByTime(100);
      expect(called).toEqual(['one', 'other', 'other']);
      ends[1]?.();
      expect(timer.hasRef()).toBe(false);
      jest.advanceTimersByTime(200);
      expect(called).toHaveLength(3);
      expect(begun).toHaveBeenCalledTimes(1);
    } finally {
      clock.stop();
      begun.mockRestore();
      jest.useRealTimers();
    }
  });
});
