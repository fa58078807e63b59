import * as fc from 'fast-check';

import { Concurrency } from '../src/concurrency';

const BLOCK = 1024 * 1024;

/** A link that carries `rate` bytes a millisecond, of which one receiver takes `each` at most. */
interface Way {
  readonly rate: number;
  readonly each: number;
}

/** Sends blocks over a way while others wait. @returns the limits that were tried. */
function sendFor(concurrency: Concurrency, { rate, each }: Way, from: number, ms: number): number[] {
  const tried: number[] = [];
  for (let now = from; now < from + ms;) {
    const { limit } = concurrency;
    tried.push(limit);
    now += BLOCK / Math.min(rate, limit * each);
    concurrency.sent(BLOCK, true, now);
  }
  return tried;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('how many blocks are sent at a time', () => {
  it('is few where few fill the way', () => {
    const tried = sendFor(new Concurrency(4, 128), { rate: 8000, each: 8000 }, 0, 60_000);
    expect(mean(tried)).toBeLessThan(5);
    expect(Math.max(...tried)).toBe(8);
  });

  it('is as many as fill a way that is wider than those of the receivers', () => {
    const concurrency = new Concurrency(4, 128);
    sendFor(concurrency, { rate: 1_250_000, each: 12_500 }, 0, 5000);
    expect(mean(sendFor(concurrency, { rate: 1_250_000, each: 12_500 }, 5000, 5000))).toBeGreaterThan(80);
  });

  it('doubles at first, so that a wide way is full before a small blob is over', () => {
    const tried = sendFor(new Concurrency(8, 128), { rate: 1_250_000, each: 25_000 }, 0, 500);
    expect([...new Set(tried)].slice(0, 4)).toEqual([8, 16, 32, 64]);
  });

  it('is few again when the way has become narrow', () => {
    const concurrency = new Concurrency(4, 128);
    sendFor(concurrency, { rate: 1_250_000, each: 12_500 }, 0, 10_000);
    const narrow = { rate: 50_000, each: 12_500 };
    sendFor(concurrency, narrow, 10_000, 60_000);
    expect(mean(sendFor(concurrency, narrow, 70_000, 30_000))).toBeLessThan(10);
  });

  it('learns nothing while nobody waits', () => {
    const concurrency = new Concurrency(4, 128);
    for (let now = 0; now < 60_000; now += 1) concurrency.sent(BLOCK, false, now);
    expect(concurrency.limit).toBe(4);
  });

  it('stays within its bounds, whatever happens', () => {
    const event = fc.record({ bytes: fc.nat(BLOCK), waited: fc.boolean(), ms: fc.nat(200) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.array(event, { maxLength: 300 }), (most, events) => {
        const concurrency = new Concurrency(4, most);
        let now = 0;
        for (const { bytes, waited, ms } of events) {
          now += ms;
          concurrency.sent(bytes, waited, now);
          expect(concurrency.limit).toBeGreaterThanOrEqual(Math.min(4, most));
          expect(concurrency.limit).toBeLessThanOrEqual(most);
        }
      }),
    );
  });
});
