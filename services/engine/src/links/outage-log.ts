import type { LinkLog } from './link-log';

/** While an outage lasts, it is told again so often, in milliseconds. */
const TELL_EVERY = 60_000;

/** What it means for pulls, which is what somebody wants to know at night. */
const NOT_TAKEN = 'a supernode did not take a download, which goes on from neighbours and the registry';

interface Outage {
  readonly since: number;
  failures: number;
  /** Whether anybody was told. */
  isTold: boolean;
}

/**
 * Tells that a supernode takes no downloads, and that it does again: once each, however many downloads ask it however often, and once a minute
 * meanwhile. One that takes some and refuses others is told of once a minute and reason.
 */
export class OutageLog {
  private readonly outages = new Map<string, Outage>();
  /** What was told last of each. */
  private readonly told = new Map<string, { readonly why: string; readonly at: number }>();

  /** @param now milliseconds of a clock that does not jump. */
  constructor(
    private readonly log: LinkLog,
    private readonly now = (): number => performance.now(),
  ) {}

  /** It did not take a download. @param why one sentence. */
  failed(supernode: string, why: string): void {
    const now = this.now();
    const outage = this.outages.get(supernode) ?? { since: now, failures: 0, isTold: false };
    this.outages.set(supernode, outage);
    outage.failures += 1;
    const told = this.told.get(supernode);
    const isKnown = told !== undefined && now - told.at < TELL_EVERY && (outage.isTold || told.why === why);
    if (isKnown) {
      this.log.debug({ supernode, why }, 'a swarm could not be joined');
      return;
    }
    this.told.set(supernode, { why, at: now });
    if (outage.isTold) {
      const lasting = { seconds: seconds(now - outage.since), tries: outage.failures };
      this.log.warn({ supernode, why, ...lasting }, 'a supernode still takes no downloads');
    } else this.log.warn({ supernode, why }, NOT_TAKEN);
    outage.isTold = true;
  }

  /** It took a download. */
  took(supernode: string): void {
    const outage = this.outages.get(supernode);
    this.outages.delete(supernode);
    if (outage?.isTold !== true) return;
    const { since, failures } = outage;
    this.log.info(
      { supernode, seconds: seconds(this.now() - since), tries: failures },
      'a supernode takes downloads again',
    );
  }
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
