import { k8s } from 'cdk8s-plus-27';
import { PORTS } from '../contract/index';
import type { PodMonitorProps, PrometheusRuleProps } from '../imports/monitoring.coreos.com';
import { ALERTS } from '../monitoring/alerts';
import type { AlertScope } from '../monitoring/alerts';
import { dashboard } from '../monitoring/dashboard';
import { firstStep } from '../monitoring/first-step';
import type { AlertNamespaces } from '../monitoring/first-step';
import type { MonitoringSpec } from '../spec/monitoring';
import { objectLabels, sha256 } from './common';

const COMPONENT = 'monitoring';
/** The longest uid of a dashboard that Grafana takes, and the digits of a hash that end one that is cut. */
const MAX_UID = 40;
const UID_HASH_LENGTH = 10;
/** The label of our pods by which their series are told apart: the name of what made them. */
const INSTANCE = 'app.kubernetes.io/instance';

/** Whose pods are monitored. */
export interface Monitored {
  readonly name: string;
  readonly namespace: string;
  /** The labels that select its pods. */
  readonly labels: Readonly<Record<string, string>>;
}

/** The label matchers of the series of pods, for PromQL. */
export function matchersOf(monitored: readonly Monitored[]): string {
  const all = (values: string[]): string => {
    const [first = '', ...others] = [...new Set(values)];
    return others.length === 0 ? `="${first}"` : `=~"${[first, ...others].join('|')}"`;
  };
  return [
    `namespace${all(monitored.map(({ namespace }) => namespace))}`,
    `job${all(monitored.map(({ name }) => name))}`,
  ].join(',');
}

/** Where pods are, as an option of kubectl. */
export function kubectlNamespace(monitored: readonly Monitored[]): string {
  const [first = '', ...others] = new Set(monitored.map(({ namespace }) => namespace));
  return others.length === 0 ? `-n ${first}` : '--all-namespaces';
}

/** Has Prometheus ask pods for metrics at a port of theirs. */
export function podMonitor(spec: MonitoringSpec, monitored: Monitored, port: string): PodMonitorProps {
  return {
    metadata: metadataOf(spec, monitored.namespace, monitored.name, spec.labels),
    spec: {
      jobLabel: INSTANCE,
      selector: { matchLabels: monitored.labels },
      podMetricsEndpoints: [{ port, path: '/metrics', interval: spec.interval }],
    },
  };
}

/**
 * The alerts. Their labels say whose they are: most expressions leave no label of the series, and Alertmanager takes alerts of the same labels for
 * one.
 */
export function prometheusRule(
  spec: MonitoringSpec,
  namespace: string,
  scope: AlertScope,
  namespaces: AlertNamespaces,
): PrometheusRuleProps {
  return {
    metadata: metadataOf(spec, namespace, `${spec.name}-alerts`, spec.labels),
    spec: {
      groups: [
        {
          name: spec.name,
          rules: ALERTS.flatMap((alert) => {
            const { name, severity, lasting, summary, impact } = alert;
            const expr = alert.expression(scope);
            return expr === undefined
              ? []
              : [
                  {
                    alert: name,
                    expr,
                    for: lasting,
                    labels: { namespace, installation: spec.name, ...spec.alertLabels, severity },
                    annotations: {
                      summary,
                      description: `${impact} First: ${firstStep(alert, namespaces)}`,
                      ...(spec.runbookUrl === undefined
                        ? {}
                        : { runbook_url: `${spec.runbookUrl}#${name.toLowerCase()}` }),
                    },
                  },
                ];
          }),
        },
      ],
    },
  };
}

/** The dashboard, as Grafana's sidecar takes it: files of all namespaces come into one folder, whose titles have to differ too. */
export function dashboardConfigMap(spec: MonitoringSpec, namespace: string, scope: AlertScope): k8s.KubeConfigMapProps {
  return {
    metadata: metadataOf(spec, namespace, `${spec.name}-dashboard`, spec.dashboardLabels),
    data: {
      [`${namespace}.${spec.name}.json`]: dashboard(
        `Dragonfly: ${namespace}/${spec.name}`,
        uidOf(`${namespace}-${spec.name}`),
        scope,
      ),
    },
  };
}

/** The uid of a dashboard, by which Grafana tells it from others. */
function uidOf(text: string): string {
  return text.length <= MAX_UID
    ? text
    : `${text.slice(0, MAX_UID - UID_HASH_LENGTH - 1)}-${sha256(text).slice(0, UID_HASH_LENGTH)}`;
}

/** Admits Prometheus to the supernodes, where a policy admits nodes alone. */
export function metricsNetworkPolicy(spec: MonitoringSpec, supernode: Monitored): k8s.KubeNetworkPolicyProps {
  return {
    metadata: metadataOf(spec, supernode.namespace, `${spec.name}-metrics`, {}),
    spec: {
      podSelector: { matchLabels: supernode.labels },
      policyTypes: ['Ingress'],
      ingress: [
        {
          from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': spec.prometheusNamespace } } }],
          ports: [{ port: k8s.IntOrString.fromNumber(PORTS.supernodeApi), protocol: 'TCP' }],
        },
      ],
    },
  };
}

function metadataOf(
  { name: instance, annotations }: MonitoringSpec,
  namespace: string,
  name: string,
  labels: Readonly<Record<string, string>>,
): k8s.ObjectMeta {
  return {
    name,
    namespace,
    labels: { ...labels, ...objectLabels(COMPONENT, instance) },
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
}
