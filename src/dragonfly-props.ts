import type { DfDaemonOptions } from './df-daemon-props';
import type { MonitoringOptions } from './monitoring-props';
import type { NodeMirrorJobOptions } from './node-mirror-job-props';
import type { CertificateAuthority, Registry } from './registry';
import type { SupernodeOptions } from './supernode-props';

/** What can be said about an installation. */
export interface DragonflyProps {
  /** The image with the `supernode` command. Required, since none is published yet. */
  readonly supernodeImage: string;
  /** The image with the `dfdaemon` command. Required, since none is published yet. */
  readonly daemonImage: string;
  /**
   * The image with the `node-mirror` command. Required with `nodeMirror`.
   *
   * @default - none
   */
  readonly nodeMirrorImage?: string;
  /**
   * The registries behind the mirror. Requests that name no registry go to the first. The supernode fetches from these alone, and from
   * public https hosts that they redirect to.
   *
   * @default - Docker Hub
   */
  readonly registries?: Registry[];
  /**
   * Certificates to trust besides the public ones, for every host that is asked: registries, their token servers, storage that they redirect to.
   *
   * @default - the public certificate authorities
   */
  readonly ca?: CertificateAuthority;
  /**
   * The namespace of all objects; it must admit pods on the host's network.
   *
   * @default - the chart's namespace, else `kube-system`
   */
  readonly namespace?: string;
  /**
   * Whether the namespace is made too, with labels that let Pod Security admit what needs the node, and a ResourceQuota that lets pods have the
   * priority of the system.
   *
   * @default false
   */
  readonly createNamespace?: boolean;
  /**
   * More about the supernode.
   *
   * @default - see `SupernodeOptions`
   */
  readonly supernode?: SupernodeOptions;
  /**
   * More about the df-daemons.
   *
   * @default - see `DfDaemonOptions`
   */
  readonly daemon?: DfDaemonOptions;
  /**
   * Nodes whose container runtime is to be pointed at its df-daemon by a Job each.
   *
   * @default - none
   */
  readonly nodeMirror?: NodeMirrorJobOptions;
  /**
   * Has Prometheus ask all pods for metrics, alerts, and a dashboard. The cluster must have the Prometheus Operator.
   *
   * @default - none
   */
  readonly monitoring?: MonitoringOptions;
  /**
   * Only what the classic installation says: without flags, probes, limits and security settings. Taking it away later changes selectors, which
   * the API server refuses until the workload is deleted: "Coming from Dragonfly 0.x or 1.0" in docs/constructs.md.
   *
   * @default false
   */
  readonly classic?: boolean;
}
