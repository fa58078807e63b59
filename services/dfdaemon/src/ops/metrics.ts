import type { Traffic } from '@cdk8s-dragonfly/engine';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

import type { ResponseRecord } from '../mirror/response-record';

/** What is read of a node of the swarm at each scrape. */
export interface MeasuredNode {
  readonly traffic: Traffic;
  /** What its store holds. */
  readonly usage: { readonly blobs: number; readonly bytes: number; readonly evicted: number };
}

/** What a df-daemon tells Prometheus (text exposition format 0.0.4). */
export class Metrics {
  private readonly registry = new Registry();
  private readonly responses: Counter<'kind' | 'from' | 'code'>;
  private readonly served: Counter<'from'>;
  private readonly firstByte: Histogram<'from'>;
  private readonly fallbacks: Counter<'reason'>;
  private readonly broken: Counter;
  private readonly mismatches: Counter;
  private readonly kept: Counter<'why'>;

  constructor(node: MeasuredNode) {
    const registers = [this.registry];
    new Counter({
      name: 'dragonfly_dfdaemon_bytes_total',
      help: 'Bytes of blobs, by where they came from: the own disk (local), peers, the supernode, the origin.',
      labelNames: ['source'] as const,
      registers,
      collect() {
        this.reset();
        for (const [source, bytes] of Object.entries(node.traffic)) this.inc({ source }, bytes);
      },
    });
    this.responses = new Counter({
      name: 'dragonfly_dfdaemon_responses_total',
      help: 'Answers of the mirror, by what was asked for, who answered, and the status (0: the client left before there was one).',
      labelNames: ['kind', 'from', 'code'] as const,
      registers,
    });
    this.served = new Counter({
      name: 'dragonfly_dfdaemon_served_bytes_total',
      help: 'Bytes of blobs that container runtimes were given, through the swarm or straight from the registry.',
      labelNames: ['from'] as const,
      registers,
    });
    this.firstByte = new Histogram({
      name: 'dragonfly_dfdaemon_first_byte_seconds',
      help: 'Time from the request for a blob to its first byte, through the swarm.',
      labelNames: ['from'] as const,
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    });
    this.fallbacks = new Counter({
      name: 'dragonfly_dfdaemon_fallbacks_total',
      help: 'Blobs that the registry gave because the swarm did not, by reason.',
      labelNames: ['reason'] as const,
      registers,
    });
    this.broken = new Counter({
      name: 'dragonfly_dfdaemon_broken_responses_total',
      help: 'Answers that ended in an error of ours, or before their end, those that clients left included.',
      registers,
    });
    this.mismatches = new Counter({
      name: 'dragonfly_dfdaemon_verify_failures_total',
      help: 'Blobs that came with another digest than their own; the end of such a blob is never given.',
      registers,
    });
    this.kept = new Counter({
      name: 'dragonfly_dfdaemon_kept_manifests_total',
      help: 'Manifests that were answered without their registry: within the time of --tag-policy (ttl), or since it cannot be reached (stale).',
      labelNames: ['why'] as const,
      registers,
    });
    const gauge = (name: string, help: string, value: () => number): void => {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value());
        },
      });
    };
    gauge('dragonfly_dfdaemon_store_bytes', 'Bytes that blobs take on disk.', () => node.usage.bytes);
    gauge('dragonfly_dfdaemon_store_blobs', 'Blobs on disk, whole or in part.', () => node.usage.blobs);
    gauge('dragonfly_dfdaemon_store_evicted', 'Blobs that had to go since the start.', () => node.usage.evicted);
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
}
