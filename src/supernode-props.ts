import type { Duration, Size } from 'cdk8s';
import type { Bandwidth } from './bandwidth';
import type { Placement } from './placement';
import type { CertificateAuthority, Registry } from './registry';
import type { Storage } from './storage';
import type { OriginTimeouts } from './timeouts';
import type { WorkloadProps } from './workload-props';

/** What can be said about a supernode that an installation does not say for all its parts. */
export interface SupernodeOptions extends WorkloadProps {
  /**
   * The name of the workload and the Service.
   *
   * @default supernode
   */
  readonly name?: string;
  /**
   * How many. More than one is a StatefulSet with a headless Service and needs `signingKeySecret`.
   *
   * @default 1
   */
  readonly replicas?: number;
  /**
   * The nodes that it may run on.
   *
   * @default Placement.CONTROL_PLANE
   */
  readonly placement?: Placement;
  /**
   * Where blobs and the signing key are kept.
   *
   * @default - the folder `/data/dragonfly` of its node
   */
  readonly storage?: Storage;
  /**
   * The most that blobs may take on disk.
   *
   * @default - 50 GiB, or what a volume of known size holds
   */
  readonly diskQuota?: Size;
  /**
   * What stays free on the disk of the blobs, whoever writes to it.
   *
   * @default - 5 GiB, or a twentieth of a volume of known size
   */
  readonly minFree?: Size;
  /**
   * What downloads from registries may take of the network, all together and in whole MiB a second, less `systemBandwidth`.
   *
   * @default - no limit
   */
  readonly maxBandwidth?: Bandwidth;
  /**
   * What of `maxBandwidth` is kept for others, in whole MiB a second.
   *
   * @default - 20 MiB a second of `maxBandwidth`
   */
  readonly systemBandwidth?: Bandwidth;
  /**
   * The name of a Secret with an Ed25519 key (PEM) under the key `signing-key.pem`, by which blocks are attested. Replicas share it.
   *
   * @default - a key in the storage, made when missing
   */
  readonly signingKeySecret?: string;
  /**
   * For how long a registry that did not give a blob is not asked for it again, in whole minutes up to a day.
   *
   * @default - not at all, or 5 seconds for what it refused: then the next client tries again
   */
  readonly failAccessInterval?: Duration;
  /**
   * How long it waits for registries.
   *
   * @default - see `OriginTimeouts`
   */
  readonly timeouts?: OriginTimeouts;
  /**
   * The networks of the nodes, such as `10.0.0.0/16`. With them a NetworkPolicy admits these, preheats and other replicas alone: df-daemons
   * are on the network of their nodes, where no selector finds them. Cilium counts nodes to no network unless it runs with
   * `policy-cidr-match-mode: nodes`, and behind a tunnel (VXLAN, IPIP) nodes come from addresses of the pods' network, which has to be named too.
   *
   * @default - no NetworkPolicy
   */
  readonly nodeCidrs?: string[];
  /**
   * Whether the NetworkPolicy says where the supernode may go to, too: DNS, other replicas, the df-daemons' port on the nodes, and any
   * host at the ports of the registries, their `tokenServers`, 443, and the proxies of `env`. Where a policy denies all egress it needs this. Only with `nodeCidrs`.
   *
   * @default false
   */
  readonly egressPolicy?: boolean;
}

/** What can be said about a supernode. */
export interface SupernodeProps extends SupernodeOptions {
  /** The image with the `supernode` command. Required, since none is published yet. */
  readonly image: string;
  /**
   * The registries to fetch from. Nothing else is fetched, apart from public https hosts that these redirect to.
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
   * The ports at which df-daemons give blocks, for `egressPolicy`: a supernode that starts anew fetches from them.
   *
   * @default [15001]
   */
  readonly peerPorts?: number[];
  /**
   * The namespace of the objects.
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
