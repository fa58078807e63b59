import type { Cron, Duration } from 'cdk8s';
import type { WorkloadProps } from './workload-props';

/** What can be said about a preheat. */
export interface PreheatJobProps extends WorkloadProps {
  /** The image with the `dfget` command; that of `dfdaemon` has it. Required, since none is published yet. */
  readonly image: string;
  /** The images to have at the supernode before nodes pull them, such as `docker.io/library/nginx:1.25`. */
  readonly images: string[];
  /** Where the supernodes are, as `HOST[:PORT]`; `SupernodeConstruct.addressesFrom()` says it. */
  readonly supernodes: string[];
  /**
   * The platforms to fetch, such as `linux/amd64`.
   *
   * @default - all that an image is there for
   */
  readonly platforms?: string[];
  /**
   * The name of a Secret of the type `kubernetes.io/basic-auth`: the user at the registry of the images.
   *
   * @default - none
   */
  readonly credentialsSecret?: string;
  /**
   * When to do it again and again; a CronJob then.
   *
   * @default - once, by a Job
   */
  readonly schedule?: Cron;
  /**
   * The name of the CronJob, or the beginning of the Job's name; a hash of its content follows.
   *
   * @default preheat
   */
  readonly name?: string;
  /**
   * The namespace.
   *
   * @default - the chart's namespace, else `kube-system`
   */
  readonly namespace?: string;
  /**
   * How long each image may take.
   *
   * @default Duration.hours(1)
   */
  readonly timeout?: Duration;
  /**
   * How often an image that failed is tried again.
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
