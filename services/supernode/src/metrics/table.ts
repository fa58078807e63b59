/** One metric of the supernode. */
export interface MetricSpec {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  /** Whether the original supernode 0.4.3 has one of this name. */
  readonly original: boolean;
  readonly help: string;
  /** Upper bounds, of a histogram. */
  readonly buckets?: readonly number[];
}

const HTTP = ['code', 'handler', 'method'] as const;
const SIZES = [100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9] as const;

/** All that `GET /metrics` tells, by name; `docs/metrics.md` is made of this. */
export const METRICS = {
  dragonfly_supernode_build_info: {
    type: 'gauge',
    labels: ['version', 'nodeversion', 'arch', 'os'],
    original: true,
    help: 'Always 1; the labels tell what runs.',
  },
  dragonfly_supernode_http_requests_total: {
    type: 'counter',
    labels: HTTP,
    original: true,
    help: 'Requests to the control API.',
  },
  dragonfly_supernode_http_request_duration_seconds: {
    type: 'histogram',
    labels: HTTP,
    original: true,
    help: 'Time from the head of a request to the end of its answer; sessions are left out.',
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.2, 0.4, 1, 3, 8],
  },
  dragonfly_supernode_http_request_size_bytes: {
    type: 'histogram',
    labels: HTTP,
    original: true,
    help: 'Bodies of requests to the control API, as announced.',
    buckets: SIZES,
  },
  dragonfly_supernode_http_response_size_bytes: {
    type: 'histogram',
    labels: HTTP,
    original: true,
    help: 'Bodies of answers of the control API, as announced.',
    buckets: SIZES,
  },
  dragonfly_supernode_requests_abandoned_total: {
    type: 'counter',
    labels: [],
    original: false,
    help: 'Requests that were not begun: their clients had closed the connection while they waited for their turn.',
  },
  dragonfly_supernode_connections: {
    type: 'gauge',
    labels: ['port'],
    original: false,
    help: 'Open connections, at the control API (api) and the piece server (pieces).',
  },
  dragonfly_supernode_peers: {
    type: 'gauge',
    labels: [],
    original: true,
    help: 'Peers that are remembered, at most 10,000. The original has one series a peer instead, of the value 1.',
  },
  dragonfly_supernode_sessions: {
    type: 'gauge',
    labels: [],
    original: false,
    help: 'Daemons of the native protocol with an open session.',
  },
  dragonfly_supernode_tasks: {
    type: 'gauge',
    labels: ['cdnstatus'],
    original: true,
    help: 'Tasks by the state of their download: WAITING, RUNNING, SUCCESS, FAILED.',
  },
  dragonfly_supernode_tasks_registered_total: {
    type: 'counter',
    labels: [],
    original: true,
    help: 'Tasks that were new.',
  },
  dragonfly_supernode_dfgettasks_registered_total: {
    type: 'counter',
    labels: ['protocol'],
    original: true,
    help: 'Registrations taken, of original clients (original) and of ours (native). The original has the label callsystem.',
  },
  dragonfly_supernode_dfgettasks_failed_total: {
    type: 'counter',
    labels: ['protocol'],
    original: true,
    help: 'Registrations refused. The original has the label callsystem.',
  },
  dragonfly_supernode_registrations_deferred_total: {
    type: 'counter',
    labels: [],
    original: false,
    help: 'Registrations that were told to come again, since more came at once than could be taken in.',
  },
  dragonfly_supernode_schedule_duration_milliseconds: {
    type: 'histogram',
    labels: [],
    original: true,
    help: 'Time of a placement decision: neighbours and shares of a daemon. The original has the label peer.',
    buckets: [0.05, 0.1, 0.5, 1, 5, 10, 50, 100, 500, 1000],
  },
  dragonfly_supernode_cdn_trigger_total: {
    type: 'counter',
    labels: [],
    original: true,
    help: 'Downloads from an origin, or from what an earlier process left, that were begun.',
  },
  dragonfly_supernode_cdn_cache_hit_total: {
    type: 'counter',
    labels: [],
    original: true,
    help: 'Downloads that needed no byte of the origin.',
  },
  dragonfly_supernode_cdn_download_total: {
    type: 'counter',
    labels: [],
    original: true,
    help: 'Downloads that took bytes of the origin and are whole.',
  },
  dragonfly_supernode_cdn_download_failed_total: {
    type: 'counter',
    labels: [],
    original: true,
    help: 'Downloads that failed.',
  },
  dragonfly_supernode_origin_bytes_total: {
    type: 'counter',
    labels: [],
    original: false,
    help: 'Bytes of bodies that came from origins.',
  },
  dragonfly_supernode_holder_bytes_total: {
    type: 'counter',
    labels: [],
    original: false,
    help: 'Bytes that the supernode took from daemons that held them, instead of from an origin.',
  },
  dragonfly_supernode_origin_fetches: {
    type: 'gauge',
    labels: ['state'],
    original: false,
    help: 'Blobs that are fetched from their origins (running), and those that wait for their turn (waiting): 64 of one origin at a time, 128 in all.',
  },
  dragonfly_supernode_origin_copies: {
    type: 'gauge',
    labels: [],
    original: false,
    help: 'Bytes from origins for each byte of the last 1,000 tasks that are whole: 1 is one copy.',
  },
  dragonfly_supernode_task_origin_copies: {
    type: 'gauge',
    labels: ['blob'],
    original: false,
    help: 'Bytes from the origin for each byte of the task, for the last 50 tasks that are whole.',
  },
  dragonfly_supernode_served_bytes_total: {
    type: 'counter',
    labels: ['to'],
    original: false,
    help: 'Bytes that the piece server gave, as blocks to our daemons (native) and as pieces to original clients (original).',
  },
  dragonfly_supernode_pieces_downloaded_size_bytes_total: {
    type: 'counter',
    labels: [],
    original: true,
    help: 'Bytes that the piece server gave, to all.',
  },
  dragonfly_supernode_peer_served_bytes_total: {
    type: 'counter',
    labels: [],
    original: false,
    help: 'Bytes that original clients report to have from each other; our daemons tell theirs themselves.',
  },
  dragonfly_supernode_store_bytes: {
    type: 'gauge',
    labels: [],
    original: false,
    help: 'Bytes of blobs in the store; absent when not known.',
  },
  dragonfly_supernode_store_quota_bytes: {
    type: 'gauge',
    labels: [],
    original: false,
    help: 'The most bytes that the store may hold; absent when there is no quota.',
  },
  dragonfly_supernode_store_free_bytes: {
    type: 'gauge',
    labels: [],
    original: false,
    help: 'Free space on the file system of the store.',
  },
  dragonfly_supernode_event_loop_lag_seconds: {
    type: 'gauge',
    labels: ['quantile'],
    original: false,
    help: 'By how much timers were late since the last scrape: quantiles 0.5, 0.99 and 1.',
  },
  process_cpu_seconds_total: {
    type: 'counter',
    labels: [],
    original: true,
    help: 'User and system time of the process.',
  },
  process_resident_memory_bytes: {
    type: 'gauge',
    labels: [],
    original: true,
    help: 'Memory of the process.',
  },
  process_start_time_seconds: {
    type: 'gauge',
    labels: [],
    original: true,
    help: 'When the process began, in seconds since 1970.',
  },
} as const satisfies Readonly<Record<string, MetricSpec>>;

/** The name of a metric. */
export type MetricName = keyof typeof METRICS;

type NamesOf<Type extends MetricSpec['type']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never;
}[MetricName];

/** Those that are read at each scrape. */
export type ReadName = NamesOf<'counter' | 'gauge'>;

/** Those that are told of each observation. */
export type HistogramName = NamesOf<'histogram'>;
