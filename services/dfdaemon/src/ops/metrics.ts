import type { Traffic } from '@cdk8s-dragonfly/engine';
import { Counter, Registry } from 'prom-client';

/** What a df-daemon tells Prometheus (text exposition format 0.0.4). */
export class Metrics {
  private readonly registry = new Registry();

  /** @param traffic is read at each scrape. */
  constructor(traffic: () => Traffic) {
    new Counter({
      name: 'dragonfly_dfdaemon_bytes_total',
      help: 'Bytes of blobs, by where they came from: the own disk (local), peers, the supernode, the origin.',
      labelNames: ['source'] as const,
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [source, bytes] of Object.entries(traffic())) this.inc({ source }, bytes);
      },
    });
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  async text(): Promise<string> {
    return this.registry.metrics();
  }
}
