import { setMaxListeners } from 'node:events';

import * as fc from 'fast-check';

import { Throttle } from '../src/throttle';
import type { ThrottleClock } from '../src/throttle';

const MIB = 1024 * 1024;

/** Time that goes on from one waiter to the next. */
class StagedClock implements ThrottleClock {
  private time = 0;
  private readonly waiting: { readonly at: number; readonly wake: () => void }[] = [];

  now(): number {
    return this.time;
  }

  async wait(ms: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((wake, reject) => {
      this.waiting.push({ at: this.time + ms, wake });
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
  }

  at(time: number, act: () => void): void {
    this.waiting.push({ at: time, wake: act });
  }

  async run(): Promise<void> {
    for (;;) {
      this.waiting.sort((one, other) => one.at - other.at);
      const next = this.waiting.shift();
      if (next === undefined) return;
      this.time = Math.max(this.time, next.at);
      next.wake();
      await new Promise(setImmediate);
    }
  }
}

describe('a throttle', () => {
  it('lets pass, in any time, what its rate allows and its bucket holds, and no waiter waits longer than that needs', async () => {
    const ask = fc.record({ at: fc.integer({ min: 0, max: 3000 }), bytes: fc.integer({ min: 1, max: 500 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(ask, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 50, max: 2000 }),
        fc.integer({ min: 0, max: 600 }),
        async (asks, rate, burst) => {
          const clock = new StagedClock();
          const throttle = new Throttle(rate, burst, clock);
          const passed: { readonly at: number; readonly bytes: number }[] = [];
          const passing: Promise<void>[] = [];
          const { signal } = new AbortController();
          setMaxListeners(0, signal);
          for (const { at, bytes } of asks) {
            const pass = async (): Promise<void> => {
              await throttle.pass(bytes, signal);
              passed.push({ at: clock.now(), bytes });
            };
            clock.at(at, () => passing.push(pass()));
          }
          await clock.run();
          await Promise.all(passing);
          // What a short wait saves up may pass early.
          const early = (rate * 4) / 1000;
          for (const from of passed) {
            for (const to of passed) {
              if (to.at < from.at) continue;
              const between = passed.filter(({ at }) => at >= from.at && at <= to.at);
              const sum = between.reduce((bytes, pass) => bytes + pass.bytes, 0);
              const most = Math.max(...between.map(({ bytes }) => bytes));
              // Whoever passes first had its own time before.
              expect(sum - most).toBeLessThanOrEqual(burst + early + (rate * (to.at - from.at)) / 1000 + 1e-6);
            }
          }
          const all = asks.reduce((bytes, { bytes: more }) => bytes + more, 0);
          expect(passed.reduce((bytes, pass) => bytes + pass.bytes, 0)).toBe(all);
          const lastAsked = Math.max(...asks.map(({ at }) => at));
          expect(Math.max(...passed.map(({ at }) => at))).toBeLessThanOrEqual(lastAsked + (all / rate) * 1000 + 1e-6);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('lets its bucket pass at once, and what comes then in its time', async () => {
    const clock = new StagedClock();
    const throttle = new Throttle(1000, 500, clock);
    const passed: number[] = [];
    const { signal } = new AbortController();
    const passing = [500, 100, 400].map((bytes) => throttle.pass(bytes, signal).then(() => passed.push(clock.now())));
    await new Promise(setImmediate);
    await clock.run();
    await Promise.all(passing);
    expect(passed.map((at) => Math.round(at))).toEqual([0, 100, 500]);
  });

  it('gives back what was not passed when the signal aborts', async () => {
    const clock = new StagedClock();
    const throttle = new Throttle(1000, 0, clock);
    const ending = new AbortController();
    const given = throttle.pass(60_000, ending.signal);
    ending.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    const passed = throttle.pass(100, new AbortController().signal).then(() => clock.now());
    await clock.run();
    expect(Math.round(await passed)).toBe(100);
  });

  it('lets others have what turns out not to pass', async () => {
    const waits: number[] = [];
    const wait = (ms: number): Promise<void> => {
      waits.push(ms);
      return Promise.resolve();
    };
    const clock = { now: () => 0, wait };
    const throttle = new Throttle(1000, 0, clock);
    const { signal } = new AbortController();
    await throttle.pass(1000, signal);
    throttle.giveBack(1000);
    await throttle.pass(1000, signal);
    expect(waits).toEqual([1000, 1000]);
  });

  it.each([1, 3, 16])('lets %d readers together pass no more than its rate', async (readers) => {
    const throttle = new Throttle(MIB);
    const began = performance.now();
    let passed = 0;
    const excess: number[] = [];
    const read = async (): Promise<void> => {
      const { signal } = new AbortController();
      for (let count = 0; count < 48 / readers; count += 1) {
        await throttle.pass(8192, signal);
        passed += 8192;
        excess.push(passed - ((performance.now() - began) / 1000) * MIB);
      }
    };
    await Promise.all(Array.from({ length: readers }, read));
    const took = performance.now() - began;
    // 4 ms are saved up at most, and a timer may be early by 1 ms.
    expect(Math.max(...excess)).toBeLessThan(MIB * 0.006);
    expect(took).toBeGreaterThan((passed / MIB) * 1000 - 6);
  });

  it('ends with the signal', async () => {
    const ending = new AbortController();
    const passing = new Throttle(1).pass(1000, ending.signal);
    ending.abort(new Error('enough'));
    await expect(passing).rejects.toThrow('enough');
  });

  it('must let something pass', () => {
    expect(() => new Throttle(0)).toThrow(RangeError);
  });
});
