import type { Duration } from 'cdk8s';
import type { ContainerRuntime } from './container-runtime';
import type { DockerConfiguration } from './docker-props';
import type { NodeMirrorMode } from './node-mirror-mode';
import type { Registry } from './registry';
import type { RuntimePaths } from './runtime-paths';
import type { WorkloadProps } from './workload-props';

/** What can be said about node-mirror Jobs that an installation does not say for all its parts. */
export interface NodeMirrorJobOptions extends WorkloadProps {
  /** The names of the nodes to work on, as `kubectl get nodes` shows them. One Job each. */
  readonly nodes: string[];
  /**
   * The beginning of the Jobs' names; a hash of the Job's content follows.
   *
   * @default node-mirror
   */
  readonly name?: string;
  /**
   * What to do on the nodes. A mode that comes back, as `APPLY` after `RESTORE` after `APPLY`, makes the Job of the first time again: where that one
   * is still there nothing is done, so prune it or give `ttlAfterFinished`.
   *
   * @default NodeMirrorMode.APPLY
   */
  readonly mode?: NodeMirrorMode;
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
   * Where the df-daemon says that it is ready, as the node reaches it; `none` has the mirror's `GET /v2/` alone asked, which is all that original
   * images of Dragonfly 0.x answer.
   *
   * @default - that of the installation's df-daemons, else http://127.0.0.1:65003/readyz
   */
  readonly readyz?: string;
  /**
   * How long to wait for the df-daemon before anything is changed.
   *
   * @default Duration.minutes(1)
   */
  readonly wait?: Duration;
  /**
   * How long a Job may take with all its tries.
   *
   * @default Duration.minutes(10)
   */
  readonly deadline?: Duration;
  /**
   * How often a Job that failed is tried again.
   *
   * @default 3
   */
  readonly backoffLimit?: number;
  /**
   * After how long a Job that ended is removed, its log with it.
   *
   * @default - never
   */
  readonly ttlAfterFinished?: Duration;
}

/** What can be said about node-mirror Jobs. */
export interface NodeMirrorJobProps extends NodeMirrorJobOptions {
  /** The image with the `node-mirror` command. Required, since none is published yet. */
  readonly image: string;
  /**
   * The namespace of the Jobs; it must admit privileged pods.
   *
   * @default - the chart's namespace, else `kube-system`
   */
  readonly namespace?: string;
  /**
   * The mirror, as the node reaches it.
   *
   * @default http://127.0.0.1:65001
   */
  readonly mirror?: string;
  /**
   * The registries that runtimes are to ask the mirror for. dockerd can have docker.io alone.
   *
   * @default - Docker Hub
   */
  readonly registries?: Registry[];
}
