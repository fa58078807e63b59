/** How long a report counts, in milliseconds. */
export const REPORT_COUNTS = 60_000;

/** The word of one member counts against so many others at a time; a newer report takes the place of its oldest. */
const MOST_ACCUSED = 2;

/** So many members have to say it of another before it is avoided, or all its neighbours when it has fewer, but never one alone. */
const ENOUGH = 3;
const AT_LEAST = 2;

/** Which members others report to have failed, or to have sent what they should not. Pure. */
export class Reputation {
  /** By who is accused: who said so, and until when that counts. */
  private readonly reports = new Map<string, Map<string, number>>();
  /** By who said so: the accused, the newest at the end. */
  private readonly accused = new Map<string, string[]>();

  report(by: string, about: string, now: number): void {
    const others = (this.accused.get(by) ?? []).filter((one) => one !== about);
    while (others.length >= MOST_ACCUSED) this.withdraw(by, others.shift() ?? '');
    this.accused.set(by, [...others, about]);
    const reports = this.reports.get(about) ?? new Map<string, number>();
    this.reports.set(about, reports);
    reports.set(by, now + REPORT_COUNTS);
  }

  /** Whether enough of them say it of a member. @param neighbours how many it has. */
  isBad(about: string, neighbours: number, now: number): boolean {
    const counting = [...(this.reports.get(about)?.values() ?? [])].filter((until) => now < until).length;
    return counting >= Math.max(AT_LEAST, Math.min(ENOUGH, neighbours));
  }

  /** A member has left: what it said, and what was said of it, counts no more. */
  forget(member: string): void {
    for (const about of this.accused.get(member) ?? []) this.withdraw(member, about);
    this.accused.delete(member);
    for (const by of this.reports.get(member)?.keys() ?? []) {
      const others = (this.accused.get(by) ?? []).filter((one) => one !== member);
      if (others.length === 0) this.accused.delete(by);
      else this.accused.set(by, others);
    }
    this.reports.delete(member);
  }

  private withdraw(by: string, about: string): void {
    const reports = this.reports.get(about);
    reports?.delete(by);
    if (reports?.size === 0) this.reports.delete(about);
  }
}
