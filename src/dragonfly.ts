import type { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { DfDaemonConstruct } from './df-daemon';
import { NodeMirrorJob } from './node-mirror-job';
import type { Placement } from './placement';
import { dragonflySpec } from './spec/dragonfly';
import { SupernodeConstruct } from './supernode';
import { checkUnique, defaultNamespace } from './unique-name';

/** What can be said about an installation. */
export interface DragonflyProps {
  /** The image with the `supernode` command. Required, since none is published yet. */
  readonly supernodeImage: string;
  /** The image with the `dfdaemon` command. Required, since none is published yet. */
  readonly daemonImage: string;
  /**
   * The registries behind the mirror, as `[HOST=]URL`, such as `ghcr.io=https://ghcr.io`; HOST is what image names say, by default the
   * host of the URL. Requests that name no registry go to the first. The supernode fetches from these alone, and from public https
   * hosts that they redirect to.
   *
   * @default - Docker Hub, `https://registry-1.docker.io`
   */
  readonly registries?: string[];
  /**
   * The namespace of all objects; it must admit pods on the host's network.
   *
   * @default - the chart's namespace, else `kube-system`
   */
  readonly namespace?: string;
  /**
   * The name of the supernode's Deployment and Service.
   *
   * @default supernode
   */
  readonly supernodeName?: string;
  /**
   * The nodes that the supernode may run on.
   *
   * @default Placement.CONTROL_PLANE
   */
  readonly supernodePlacement?: Placement;
  /**
   * The folder on the supernode's node for its data; made if missing.
   *
   * @default /data/dragonfly
   */
  readonly supernodeDataPath?: string;
  /**
   * The name of the df-daemons' DaemonSet; the ConfigMap's is this with `-config`.
   *
   * @default df-daemon
   */
  readonly daemonName?: string;
  /**
   * The folder on every node for the df-daemon's data; made if missing.
   *
   * @default /data/dfdaemon
   */
  readonly daemonDataPath?: string;
  /**
   * More taints for the df-daemons to tolerate, besides those of the control plane.
   *
   * @default - none
   */
  readonly daemonTolerations?: k8s.Toleration[];
  /**
   * The nodes whose dockerd is to be pointed at its df-daemon, as `kubectl get nodes` shows them.
   *
   * @default - none
   */
  readonly mirrorNodes?: string[];
  /**
   * The image with the `node-mirror` command. Required with `mirrorNodes`.
   *
   * @default - none
   */
  readonly nodeMirrorImage?: string;
  /**
   * Only what the classic installation says: for the original images, without flags, probes, limits and security settings.
   *
   * @default false
   */
  readonly classic?: boolean;
}

/** An installation: a supernode, a df-daemon on every node that knows it, and node-mirrors where asked for. */
export class Dragonfly extends Construct {
  /** The supernode. */
  public readonly supernode: SupernodeConstruct;
  /** The df-daemons. */
  public readonly daemon: DfDaemonConstruct;
  /** The node-mirror Jobs; absent without `mirrorNodes`. */
  public readonly nodeMirror?: NodeMirrorJob;

  public constructor(scope: Construct, id: string, props: DragonflyProps) {
    super(scope, id);
    const namespace = props.namespace ?? defaultNamespace(this);
    const spec = dragonflySpec(props, namespace);
    checkUnique(this, 'supernodeName', { kind: 'Deployment', name: spec.supernode.name, namespace });
    checkUnique(this, 'daemonName', { kind: 'DaemonSet', name: spec.daemon.name, namespace });

    this.supernode = new SupernodeConstruct(this, 'supernode', spec.supernode);
    this.daemon = new DfDaemonConstruct(this, 'df-daemon', {
      ...spec.daemon,
      supernodes: [this.supernode.addressFrom(namespace)],
    });
    if (spec.nodeMirror !== undefined) {
      this.nodeMirror = new NodeMirrorJob(this, 'node-mirror', spec.nodeMirror);
    }
  }
}
