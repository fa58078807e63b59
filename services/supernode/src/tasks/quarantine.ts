import type { TaskSource } from './task';

/** For so long, in ms, a place that gave bytes of another digest is not asked for the blob again. */
const QUARANTINE = 60_000;

/** So many places are remembered a blob: those that lied last. */
const MOST = 8;

/** Where a blob would be fetched, whoever asks: credentials change nothing about which bytes are there. */
export function placeOf({ url, md5 }: TaskSource): string {
  return `${url.origin}${url.pathname} ${md5 ?? ''}`;
}

/** The places from which a blob came with another digest: a herd that asks again must not fetch the wrong bytes again and again. */
export class Quarantine {
  private readonly until = new Map<string, number>();

  /** @param now a monotonic clock, in ms. */
  constructor(private readonly now: () => number = () => performance.now()) {}

  add(source: TaskSource): void {
    const place = placeOf(source);
    this.until.delete(place);
    this.until.set(place, this.now() + QUARANTINE);
    for (const oldest of this.until.keys()) {
      if (this.until.size <= MOST) return;
      this.until.delete(oldest);
    }
  }

  has(source: TaskSource): boolean {
    return this.now() < (this.until.get(placeOf(source)) ?? -Infinity);
  }
}
