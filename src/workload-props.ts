import type { Duration } from 'cdk8s';
import type { ContainerResources, ImagePullPolicy, k8s } from 'cdk8s-plus-27';
import type { LogLevel } from './log-level';

/** What can be said about the pods of every daemon. */
export interface WorkloadProps {
  /**
   * More labels, for every object and pod. Those that select pods are ours.
   *
   * @default - none
   */
  readonly labels?: { readonly [key: string]: string };
  /**
   * Annotations for every object and pod.
   *
   * @default - none
   */
  readonly annotations?: { readonly [key: string]: string };
  /**
   * More environment variables of the daemon's container, such as `HTTPS_PROXY`.
   *
   * @default - none
   */
  readonly env?: { readonly [name: string]: string };
  /**
   * What the container asks for and may take. Each of the four amounts that is left out keeps its default. The heap of
   * the daemon is half of the memory limit.
   *
   * @default - see docs/constructs.md
   */
  readonly resources?: ContainerResources;
  /**
   * More taints to tolerate, besides those that the placement brings.
   *
   * @default - none
   */
  readonly tolerations?: k8s.Toleration[];
  /**
   * Labels that a node must have to get a pod, besides `kubernetes.io/os: linux`, unless that key is given here. node-mirror Jobs name
   * their node, and ask for no label by themselves.
   *
   * @default - none besides
   */
  readonly nodeSelector?: { readonly [key: string]: string };
  /**
   * The priority class of the pods.
   *
   * @default - `system-node-critical` for the df-daemon, `system-cluster-critical` for the supernode, none for Jobs
   */
  readonly priorityClassName?: string;
  /**
   * The names of Secrets with credentials for the daemon's own image.
   *
   * @default - none
   */
  readonly imagePullSecrets?: string[];
  /**
   * When the image is pulled.
   *
   * @default - `ALWAYS` for an image without a tag or with the tag `latest`, else `IF_NOT_PRESENT`
   */
  readonly imagePullPolicy?: ImagePullPolicy;
  /**
   * Fields of the container's security context to change.
   *
   * @default - no capability, no privilege escalation, a root file system that cannot be written
   */
  readonly securityContext?: k8s.SecurityContext;
  /**
   * Fields of the pod's security context to change.
   *
   * @default - the runtime's seccomp profile; not root where the storage permits
   */
  readonly podSecurityContext?: k8s.PodSecurityContext;
  /**
   * How long a pod may take to end, in which it finishes what is under way; whole seconds.
   *
   * @default - 5 minutes, with `configureRuntime` half a minute and four times its `reloadTimeout` more; 30 seconds for a preheat; 90 seconds for a node-mirror Job, and at least half a minute more than `reloadTimeout` twice
   */
  readonly terminationGracePeriod?: Duration;
  /**
   * The least important log lines to write.
   *
   * @default LogLevel.INFO
   */
  readonly logLevel?: LogLevel;
}
