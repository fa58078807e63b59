import { Steps } from './steps';

/** In so many steps the time of a patience passes. */
const STEPS = 16;

/**
 * Patience with somebody else, that does not pass while this process stands still itself: time passes in steps, and a step that comes
 * late counts once. What came meanwhile is read between two steps, so a node that is short of CPU does not take its own pause for the
 * silence of others.
 */
export class Patience {
  private left: number;
  private readonly take: () => void;

  /**
   * @param ms how long, in milliseconds.
   * @param lost called once, when it is at its end.
   * @param steps those of all that are as long, see {@link Patience.stepsOf}. Default: its own.
   */
  constructor(
    ms: number,
    lost: () => void,
    private readonly steps = Patience.stepsOf(ms),
  ) {
    // Never shorter than asked.
    this.left = steps.areUnderWay ? STEPS + 1 : STEPS;
    this.take = () => {
      this.left -= 1;
      if (this.left > 0) return;
      this.end();
      lost();
    };
    steps.begin(this.take);
  }

  /** The steps in which patiences of `ms` milliseconds pass, for many of them. */
  static stepsOf(ms: number): Steps {
    return new Steps(ms / STEPS);
  }

  /** Something was heard: it begins anew. */
  renew(): void {
    // The step under way may end at once: one more, so that it is never shorter than asked.
    this.left = STEPS + 1;
  }

  /** It is not needed any more. */
  end(): void {
    this.steps.end(this.take);
  }
}

/** What comes of a promise, or `late` when the patience with it, in milliseconds, ends first. @throws what the promise rejects with. */
export async function within<T>(ms: number, wanted: Promise<T>): Promise<T | 'late'> {
  let patience: Patience | undefined;
  const late = new Promise<'late'>((resolve) => {
    patience = new Patience(ms, () => resolve('late'));
  });
  try {
    return await Promise.race([wanted, late]);
  } finally {
    patience?.end();
  }
}
