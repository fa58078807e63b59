import type { Closeable } from '@cdk8s-dragonfly/command';
import { commandVersion } from '@cdk8s-dragonfly/command';
import { RESULT_CODE } from '@cdk8s-dragonfly/protocol';
import type { ClassicAnswer, RegistryRequest } from '@cdk8s-dragonfly/protocol';

import type { Routes } from './fronts/api-server';
import { opsRoutes } from './fronts/ops-routes';
import { peerRoutes } from './fronts/peer-routes';
import { PeerTable } from './fronts/peer-table';
import { Readiness } from './fronts/readiness';
import { HttpMeter } from './metrics/http-meter';
import { LoopLag } from './metrics/loop-lag';
import { SupernodeMetrics } from './metrics/supernode-metrics';
import type { MetricSources } from './metrics/supernode-metrics';
import { TaskMeter } from './metrics/task-meter';
import { TrafficMeter } from './metrics/traffic-meter';
import type { Address } from './tasks/advertised';

/** The part of a supernode that operators look at. */
export interface OperationsOptions extends Pick<
  MetricSources,
  'homeDir' | 'states' | 'originFetches' | 'sessions' | 'connections' | 'store'
> {
  /** The supernode's piece server, as clients reach it. */
  readonly advertised: Address;
  /** The parts that must take requests for the supernode to be ready, by name. */
  readonly parts: () => ReadonlyMap<string, boolean>;
}

/** What is counted while the supernode works, and how it is shown. */
export class Operations implements Closeable {
  readonly http = new HttpMeter();
  readonly tasks = new TaskMeter();
  readonly traffic = new TrafficMeter();
  private readonly peers = new PeerTable();
  private readonly lag = new LoopLag();
  private placements: { observe(ms: number): void } | undefined;

  /** Begins to measure. */
  start(): void {
    this.lag.start();
  }

  async stop(): Promise<void> {
    this.lag.stop();
    return Promise.resolve();
  }

  /** Takes note of a registration and its answer. */
  registered(request: RegistryRequest, answer: ClassicAnswer): void {
    this.traffic.registered(request, answer);
    const { hostName = '', ip, port, version = '' } = request;
    if (answer.code === RESULT_CODE.success) this.peers.add({ hostName, IP: ip, port, version });
  }

  /** Takes note of how long a placement decision took, in ms. */
  placed(ms: number): void {
    this.placements?.observe(ms);
  }

  /** Health, version, metrics and the list of peers. */
  routes(options: OperationsOptions): readonly Routes[] {
    const version = commandVersion();
    const { advertised, homeDir, parts } = options;
    const metrics = new SupernodeMetrics({
      ...options,
      version,
      http: this.http,
      tasks: this.tasks,
      traffic: this.traffic,
      lag: this.lag,
      peers: () => this.peers.size,
    });
    this.placements = metrics.observer('dragonfly_supernode_schedule_duration_milliseconds');
    const readiness = new Readiness({ homeDir, parts });
    const facts = { hostName: 'supernode', IP: advertised.ip, port: advertised.port, version };
    const self = new PeerTable().add(facts);
    return [opsRoutes({ version, readiness, metrics }), peerRoutes(this.peers, self)];
  }
}
