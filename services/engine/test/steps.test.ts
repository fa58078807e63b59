import { Steps } from '../src/links/steps';

const STEP = 10;

/** Steps in which each taker notes its name. */
class Noted {
  readonly steps = new Steps(STEP);
  readonly taken: string[] = [];

  /** @param then what it does besides. */
  taker(name: string, then: () => void = () => undefined): () => void {
    return () => {
      this.taken.push(name);
      then();
    };
  }

  /** Who took this step. */
  next(): string[] {
    jest.advanceTimersByTime(STEP);
    return this.taken.splice(0);
  }
}

describe('steps', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('are taken by all who have begun, at the end of each', () => {
    const noted = new Noted();
    noted.steps.begin(noted.taker('one'));
    jest.advanceTimersByTime(STEP - 1);
    noted.steps.begin(noted.taker('other'));
    expect(noted.taken).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(noted.taken.splice(0)).toEqual(['one', 'other']);
    expect(noted.next()).toEqual(['one', 'other']);
  });

  it('are not taken any more by who was ended by another in the same step, and are by those behind it', () => {
    const noted = new Noted();
    const { steps } = noted;
    const second = noted.taker('second');
    const first = noted.taker('first', () => {
      steps.end(first);
      steps.end(second);
    });
    for (const each of [first, second, noted.taker('third')]) steps.begin(each);
    expect(noted.next()).toEqual(['first', 'third']);
    expect(noted.next()).toEqual(['third']);
  });

  it('are taken from the next one on by who begins during one', () => {
    const noted = new Noted();
    const late = noted.taker('late');
    noted.steps.begin(noted.taker('one', () => noted.steps.begin(late)));
    expect(noted.next()).toEqual(['one']);
    expect(noted.next()).toEqual(['one', 'late']);
  });

  it('need a timer only while somebody takes them', () => {
    const noted = new Noted();
    const { steps } = noted;
    const [one, other] = [noted.taker('one'), noted.taker('other')];
    expect([steps.areUnderWay, jest.getTimerCount()]).toEqual([false, 0]);
    for (const each of [one, other]) steps.begin(each);
    steps.end(one);
    expect([steps.areUnderWay, jest.getTimerCount()]).toEqual([true, 1]);
    steps.end(other);
    // Ended twice, as who is lost and is closed then.
    steps.end(other);
    expect([steps.areUnderWay, jest.getTimerCount(), noted.next()]).toEqual([false, 0, []]);
    steps.begin(one);
    steps.end(other);
    expect(noted.next()).toEqual(['one']);
  });
});
