import { statfs } from 'node:fs/promises';

import type { TaskState } from '../tasks/task';
import type { HttpMeter } from './http-meter';
import type { LoopLag } from './loop-lag';
import { MetricsRegistry } from './registry';
import type { Readers, Sample } from './registry';
import type { TaskMeter } from './task-meter';
import type { TrafficMeter } from './traffic-meter';

/** So many tasks have a series of their own. */
const TASK_SERIES = 50;

/** How the original names the states of a task; what nobody wants yet waits. */
const CDN_STATUS = {
  idle: 'WAITING',
  waiting: 'WAITING',
  fetching: 'RUNNING',
  complete: 'SUCCESS',
  failed: 'FAILED',
} as const satisfies Readonly<Record<TaskState, string>>;

/** What the metrics are read from. */
export interface MetricSources {
  readonly version: string;
  readonly homeDir: string;
  readonly http: HttpMeter;
  readonly tasks: TaskMeter;
  readonly traffic: TrafficMeter;
  readonly lag: LoopLag;
  readonly states: () => Iterable<TaskState>;
  readonly originFetches: () => { readonly running: number; readonly waiting: number };
  readonly peers: () => number;
  readonly sessions: () => number;
  readonly connections: () => { readonly api: number; readonly pieces: number };
  /** What the store holds, and may hold; undefined: not known, or without a quota. */
  readonly store: () => { readonly bytes?: number | undefined; readonly quota?: number | undefined };
}

/** What a supernode tells Prometheus. */
export class SupernodeMetrics extends MetricsRegistry {
  private readonly disk: { free: number | undefined };

  constructor(private readonly sources: MetricSources) {
    const disk: { free: number | undefined } = { free: undefined };
    super(readersOf(sources, disk));
    this.disk = disk;
    sources.http.attach(this);
  }

  override async text(): Promise<string> {
    const { bavail, bsize } = await statfs(this.sources.homeDir);
    this.disk.free = bavail * bsize;
    return super.text();
  }
}

function readersOf(sources: MetricSources, disk: { readonly free: number | undefined }): Readers {
  const { http, tasks, traffic, lag } = sources;
  return {
    dragonfly_supernode_build_info: () => {
      const { arch, platform, versions } = process;
      return [{ value: 1, labels: { version: sources.version, nodeversion: versions.node, arch, os: platform } }];
    },
    dragonfly_supernode_http_requests_total: () => http.samples(),
    dragonfly_supernode_requests_abandoned_total: () => http.abandoned,
    dragonfly_supernode_connections: () => byLabel('port', sources.connections()),
    dragonfly_supernode_peers: sources.peers,
    dragonfly_supernode_sessions: sources.sessions,
    dragonfly_supernode_tasks: () => byLabel('cdnstatus', countStates(sources.states())),
    dragonfly_supernode_tasks_registered_total: () => tasks.registered,
    dragonfly_supernode_dfgettasks_registered_total: () => byLabel('protocol', traffic.registrations),
    dragonfly_supernode_dfgettasks_failed_total: () => byLabel('protocol', traffic.refusals),
    dragonfly_supernode_registrations_deferred_total: () => traffic.deferred,
    dragonfly_supernode_cdn_trigger_total: () => tasks.begun,
    dragonfly_supernode_cdn_cache_hit_total: () => tasks.hits,
    dragonfly_supernode_cdn_download_total: () => tasks.downloaded,
    dragonfly_supernode_cdn_download_failed_total: () => tasks.failed,
    dragonfly_supernode_origin_bytes_total: () => tasks.originBytes,
    dragonfly_supernode_holder_bytes_total: () => tasks.holderBytes,
    dragonfly_supernode_origin_fetches: () => byLabel('state', sources.originFetches()),
    dragonfly_supernode_origin_copies: () => allCopies(tasks),
    dragonfly_supernode_task_origin_copies: () =>
      tasks
        .copies()
        .slice(-TASK_SERIES)
        .filter(({ size }) => size > 0)
        .map(({ blob, bytes, size }) => ({ value: bytes / size, labels: { blob } })),
    dragonfly_supernode_served_bytes_total: () =>
      byLabel('to', { native: traffic.nativeBytes, original: traffic.originalBytes }),
    dragonfly_supernode_pieces_downloaded_size_bytes_total: () => traffic.nativeBytes + traffic.originalBytes,
    dragonfly_supernode_peer_served_bytes_total: () => traffic.peerBytes,
    dragonfly_supernode_store_bytes: () => present(sources.store().bytes),
    dragonfly_supernode_store_quota_bytes: () => present(sources.store().quota),
    dragonfly_supernode_store_free_bytes: () => present(disk.free),
    dragonfly_supernode_event_loop_lag_seconds: () => lag.samples(),
    process_cpu_seconds_total: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
    process_resident_memory_bytes: () => process.memoryUsage.rss(),
    process_start_time_seconds: () => Math.round(Date.now() / 1000 - process.uptime()),
  };
}

function byLabel(label: string, values: Readonly<Record<string, number>>): readonly Sample[] {
  return Object.entries(values).map(([name, value]) => ({ value, labels: { [label]: name } }));
}

function present(value: number | undefined): readonly Sample[] {
  return value === undefined ? [] : [{ value }];
}

function countStates(states: Iterable<TaskState>): Readonly<Record<string, number>> {
  const counts: Record<string, number> = { WAITING: 0, RUNNING: 0, SUCCESS: 0, FAILED: 0 };
  for (const state of states) {
    const status = CDN_STATUS[state];
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

/** No sample before the first task is whole. */
function allCopies(tasks: TaskMeter): readonly Sample[] {
  let bytes = 0;
  let size = 0;
  for (const task of tasks.copies()) {
    bytes += task.bytes;
    size += task.size;
  }
  return size === 0 ? [] : [{ value: bytes / size }];
}
