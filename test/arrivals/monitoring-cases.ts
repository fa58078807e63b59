import { Duration } from 'cdk8s';
import { App, Chart } from 'cdk8s';
import { DfDaemonConstruct, SupernodeConstruct } from '../../src';
import type { DragonflyMonitoringProps, MonitoringOptions } from '../../src';
import type { Cases } from './case';
import { object } from './places';

const rules = (part: object): object => object('PrometheusRule dragonfly-alerts', part);
const firstRule = (part: object): object =>
  rules({ spec: { groups: [{ rules: expect.arrayContaining([expect.objectContaining(part)]) as object[] }] } });

const OURS = { namespace: 'kube-system', installation: 'dragonfly' };

export const MONITORING_OPTIONS: Cases<MonitoringOptions> = {
  name: [
    { given: 'a', arrives: { objects: { 'PrometheusRule a-alerts': {}, 'ConfigMap a-dashboard': {} } } },
    { given: 'b', arrives: { objects: { 'PrometheusRule b-alerts': {}, 'ConfigMap b-dashboard': {} } } },
  ],
  labels: ['a', 'b'].map((release) => ({
    given: { release },
    arrives: {
      objects: {
        'PodMonitor supernode': { metadata: { labels: { release } } },
        'PodMonitor df-daemon': { metadata: { labels: { release } } },
        'PrometheusRule dragonfly-alerts': { metadata: { labels: { release } } },
      },
    },
  })) as unknown as Cases<MonitoringOptions>['labels'],
  annotations: ['a', 'b'].map((owner) => ({
    given: { owner },
    arrives: {
      objects: {
        'PodMonitor supernode': { metadata: { annotations: { owner } } },
        'PrometheusRule dragonfly-alerts': { metadata: { annotations: { owner } } },
        'ConfigMap dragonfly-dashboard': { metadata: { annotations: { owner } } },
      },
    },
  })) as unknown as Cases<MonitoringOptions>['annotations'],
  interval: [
    {
      given: Duration.seconds(15),
      arrives: object('PodMonitor df-daemon', { spec: { podMetricsEndpoints: [{ interval: '15s' }] } }),
    },
    {
      given: Duration.minutes(1),
      arrives: object('PodMonitor supernode', { spec: { podMetricsEndpoints: [{ interval: '60s' }] } }),
    },
  ],
  alerts: [
    { given: true, arrives: { kinds: expect.arrayContaining(['PrometheusRule']) as string[] } },
    { given: false, arrives: { kinds: expect.not.arrayContaining(['PrometheusRule']) as string[] } },
  ],
  alertLabels: [
    { given: { team: 'a' }, arrives: firstRule({ labels: { ...OURS, team: 'a', severity: 'critical' } }) },
    { given: { team: 'b' }, arrives: firstRule({ labels: { ...OURS, team: 'b', severity: 'warning' } }) },
  ],
  runbookUrl: ['https://a.example.com/alerts.md', 'https://b.example.com'].map((given) => ({
    given,
    arrives: firstRule({
      alert: 'DragonflyWrongBytes',
      annotations: expect.objectContaining({ runbook_url: `${given}#dragonflywrongbytes` }) as object,
    }),
  })) as unknown as Cases<MonitoringOptions>['runbookUrl'],
  dashboard: [
    { given: true, arrives: object('ConfigMap dragonfly-dashboard', {}) },
    { given: false, arrives: { configMaps: ['df-daemon-config'] } },
  ],
  dashboardLabels: ['a', 'b'].map((folder) => ({
    given: { folder },
    arrives: object('ConfigMap dragonfly-dashboard', { metadata: { labels: { folder } } }),
  })) as unknown as Cases<MonitoringOptions>['dashboardLabels'],
  prometheusNamespace: ['monitoring', 'observability'].map((given) => ({
    given,
    arrives: object('NetworkPolicy dragonfly-metrics', {
      spec: {
        podSelector: { matchLabels: { 'app.kubernetes.io/name': 'supernode' } },
        ingress: [
          {
            from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': given } } }],
            ports: [{ port: 8002 }],
          },
        ],
      },
    }),
  })) as unknown as Cases<MonitoringOptions>['prometheusNamespace'],
};

/** Constructs of a chart of their own: what is monitored need not be synthesized beside it. */
const supernode = (name: string): SupernodeConstruct =>
  new SupernodeConstruct(new Chart(new App(), 'other'), 'it', { image: 'a', name, namespace: `of-${name}` });
const daemon = (name: string): DfDaemonConstruct =>
  new DfDaemonConstruct(new Chart(new App(), 'other'), 'it', {
    image: 'a',
    supernodes: ['s'],
    name,
    namespace: 'nodes',
  });

export const MONITORING_PROPS: Cases<Omit<DragonflyMonitoringProps, keyof MonitoringOptions>> = {
  supernode: ['one', 'two'].map((name) => ({
    given: supernode(name),
    beside: { daemons: [daemon('df-daemon')] },
    arrives: {
      objects: {
        [`PodMonitor ${name}`]: {
          metadata: { namespace: `of-${name}` },
          spec: {
            selector: { matchLabels: { 'app.kubernetes.io/instance': name } },
            podMetricsEndpoints: [{ port: 'api' }],
          },
        },
        'PrometheusRule dragonfly-alerts': { metadata: { namespace: `of-${name}` } },
      },
    },
  })) as unknown as Cases<DragonflyMonitoringProps>['supernode'],
  daemons: [
    {
      given: [daemon('pool-a')],
      beside: { supernode: supernode('s') },
      arrives: firstRule({ expr: 'absent(up{namespace="nodes",job="pool-a"} == 1)' }),
    },
    {
      given: [daemon('pool-b'), daemon('pool-c')],
      beside: { supernode: supernode('s') },
      arrives: {
        objects: {
          'PodMonitor pool-b': { spec: { podMetricsEndpoints: [{ port: 'ops' }] } },
          'PodMonitor pool-c': { spec: { selector: { matchLabels: { 'app.kubernetes.io/instance': 'pool-c' } } } },
          ...(firstRule({ expr: 'absent(up{namespace="nodes",job=~"pool-b|pool-c"} == 1)' }) as { objects: object })
            .objects,
        },
      },
    },
  ],
};
