import { OriginError } from '@cdk8s-dragonfly/origin';
import type { TaskFailure } from '@cdk8s-dragonfly/protocol';

import { failureOf } from './failure';
import { REFUSALS, isSameSource } from './other-sources';
import { placeOf } from './quarantine';
import type { TaskSource } from './task';

/** For so long, in ms, an origin is not asked again for what it has just refused. */
export const HELD_BACK = 5000;

/** So many are remembered: the last ones. */
const MOST = 8;

interface Refusal {
  readonly source: TaskSource;
  /** Whether the supernode may not ask there, whoever wants it to. */
  readonly isForbidden: boolean;
  readonly failure: TaskFailure;
  readonly until: number;
}

/**
 * What was just refused to whom. A herd that comes for it is told so: each of its daemons would have the origin asked anew, and all others told
 * of it twice.
 */
export class Refusals {
  /** The newest first. */
  private recent: readonly Refusal[] = [];

  /** @param now a monotonic clock, in ms. */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** A source was asked, or was not to be asked, and this came of it. */
  add(source: TaskSource, error: unknown): void {
    if (!(error instanceof OriginError)) return;
    const isForbidden = error.kind === 'forbidden';
    if (!isForbidden && !REFUSALS.has(error.status)) return;
    const refusal = { source, isForbidden, failure: failureOf(error), until: this.now() + HELD_BACK };
    this.recent = [refusal, ...this.current].slice(0, MOST);
  }

  /** How a source was refused, if it was and would be again. Other credentials may do better. */
  of(source: TaskSource): TaskFailure | undefined {
    this.recent = this.current;
    return this.recent.find((refusal) =>
      refusal.isForbidden ? placeOf(refusal.source) === placeOf(source) : isSameSource(refusal.source, source),
    )?.failure;
  }

  /** Those that count still: no credentials are kept for longer. */
  private get current(): readonly Refusal[] {
    const now = this.now();
    return this.recent.filter(({ until }) => now < until);
  }
}
