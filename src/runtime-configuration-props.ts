import type { Duration } from 'cdk8s';
import type { ContainerResources } from 'cdk8s-plus-27';
import type { ContainerRuntime } from './container-runtime';
import type { DockerConfiguration } from './docker-props';
import type { RuntimePaths } from './runtime-paths';

/** What can be said about the container beside each df-daemon that points the node's container runtimes at it. */
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
   * A taint of new nodes, such as `dragonfly.io/not-ready`, to tolerate and to remove once the node's runtimes have the mirror. The
   * container gets a token then, and may read and change nodes.
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
}
