import type { ApiObject } from 'cdk8s';
import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { checkedBy } from './checked';
import { PodMonitor, PrometheusRule } from './imports/monitoring.coreos.com';
import {
  dashboardConfigMap,
  kubectlNamespace,
  matchersOf,
  metricsNetworkPolicy,
  podMonitor,
  prometheusRule,
} from './manifests/monitoring';
import type { Monitored } from './manifests/monitoring';
import type { DragonflyMonitoringProps } from './monitoring-props';
import { monitoringSpec } from './spec/monitoring';
import { MONITORING } from './spec/shapes';
import { refuseTakenNames } from './unique-name';

/**
 * Has a Prometheus of the Prometheus Operator ask supernodes and df-daemons for metrics, alerts, and a dashboard for Grafana. The cluster
 * must have the kinds PodMonitor and PrometheusRule (`monitoring.coreos.com/v1`).
 */
export class DragonflyMonitoring extends Construct {
  /** The PodMonitors: of the supernode, then of the df-daemons in the order in which they were given. */
  public readonly podMonitors: ApiObject[];
  /** The PrometheusRule; absent without `alerts`. */
  public readonly prometheusRule?: ApiObject;
  /** The ConfigMap with the dashboard; absent without `dashboard`. */
  public readonly dashboard?: k8s.KubeConfigMap;
  /** The NetworkPolicy that admits Prometheus; absent unless the supernode has one. */
  public readonly networkPolicy?: k8s.KubeNetworkPolicy;

  public constructor(scope: Construct, id: string, props: DragonflyMonitoringProps) {
    super(scope, id);
    const spec = checkedBy(this, () => {
      MONITORING('', props);
      const { supernode, daemons } = props;
      if (daemons.length === 0) {
        throw new Error('daemons is empty: name at least one DfDaemonConstruct.');
      }
      for (const { node, daemonSet } of daemons) {
        refuseClassic(node.path, daemonSet);
      }
      refuseClassic(supernode.node.path, supernode.deployment);
      return monitoringSpec(props);
    });
    const { supernode, daemons } = props;
    const seed: Monitored = {
      name: supernode.serviceName,
      namespace: supernode.namespace,
      labels: supernode.podLabels,
    };
    const nodes = daemons.map(({ daemonSet, namespace, podLabels }) => ({
      name: daemonSet.name,
      namespace,
      labels: podLabels,
    }));
    const series = {
      supernode: matchersOf([seed]),
      daemon: matchersOf(nodes),
      replicas: supernode.replicas,
      minFreeBytes: supernode.minFree.toKibibytes() * 1024,
    };
    const kubectl = { supernode: kubectlNamespace([seed]), daemon: kubectlNamespace(nodes) };
    this.podMonitors = [
      new PodMonitor(this, 'supernode', podMonitor(spec, seed, 'api')),
      ...nodes.map((one, i) => new PodMonitor(this, `df-daemon-${i}`, podMonitor(spec, one, 'ops'))),
    ];
    if (spec.alerts) {
      this.prometheusRule = new PrometheusRule(this, 'alerts', prometheusRule(spec, seed.namespace, series, kubectl));
    }
    if (spec.dashboard) {
      this.dashboard = new k8s.KubeConfigMap(this, 'dashboard', dashboardConfigMap(spec, seed.namespace, series));
    }
    if (supernode.networkPolicy !== undefined) {
      this.networkPolicy = new k8s.KubeNetworkPolicy(this, 'network-policy', metricsNetworkPolicy(spec, seed));
    }
    refuseTakenNames(this);
  }
}

function refuseClassic(path: string, object: ApiObject | undefined): void {
  if (object !== undefined && object.metadata.getLabel('app.kubernetes.io/part-of') === undefined) {
    throw new Error(
      `${path} is of the classic installation, whose ports have no names by which Prometheus could find them: leave out classic or monitoring.`,
    );
  }
}
