import type { Traffic, UnavailableReason } from '@cdk8s-dragonfly/engine';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

import type { ResponseRecord } from '../mirror/response-record';
import { METRICS } from './metrics-table';
import type { LabelsOf, MetricSpec, NamesOf } from './metrics-table';

/** What is read of a node of the swarm at each scrape. */
export interface MeasuredNode {
  readonly traffic: Traffic;
  /** What its store holds. */
  readonly usage: { readonly blobs: number; readonly bytes: number; readonly evicted: number };
}

/** The answers that runtimes usually get. */
const ERRORS = [500, 502, 503, 504];
const USUAL: readonly (Pick<ResponseRecord, 'kind' | 'from'> & { readonly codes: readonly number[] })[] = [
  { kind: 'ping', from: 'registry', codes: [200, 401, ...ERRORS] },
  { kind: 'ping', from: 'mirror', codes: [200, 401] },
  { kind: 'manifest', from: 'registry', codes: [200, 401, 404, ...ERRORS] },
  { kind: 'manifest', from: 'mirror', codes: [200] },
  { kind: 'blob', from: 'swarm', codes: [200, 206] },
  { kind: 'blob', from: 'registry', codes: [200, 206, 307, 401, 404, ...ERRORS] },
];

/** Why a blob may come from the registry. */
const REASONS = {
  'not-authorized': 0,
  'origin-status': 0,
  'origin-unreachable': 0,
  'origin-forbidden': 0,
  'digest-mismatch': 0,
  changed: 0,
  unstorable: 0,
} as const satisfies Readonly<Record<UnavailableReason | 'not-authorized', 0>>;

/** What a df-daemon tells Prometheus (text exposition format 0.0.4). */
export class Metrics {
  private readonly registry = new Registry();
  private readonly responses = this.counter('dragonfly_dfdaemon_responses_total');
  private readonly served = this.counter('dragonfly_dfdaemon_served_bytes_total');
  private readonly firstByte = this.histogram('dragonfly_dfdaemon_first_byte_seconds');
  private readonly fallbacks = this.counter('dragonfly_dfdaemon_fallbacks_total');
  private readonly broken = this.counter('dragonfly_dfdaemon_broken_responses_total');
  private readonly mismatches = this.counter('dragonfly_dfdaemon_verify_failures_total');
  private readonly kept = this.counter('dragonfly_dfdaemon_kept_manifests_total');

  constructor(node: MeasuredNode) {
    this.counter('dragonfly_dfdaemon_bytes_total', (counter) => {
      counter.reset();
      for (const [source, bytes] of Object.entries(node.traffic)) counter.inc({ source }, bytes);
    });
    this.gauge('dragonfly_dfdaemon_store_bytes', () => node.usage.bytes);
    this.gauge('dragonfly_dfdaemon_store_blobs', () => node.usage.blobs);
    this.gauge('dragonfly_dfdaemon_store_evicted', () => node.usage.evicted);
    this.begin();
  }

  /** Prometheus sees no rate in a series that begins with its first count: those that alerts use are there from the start. */
  private begin(): void {
    for (const { kind, from, codes } of USUAL) {
      for (const code of codes) this.responses.inc({ kind, from, code: `${code}` }, 0);
    }
    for (const [reason, none] of Object.entries(REASONS)) this.fallbacks.inc({ reason }, none);
    for (const why of ['ttl', 'stale']) this.kept.inc({ why }, 0);
    this.firstByte.zero({ from: 'swarm' });
  }

  /** Takes note of an answer that has ended. */
  record(record: ResponseRecord): void {
    const { kind, method, from, status, bytes, firstByteMs, passedOnBecause, reason, error, manifest } = record;
    this.responses.inc({ kind, from, code: `${status}` });
    if (error !== undefined) this.broken.inc();
    if (reason === 'digest-mismatch') this.mismatches.inc();
    if (manifest === 'kept' || manifest === 'stale') this.kept.inc({ why: manifest === 'kept' ? 'ttl' : 'stale' });
    if (kind !== 'blob' || method !== 'GET') return;
    this.served.inc({ from }, bytes);
    if (firstByteMs !== undefined) this.firstByte.observe({ from }, firstByteMs / 1000);
    if (passedOnBecause !== undefined) this.fallbacks.inc({ reason: reason ?? 'not-authorized' });
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  async text(): Promise<string> {
    return this.registry.metrics();
  }

  /** @param read what sets its values at a scrape, unless they are counted as they come. */
  private counter<Name extends NamesOf<'counter'>>(
    name: Name,
    read?: (counter: Counter<LabelsOf<Name>>) => void,
  ): Counter<LabelsOf<Name>> {
    const collect = read && {
      collect(this: Counter<LabelsOf<Name>>) {
        read(this);
      },
    };
    return new Counter({ ...this.options(name), ...collect });
  }

  private histogram<Name extends NamesOf<'histogram'>>(name: Name): Histogram<LabelsOf<Name>> {
    return new Histogram({ ...this.options(name), buckets: [...METRICS[name].buckets] });
  }

  private gauge(name: NamesOf<'gauge'>, read: () => number): void {
    new Gauge({
      ...this.options(name),
      collect() {
        this.set(read());
      },
    });
  }

  private options<Name extends keyof typeof METRICS>(name: Name) {
    const { help, labels }: MetricSpec<LabelsOf<Name>> = METRICS[name];
    return { name, help, labelNames: [...labels], registers: [this.registry] };
  }
}
