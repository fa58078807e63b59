import type { Duration } from 'cdk8s';
import type { DfDaemonConstruct } from './df-daemon';
import type { SupernodeConstruct } from './supernode';

/** What can be said about the monitoring of an installation. */
export interface MonitoringOptions {
  /**
   * The beginning of the names of the rules, of the dashboard and of the NetworkPolicy.
   *
   * @default dragonfly
   */
  readonly name?: string;
  /**
   * More labels for the PodMonitors and the rules: those by which a Prometheus selects what it takes, such as
   * `release: kube-prometheus-stack`.
   *
   * @default - none
   */
  readonly labels?: { readonly [key: string]: string };
  /**
   * Annotations for all objects.
   *
   * @default - none
   */
  readonly annotations?: { readonly [key: string]: string };
  /**
   * How often Prometheus asks each pod: 1 second to 2 minutes, since alerts look back 5 minutes, or up to 5 minutes without `alerts`.
   *
   * @default Duration.seconds(30)
   */
  readonly interval?: Duration;
  /**
   * Whether alerts are made: docs/alerts.md tells each with what to do.
   *
   * @default true
   */
  readonly alerts?: boolean;
  /**
   * More labels for every alert, by which they are routed, such as `team: platform`, besides `severity`, `namespace` (of the supernode) and
   * `installation` (`name`); the last two may be given here with other values.
   *
   * @default - none
   */
  readonly alertLabels?: { readonly [key: string]: string };
  /**
   * Where people find docs/alerts.md: each alert links to its place there.
   *
   * @default - no link
   */
  readonly runbookUrl?: string;
  /**
   * Whether a ConfigMap with a dashboard for Grafana is made.
   *
   * @default true
   */
  readonly dashboard?: boolean;
  /**
   * The labels by which Grafana finds the dashboard.
   *
   * @default - `grafana_dashboard: "1"`
   */
  readonly dashboardLabels?: { readonly [key: string]: string };
  /**
   * The namespace of Prometheus. Where the supernode has a NetworkPolicy, another admits the pods of this namespace.
   *
   * @default monitoring
   */
  readonly prometheusNamespace?: string;
}

/** What is to be monitored, and how. */
export interface DragonflyMonitoringProps extends MonitoringOptions {
  /** The supernode. */
  readonly supernode: SupernodeConstruct;
  /** The df-daemons, one construct a pool of nodes. */
  readonly daemons: DfDaemonConstruct[];
}
