import type { Duration } from 'cdk8s';
import type { ContainerResources, ImagePullPolicy, k8s } from 'cdk8s-plus-27';
import type { ContainerRuntime } from './container-runtime';
import type { DockerConfiguration } from './docker-props';
import type { RuntimePaths } from './runtime-paths';

/**
 * What can be said about the container beside each df-daemon that points the node's container runtimes at it. What concerns the pod, such as
 * labels, tolerations and pull secrets, is said of the df-daemon, and so is the log level.
 */
export interface RuntimeConfiguration {
  /** The image with the `node-mirror` command. Required, since none is published yet. */
  readonly image: string;
  /**
   * The container runtimes to point at the df-daemon.
   *
   * @default [ContainerRuntime.AUTO]
   */
  readonly runtimes?: ContainerRuntime[];
  /**
   * Whether a runtime may be restarted for what it reads at its start alone; dockerd only with live-restore.
   *
   * @default false
   */
  readonly restart?: boolean;
  /**
   * How long a runtime may take to show the change before it is rolled back: 100 ms to 10 minutes.
   *
   * @default Duration.seconds(20)
   */
  readonly reloadTimeout?: Duration;
  /**
   * Where the runtimes keep their files, such as those of k3s.
   *
   * @default - where their packages put them
   */
  readonly paths?: RuntimePaths;
  /**
   * What dockerd is given beside the mirror: insecure registries, a proxy.
   *
   * @default - nothing
   */
  readonly docker?: DockerConfiguration;
  /**
   * How long from one look at the runtimes to the next.
   *
   * @default Duration.minutes(1)
   */
  readonly interval?: Duration;
  /**
   * A taint of new nodes, to tolerate and to remove once the node's runtimes have the mirror. Cluster Autoscaler knows one that goes away by
   * its key, such as `startup-taint.cluster-autoscaler.kubernetes.io/dragonfly`, or from its `--startup-taint`; Karpenter from the
   * `startupTaints` of a NodePool. The container gets a token then, and may read and change nodes.
   *
   * @default - none
   */
  readonly startupTaint?: string;
  /**
   * What the container asks for and may take.
   *
   * @default - 10m CPU and 64 MiB, at most 256 MiB
   */
  readonly resources?: ContainerResources;
  /**
   * More environment variables of the container.
   *
   * @default - none
   */
  readonly env?: { readonly [name: string]: string };
  /**
   * When the image is pulled.
   *
   * @default - `ALWAYS` for an image without a tag or with the tag `latest`, else `IF_NOT_PRESENT`
   */
  readonly imagePullPolicy?: ImagePullPolicy;
  /**
   * Fields of the container's security context to change.
   *
   * @default - privileged, as root, with a root file system that cannot be written
   */
  readonly securityContext?: k8s.SecurityContext;
}
