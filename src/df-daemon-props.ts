import type { Duration, Size } from 'cdk8s';
import type { Bandwidth } from './bandwidth';
import type { BlobAuthorization } from './blob-authorization';
import type { ProxyConfiguration } from './proxy-props';
import type { CertificateAuthority, Registry } from './registry';
import type { RuntimeConfiguration } from './runtime-configuration-props';
import type { Storage } from './storage';
import type { TagPolicy } from './tag-policy';
import type { DfDaemonTimeouts } from './timeouts';
import type { WorkloadProps } from './workload-props';

/** What can be said about the df-daemons that an installation does not say for all its parts. */
export interface DfDaemonOptions extends WorkloadProps {
  /**
   * The name of the DaemonSet; the ConfigMap's is this with `-config`.
   *
   * @default df-daemon
   */
  readonly name?: string;
  /**
   * Where blobs are kept: a folder of each node, or one that ends with the pod.
   *
   * @default - the folder `/data/dfdaemon` of each node
   */
  readonly storage?: Storage;
  /**
   * The most that blobs may take on a node's disk.
   *
   * @default - 20 GiB, or what a volume of known size holds
   */
  readonly diskQuota?: Size;
  /**
   * What stays free on a node's disk, whoever writes to it.
   *
   * @default - 5 GiB, or a twentieth of a volume of known size
   */
  readonly minFree?: Size;
  /**
   * The port of the mirror on each node's loopback.
   *
   * @default 65001
   */
  readonly mirrorPort?: number;
  /**
   * The port on each node that gives blocks to the other nodes.
   *
   * @default 15001
   */
  readonly peerPort?: number;
  /**
   * The port on each node for probes and metrics.
   *
   * @default 65003
   */
  readonly opsPort?: number;
  /**
   * Where these nodes stand, such as a zone of a cloud: they trade with nodes of their own zone first.
   *
   * @default - no zone
   */
  readonly zone?: string;
  /**
   * Who says whether a client may have a blob that is on the node.
   *
   * @default BlobAuthorization.ORIGIN
   */
  readonly blobAuthorization?: BlobAuthorization;
  /**
   * When a tag is answered without its registry.
   *
   * @default TagPolicy.REVALIDATE
   */
  readonly tagPolicy?: TagPolicy;
  /**
   * The most that a node takes for all its pulls together.
   *
   * @default - no limit
   */
  readonly rateLimit?: Bandwidth;
  /**
   * The most that other nodes together take from a node.
   *
   * @default - no limit
   */
  readonly uploadLimit?: Bandwidth;
  /**
   * How long pulls that are under way may go on when a df-daemon is told to stop; less than `terminationGracePeriod`.
   *
   * @default - 30 s less than `terminationGracePeriod`, 90 s with `configureRuntime`, and at most 270 s
   */
  readonly drainTimeout?: Duration;
  /**
   * How long a df-daemon waits for others.
   *
   * @default - see `DfDaemonTimeouts`
   */
  readonly timeouts?: DfDaemonTimeouts;
  /**
   * Has each df-daemon be an HTTP proxy too, for dockerd's pulls from registries other than docker.io.
   *
   * @default - no proxy
   */
  readonly proxy?: ProxyConfiguration;
  /**
   * How many nodes may be without their df-daemon during a rolling update: a number of nodes, or a share such as `10%`.
   *
   * @default 10%
   */
  readonly maxUnavailable?: string;
  /**
   * A privileged container beside each df-daemon points the node's container runtimes at it once it is ready, for nodes that join later
   * too, and takes the mirror off again before the df-daemon stops.
   *
   * @default - runtimes are left alone
   */
  readonly configureRuntime?: RuntimeConfiguration;
}

/** What can be said about the df-daemons. */
export interface DfDaemonProps extends DfDaemonOptions {
  /** The image with the `dfdaemon` command. Required, since none is published yet. */
  readonly image: string;
  /** Where the supernodes are, as `HOST[:PORT]`; `SupernodeConstruct.addressesFrom()` says it. */
  readonly supernodes: string[];
  /**
   * The registries behind the mirror. Requests that name no registry go to the first.
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
   * The namespace of the objects; it must admit pods on the host's network.
   *
   * @default - the chart's namespace, else `kube-system`
   */
  readonly namespace?: string;
  /**
   * Only what the classic installation says: without flags, probes, limits and security settings. Taking it away later changes selectors, which
   * the API server refuses until the workload is deleted: "Coming from Dragonfly 0.x or 1.0" in docs/constructs.md.
   *
   * @default false
   */
  readonly classic?: boolean;
}
