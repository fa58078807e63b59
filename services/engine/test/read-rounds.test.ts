import { ReadRounds } from '../src/links/read-rounds';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Joins with the rounds' rules; tells after how many milliseconds it was called back. */
async function waited(rounds: ReadRounds, taken: number, ms: number, left: number): Promise<number> {
  const began = Date.now();
  return await new Promise((resolve) => {
    if (rounds.join(() => resolve(Date.now() - began), taken, ms, left) === undefined) resolve(0);
  });
}

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** What comes of it when time passes. */
async function passed<T>(promise: Promise<T>): Promise<T> {
  await jest.advanceTimersByTimeAsync(100);
  return await promise;
}

describe('when a connection is read again', () => {
  const cases: [string, number, number, number, number][] = [
    ['1 MB/s: one long round brings 20 KB', 100 * KIB, 100, MIB, 20],
    ['10 MB/s: a short one brings 40 KB', 100 * KIB, 10, MIB, 4],
    ['100 MB/s: at once', 100 * KIB, 1, MIB, 0],
    ['nothing has come yet, whatever the time', 0, 50, MIB, 0],
    ['the first bytes, in no time', 3 * KIB, 0, MIB, 0],
    ['1 MB/s and little is left: a short one brings it', 100 * KIB, 100, 6 * KIB, 4],
    ['1 MB/s and next to nothing is left', 100 * KIB, 100, 2 * KIB, 0],
  ];
  it.each(cases)('%s', async (_, taken, ms, left, expected) => {
    expect(await passed(waited(new ReadRounds(), taken, ms, left))).toBe(expected);
  });

  it('is the same moment for all that wait', async () => {
    const rounds = new ReadRounds();
    const first = waited(rounds, 100 * KIB, 100, MIB);
    await jest.advanceTimersByTimeAsync(15);
    const second = waited(rounds, 100 * KIB, 100, MIB);
    expect(jest.getTimerCount()).toBe(1);
    expect(await passed(Promise.all([first, second]))).toEqual([20, 5]);
  });

  it('is never for one that has left, and the others are read', async () => {
    const rounds = new ReadRounds();
    const read: string[] = [];
    const leave = rounds.join(() => read.push('left'), 100 * KIB, 100, MIB);
    rounds.join(() => read.push('stays'), 100 * KIB, 100, MIB);
    leave?.();
    await jest.advanceTimersByTimeAsync(100);
    expect(read).toEqual(['stays']);
  });

  it('comes again for one that joins while it is read', async () => {
    const rounds = new ReadRounds();
    const times: number[] = [];
    const began = Date.now();
    const again = (): void => {
      times.push(Date.now() - began);
      if (times.length < 3) rounds.join(again, 100 * KIB, 100, MIB);
    };
    rounds.join(again, 100 * KIB, 100, MIB);
    await jest.advanceTimersByTimeAsync(100);
    expect(times).toEqual([20, 40, 60]);
  });
});
