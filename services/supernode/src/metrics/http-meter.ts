import { SESSION_PATH } from '@cdk8s-dragonfly/protocol';

import type { Observer } from './histogram';
import type { MetricsRegistry, Sample } from './registry';

interface Series {
  readonly labels: { readonly code: string; readonly handler: string; readonly method: string };
  readonly duration: Observer;
  readonly requestSize: Observer;
  readonly responseSize: Observer;
  count: number;
}

/** An answer that is out. */
export interface Answered {
  /** That of the request, for the log. */
  readonly id: string;
  readonly method: string;
  readonly path: string;
  /** The path of its route, as it stands in the code. */
  readonly route: string;
  /** The HTTP status. */
  readonly status: number;
  /** From the request to the end of the answer, in milliseconds. */
  readonly ms: number;
  /** The length of the request's body, in bytes. */
  readonly taken: number;
  /** The length of the answer's body, in bytes. */
  readonly given: number;
}

/** Counts the answers of the control API by route, method and status. */
export class HttpMeter {
  /** Requests whose clients were gone before their turn. */
  abandoned = 0;
  private readonly series = new Map<string, Series>();
  private registry: MetricsRegistry | undefined;

  /** Begins to count. */
  attach(registry: MetricsRegistry): void {
    this.registry = registry;
  }

  answered({ status, method, route, ms, taken, given }: Answered): void {
    const { registry } = this;
    if (registry === undefined) return;
    const key = `${status} ${method} ${route}`;
    const series = this.series.get(key) ?? this.begin(key, { code: String(status), handler: route, method }, registry);
    series.count += 1;
    if (route !== SESSION_PATH) series.duration.observe(ms / 1000);
    series.requestSize.observe(taken);
    series.responseSize.observe(given);
  }

  samples(): readonly Sample[] {
    return [...this.series.values()].map(({ labels, count }) => ({ value: count, labels }));
  }

  private begin(key: string, labels: Series['labels'], registry: MetricsRegistry): Series {
    const series: Series = {
      labels,
      duration: registry.observer('dragonfly_supernode_http_request_duration_seconds', labels),
      requestSize: registry.observer('dragonfly_supernode_http_request_size_bytes', labels),
      responseSize: registry.observer('dragonfly_supernode_http_response_size_bytes', labels),
      count: 0,
    };
    this.series.set(key, series);
    return series;
  }
}
