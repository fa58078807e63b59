import { Counter, Gauge, Registry } from 'prom-client';

import { BoundHistogram } from './histogram';
import type { Observer } from './histogram';
import { METRICS } from './table';
import type { HistogramName, MetricSpec, ReadName } from './table';

/** A value with its labels. */
export interface Sample {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Where the values of each metric are read at a scrape; a number stands for one sample without labels. */
export type Readers = Readonly<Record<ReadName, () => number | readonly Sample[]>>;

/** The metrics of the table, for Prometheus (text exposition format 0.0.4). */
export class MetricsRegistry {
  private readonly registry = new Registry();
  private readonly histograms = new Map<string, BoundHistogram>();

  constructor(readers: Readers) {
    for (const [name, spec] of Object.entries<MetricSpec>(METRICS)) {
      const options = { name, help: spec.help, labelNames: [...spec.labels], registers: [this.registry] };
      if (spec.type === 'histogram') {
        const histogram = { name, help: spec.help, buckets: spec.buckets ?? [] };
        this.histograms.set(name, new BoundHistogram(histogram, this.registry));
        continue;
      }
      const samples = (): readonly Sample[] => {
        // The names of the table that are no histogram's are those of the readers, by their types.
        const read = readers[name as ReadName]();
        return typeof read === 'number' ? [{ value: read }] : read;
      };
      if (spec.type === 'counter') {
        new Counter({
          ...options,
          collect() {
            this.reset();
            for (const { labels = {}, value } of samples()) this.inc(labels, value);
          },
        });
      } else {
        new Gauge({
          ...options,
          collect() {
            this.reset();
            // What is not known is absent, not 0.
            if (spec.labels.length === 0) this.remove({});
            for (const { labels = {}, value } of samples()) this.set(labels, value);
          },
        });
      }
    }
  }

  /** What takes the observations of a histogram with these labels; to be asked for once, and kept. */
  observer(name: HistogramName, labels: Readonly<Record<string, string>> = {}): Observer {
    const histogram = this.histograms.get(name);
    if (histogram === undefined) throw new TypeError(`there is no histogram ${name}`);
    return histogram.labels(labels);
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  async text(): Promise<string> {
    return this.registry.metrics();
  }
}
