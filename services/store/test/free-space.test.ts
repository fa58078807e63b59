import { FreeSpace } from '../src/free-space';
import { MIB, PretendedDisk } from './blobs';

describe('the free space', () => {
  let now: number;
  let disk: PretendedDisk;
  let free: FreeSpace;
  beforeEach(() => {
    now = 0;
    disk = new PretendedDisk(100 * MIB);
    free = new FreeSpace(disk.statfs, () => now);
  });

  it('is lessened by what we write, and believed for a while', async () => {
    expect(free.isFresh).toBe(false);
    await free.read();
    free.begin(5 * MIB);
    free.end(5 * MIB);
    expect(free.bytes).toBe(95 * MIB);
    now = 199;
    expect(free.isFresh).toBe(true);
    now = 200;
    expect(free.isFresh).toBe(false);
  });

  it('is not believed any more when much was written since', async () => {
    await free.read();
    free.begin(16 * MIB);
    expect(free.isFresh).toBe(false);
  });

  it('takes writes that are under way off the answer, which may not know of them', async () => {
    free.begin(3 * MIB);
    await free.read();
    expect(free.bytes).toBe(97 * MIB);
    free.end(3 * MIB);
    expect(free.bytes).toBe(97 * MIB);
    await free.read();
    expect(free.bytes).toBe(100 * MIB);
  });

  it('takes what is written while the file system is asked off the answer', async () => {
    const reading = free.read();
    free.begin(2 * MIB);
    await reading;
    expect(free.bytes).toBe(98 * MIB);
  });

  it('believes the later of two answers, whichever comes first', async () => {
    const answers: ((free: number) => void)[] = [];
    const slow = new FreeSpace(
      () => new Promise((resolve) => answers.push((bavail) => resolve({ bavail, bsize: 1, blocks: 1 }))),
      () => now,
    );
    const [first, second] = [slow.read(), slow.read()];
    answers[1]?.(10);
    await second;
    answers[0]?.(99);
    await first;
    expect(slow.bytes).toBe(10);
  });

  it('is without end on a file system that does not count', async () => {
    const uncounted = new FreeSpace(
      () => Promise.resolve({ bavail: 0, bsize: 4096, blocks: 0 }),
      () => now,
    );
    await uncounted.read();
    expect(uncounted.bytes).toBe(Infinity);
  });
});
