/** One metric of a df-daemon. */
export interface MetricSpec<Label extends string = string> {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly Label[];
  readonly help: string;
  /** Upper bounds, of a histogram. */
  readonly buckets?: readonly number[];
}

/** All that `GET /metrics` tells, by name; `docs/metrics.md` is made of this. */
export const METRICS = {
  dragonfly_dfdaemon_bytes_total: {
    type: 'counter',
    labels: ['source'],
    help: 'Bytes of blobs, by where they came from: the own disk (local), peers, the supernode, the origin.',
  },
  dragonfly_dfdaemon_responses_total: {
    type: 'counter',
    labels: ['kind', 'from', 'code'],
    help: 'Answers of the mirror, by what was asked for, who answered, and the status (0: the client left before there was one).',
  },
  dragonfly_dfdaemon_served_bytes_total: {
    type: 'counter',
    labels: ['from'],
    help: 'Bytes of blobs that container runtimes were given, through the swarm or straight from the registry.',
  },
  dragonfly_dfdaemon_first_byte_seconds: {
    type: 'histogram',
    labels: ['from'],
    help: 'Time from the request for a blob to its first byte, through the swarm.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  },
  dragonfly_dfdaemon_fallbacks_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Blobs that the registry gave because the swarm did not, by reason.',
  },
  dragonfly_dfdaemon_broken_responses_total: {
    type: 'counter',
    labels: [],
    help: 'Answers that ended in an error of ours, or before their end, those that clients left included.',
  },
  dragonfly_dfdaemon_verify_failures_total: {
    type: 'counter',
    labels: [],
    help: 'Blobs that came with another digest than their own; the end of such a blob is never given.',
  },
  dragonfly_dfdaemon_kept_manifests_total: {
    type: 'counter',
    labels: ['why'],
    help: 'Manifests that were answered without their registry: within the time of --tag-policy (ttl), or since it cannot be reached (stale).',
  },
  dragonfly_dfdaemon_store_bytes: { type: 'gauge', labels: [], help: 'Bytes that blobs take on disk.' },
  dragonfly_dfdaemon_store_blobs: { type: 'gauge', labels: [], help: 'Blobs on disk, whole or in part.' },
  dragonfly_dfdaemon_store_evicted: { type: 'gauge', labels: [], help: 'Blobs that had to go since the start.' },
} as const satisfies Readonly<Record<string, MetricSpec>>;

/** The names of the metrics of one type. */
export type NamesOf<Type extends MetricSpec['type']> = {
  [Name in keyof typeof METRICS]: (typeof METRICS)[Name]['type'] extends Type ? Name : never;
}[keyof typeof METRICS];

/** The labels of a metric. */
export type LabelsOf<Name extends keyof typeof METRICS> = (typeof METRICS)[Name]['labels'][number];
