import { SESSION_PATH } from '@cdk8s-dragonfly/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';

import type { Observer } from './histogram';
import type { MetricsRegistry, Sample } from './registry';

interface Series {
  readonly labels: { readonly code: string; readonly handler: string; readonly method: string };
  readonly duration: Observer;
  readonly requestSize: Observer;
  readonly responseSize: Observer;
  count: number;
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

  answered(request: FastifyRequest, reply: FastifyReply): void {
    const { registry } = this;
    if (registry === undefined) return;
    // Routes, not paths: there are as many series as routes, whatever clients ask.
    const handler = request.routeOptions.url ?? 'none';
    const key = `${reply.statusCode} ${request.method} ${handler}`;
    const series = this.series.get(key) ?? this.begin(key, handler, request, reply, registry);
    series.count += 1;
    if (handler !== SESSION_PATH) series.duration.observe(reply.elapsedTime / 1000);
    series.requestSize.observe(lengthOf(request.headers['content-length']));
    series.responseSize.observe(lengthOf(reply.getHeader('content-length')));
  }

  samples(): readonly Sample[] {
    return [...this.series.values()].map(({ labels, count }) => ({ value: count, labels }));
  }

  private begin(
    key: string,
    handler: string,
    request: FastifyRequest,
    reply: FastifyReply,
    registry: MetricsRegistry,
  ): Series {
    const labels = { code: String(reply.statusCode), handler, method: request.method };
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

function lengthOf(header: unknown): number {
  const length = Number(header ?? 0);
  return Number.isFinite(length) ? length : 0;
}
