import { Admission } from '../src/tasks/admission';

describe('registrations that come at once', () => {
  it('are taken in while they need not wait for long, and then one after the other, each at its time', () => {
    const admission = new Admission();
    const waits = Array.from({ length: 2000 }, () => admission.wait(1000, 0));
    // One takes 1 ms as long as nothing is known of it.
    expect(waits.filter((wait) => wait === 0)).toHaveLength(1001);
    expect(waits.slice(1001)).toEqual(Array.from({ length: 999 }, (_, place) => 1001 + place));
    // A quarter of them has had its turn: whoever comes now is behind all others.
    expect(admission.wait(1500, 0)).toBe(1500);
    expect(admission.wait(60_000, 0)).toBe(0);
  });

  it('are as far apart as their work and what is around it takes, a pause of the process left out', () => {
    const admission = new Admission();
    for (let taken = 0; taken < 500; taken += 1) admission.took(0.25);
    const waits = Array.from({ length: 2401 }, () => admission.wait(0, 0));
    expect(Math.abs((waits.at(-1) ?? 0) - 1200)).toBeLessThanOrEqual(1);
    admission.took(60_000);
    admission.wait(10_000, 0);
    for (let more = 0; more < 2000; more += 1) admission.wait(10_000, 0);
    expect(admission.wait(10_000, 0)).toBeLessThan(1500);
  });

  it('come later when those before wait for long, whatever they cost, and within a minute', () => {
    const admission = new Admission();
    expect(admission.wait(0, 1800)).toBe(1800);
    expect(admission.wait(10_000, 90_000)).toBe(60_000);
    expect(admission.wait(10_001, 0)).toBe(0);
  });

  it('are told a minute at most, and whoever comes after a flood of them no more', () => {
    const admission = new Admission();
    for (let more = 0; more < 200_000; more += 1) admission.wait(0, 0);
    expect(admission.wait(0, 0)).toBe(60_000);
    expect(admission.wait(30_000, 0)).toBe(30_000);
    expect(admission.wait(61_000, 0)).toBe(0);
  });
});
