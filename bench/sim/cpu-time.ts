/** So many times nothing is measured, to know what measuring takes. */
const EMPTY = 2000;

/**
 * CPU time that parts of this process took: it holds on a machine that others use too, which the time of a clock on the wall does not. To be used in a
 * process with one thread (`node --single-threaded`): that of others would be counted for what is measured meanwhile.
 */
export class CpuTime {
  private static empty: number | undefined;
  private microseconds = 0;

  /** What was measured so far, in milliseconds, without what measuring takes itself. */
  get ms(): number {
    return this.microseconds / 1000;
  }

  /** Does something, and measures it. */
  of<T>(work: () => T): T {
    // Measuring takes a microsecond or two, as some work does.
    CpuTime.empty ??= meanOfNothing();
    const before = process.cpuUsage();
    const done = work();
    this.microseconds += since(before) - CpuTime.empty;
    return done;
  }
}

function meanOfNothing(): number {
  let sum = 0;
  for (let times = 0; times < EMPTY; times += 1) sum += since(process.cpuUsage());
  return sum / EMPTY;
}

/** Microseconds of CPU, of the kernel and of all threads, which collect what the work left, too. */
export function since(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
