import { OriginError, valuesOf } from '@cdk8s-dragonfly/origin';

import { DigestMismatch } from './failure';
import { placeOf } from './quarantine';
import type { TaskSource } from './task';

/** Statuses that tell of who asked, or from where, rather than of the blob: registries answer 404 for what one may not see. */
export const REFUSALS: ReadonlySet<number | undefined> = new Set([401, 403, 404, 407]);

/** So many sources of those that wait are kept: the newest, whose tokens last longest. */
const KEPT = 8;

/** So many sources are tried for one fetch. */
const TRIED = 4;

/** Where those who wait for a fetch would have the blob from, for when its own source is refused. */
export class OtherSources {
  private kept: TaskSource[] = [];
  private tried: TaskSource[] = [];

  /** A fetch begins with this source. */
  begin(source: TaskSource): void {
    this.kept = [];
    this.tried = [source];
  }

  /** Somebody else wants the blob. */
  add(source: TaskSource): void {
    if ([...this.tried, ...this.kept].some((known) => isSameSource(known, source))) return;
    this.kept = [...this.kept, source].slice(-KEPT);
  }

  /** What to try after a failure: the newest source that was not tried, if another can do better; else undefined. */
  after(error: unknown): TaskSource | undefined {
    if (this.tried.length >= TRIED) return undefined;
    // Another place may have the right bytes; the same one has them for nobody.
    if (error instanceof DigestMismatch) {
      const tried = new Set(this.tried.map(placeOf));
      this.kept = this.kept.filter((source) => !tried.has(placeOf(source)));
    } else if (!(error instanceof OriginError && error.kind === 'status' && REFUSALS.has(error.status))) {
      return undefined;
    }
    const next = this.kept.pop();
    if (next !== undefined) this.tried.push(next);
    return next;
  }

  /** No credentials are kept for longer than they are of use. */
  clear(): void {
    this.kept = [];
    this.tried = [];
  }
}

/** Whether an origin has no reason to answer the two differently. */
export function isSameSource(one: TaskSource, other: TaskSource): boolean {
  return one.url.href === other.url.href && one.md5 === other.md5 && credentials(one) === credentials(other);
}

function credentials({ headers }: TaskSource): string {
  return ['authorization', 'cookie'].flatMap((name) => valuesOf(headers, name)).join('\n');
}
