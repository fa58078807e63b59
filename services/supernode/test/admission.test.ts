import { Admission } from '../src/tasks/admission';

describe('registrations that come at once', () => {
  let count = 0;
  let worked = 0;
  /** Of an event loop that has no time left. */
  const busy = (): number => (worked += 1e9);
  const from = (name: string, more: { waits?: boolean; queued?: number } = {}): Parameters<Admission['wait']>[0] => ({
    name,
    waits: true,
    queued: 0,
    ...more,
  });
  const another = (queued = 0): ReturnType<typeof from> => from(`daemon-${(count += 1)}`, { queued });

  it('are taken in while they need not wait for long, and then one after the other, each at its time', () => {
    const admission = new Admission(Math.random, busy);
    const waits = Array.from({ length: 2000 }, () => admission.wait(another(), 1000));
    // One takes 1 ms as long as nothing is known of it.
    expect(waits.filter((wait) => wait === 0)).toHaveLength(1001);
    expect(waits.slice(1001)).toEqual(Array.from({ length: 999 }, (_, place) => 1001 + place));
    // A quarter of them has had its turn: whoever comes now is behind all others.
    expect(admission.wait(another(), 1500)).toBe(1500);
    expect(admission.wait(another(), 60_000)).toBe(0);
  });

  it('are as far apart as their work and what is around it takes, a pause of the process left out', () => {
    const admission = new Admission(Math.random, busy);
    for (let taken = 0; taken < 500; taken += 1) admission.took(0.25, 0);
    const waits = Array.from({ length: 2401 }, () => admission.wait(another(), 0));
    expect(Math.abs((waits.at(-1) ?? 0) - 1200)).toBeLessThanOrEqual(1);
    admission.took(60_000, 0);
    admission.wait(another(), 10_000);
    for (let more = 0; more < 2000; more += 1) admission.wait(another(), 10_000);
    expect(admission.wait(another(), 10_000)).toBeLessThan(1500);
  });

  it('are as far apart as the event loop needs for them when it does little else, and no farther when it has other work', () => {
    let active = 0;
    const admission = new Admission(Math.random, () => active);
    const lastOf = (registrations: number, now: number): number => {
      let last = 0;
      for (let more = 0; more < registrations; more += 1) last = admission.wait(another(), now);
      return last;
    };
    /** A second in which so many registrations of 0.5 ms are taken in, and the event loop works all the time. */
    const second = (now: number, registrations: number): void => {
      for (let taken = 1; taken <= registrations; taken += 1) {
        active += 1000 / registrations;
        admission.took(0.5, now + (1000 * taken) / registrations);
      }
    };
    for (let seconds = 0; seconds < 5; seconds += 1) second(seconds * 1000, 500);
    expect(Math.abs(lastOf(2001, 10_000) - 4000)).toBeLessThanOrEqual(40);
    // A tenth of the time is for them: what the rest is for says nothing of what they take.
    for (let seconds = 20; seconds < 25; seconds += 1) second(seconds * 1000, 200);
    expect(Math.abs(lastOf(2001, 30_000) - 4000)).toBeLessThanOrEqual(40);
    for (let seconds = 40; seconds < 45; seconds += 1) second(seconds * 1000, 1000);
    expect(Math.abs(lastOf(2001, 50_000) - 2000)).toBeLessThanOrEqual(40);
  });

  it('come later when those before wait for long, whatever they cost, and within three minutes', () => {
    const admission = new Admission(Math.random, busy);
    expect(admission.wait(another(1800), 0)).toBe(1800);
    expect(admission.wait(another(190_000), 10_000)).toBe(180_000);
    expect(admission.wait(another(), 10_001)).toBe(0);
  });

  it('keep their turn when they come again before it, and are taken in then, however many have come meanwhile', () => {
    const admission = new Admission(Math.random, busy);
    for (let more = 0; more < 3000; more += 1) admission.wait(another(), 0);
    const one = from('one');
    expect(admission.wait(one, 0)).toBe(3000);
    for (let more = 0; more < 3000; more += 1) admission.wait(another(), 100);
    expect(admission.wait(one, 500)).toBe(2500);
    expect(admission.wait(another(), 500)).toBe(5501);
    expect(admission.wait({ ...one, queued: 5000 }, 3000)).toBe(0);
    // Who was taken in and has lost its place has it back, for a while.
    expect(admission.wait(one, 4000)).toBe(0);
    for (let more = 0; more < 3000; more += 1) admission.wait(another(), 64_000);
    expect(admission.wait(one, 64_000)).toBe(3000);
  });

  it('have their turn within 5 s when they do not say that they wait for it', () => {
    const admission = new Admission(Math.random, busy);
    for (let more = 0; more < 6000; more += 1) admission.wait(another(), 0);
    // As daemons of builds before: they come every 2.5 s, and to the origin after the fourth time.
    const old = from('old', { waits: false });
    expect([0, 2500, 5000].map((now) => admission.wait(old, now))).toEqual([5000, 2500, 0]);
  });

  it('of a flood that is more than three minutes take are spread over the second half of them, and hold up nobody after it', () => {
    let chance = 0;
    const admission = new Admission(() => (chance = (chance + 0.25) % 1), busy);
    // One takes 5 ms at most: so many fill three minutes.
    for (let taken = 0; taken < 500; taken += 1) admission.took(1000, 0);
    for (let more = 0; more < 36_000; more += 1) admission.wait(another(), 0);
    const flood = Array.from({ length: 4 }, () => admission.wait(another(), 0));
    expect(flood).toEqual([157_500, 135_000, 112_500, 180_000]);
    expect(admission.wait(another(), 90_000)).toBe(90_000);
    expect(admission.wait(another(), 181_000)).toBe(0);
  });

  it('do not wait for those who have a turn and do not come, once the event loop has time left', () => {
    let active = 0;
    const admission = new Admission(Math.random, () => active);
    for (let more = 0; more < 60_000; more += 1) admission.wait(another(), 0);
    // It has worked for three quarters of the second, so those that were told to come are still coming.
    active = 750;
    expect(admission.wait(another(), 1000)).toBe(59_000);
    active += 400;
    expect(admission.wait(another(), 2000)).toBe(0);
  });

  it('have the place of the herd they came with, when they were taken in and have lost it at once', () => {
    const admission = new Admission(Math.random, busy);
    for (let more = 0; more < 500; more += 1) admission.wait(another(), 0);
    const one = from('one');
    expect(admission.wait(one, 0)).toBe(0);
    for (let more = 0; more < 10_000; more += 1) admission.wait(another(), 0);
    expect(admission.wait(one, 5000)).toBe(0);
    expect(admission.wait(another(), 5000)).toBeGreaterThan(5000);
  });
});
