import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { checkedBy } from './checked';
import { clusterWide } from './cluster-wide';
import { DfDaemonConstruct } from './df-daemon';
import type { DragonflyProps } from './dragonfly-props';
import { criticalPodsQuota, namespaceProps } from './manifests/namespace';
import { DragonflyMonitoring } from './monitoring';
import { NodeMirrorJob } from './node-mirror-job';
import { dragonflySpec } from './spec/dragonfly';
import { SupernodeConstruct } from './supernode';
import { defaultNamespace, refuseTakenNames } from './unique-name';

/** An installation: a supernode, a df-daemon on every node that knows it, and node-mirrors where asked for. */
export class Dragonfly extends Construct {
  /** The supernode. */
  public readonly supernode: SupernodeConstruct;
  /** The df-daemons. */
  public readonly daemon: DfDaemonConstruct;
  /** The node-mirror Jobs; absent without `nodeMirror`. */
  public readonly nodeMirror?: NodeMirrorJob;
  /** What monitors it; absent without `monitoring`. */
  public readonly monitoring?: DragonflyMonitoring;
  /** The Namespace; absent unless `createNamespace` asks for it. */
  public readonly namespaceObject?: k8s.KubeNamespace;
  /** Lets its pods have the priority of the system; absent unless `createNamespace` asks for it. */
  public readonly resourceQuota?: k8s.KubeResourceQuota;
  /** The name of the namespace. */
  public readonly namespace: string;

  public constructor(scope: Construct, id: string, props: DragonflyProps) {
    super(scope, id);
    const spec = checkedBy(this, () => dragonflySpec(props, defaultNamespace(this)));
    this.namespace = spec.namespace;
    if (spec.createNamespace) {
      this.namespaceObject = clusterWide(new k8s.KubeNamespace(this, 'namespace', namespaceProps(spec.namespace)));
      this.resourceQuota = new k8s.KubeResourceQuota(this, 'critical-pods', criticalPodsQuota(spec.namespace));
    }
    this.supernode = new SupernodeConstruct(this, 'supernode', spec.supernode);
    this.daemon = new DfDaemonConstruct(this, 'df-daemon', {
      ...spec.daemon,
      supernodes: this.supernode.addressesFrom(spec.namespace),
    });
    if (spec.nodeMirror !== undefined) {
      this.nodeMirror = new NodeMirrorJob(this, 'node-mirror', {
        ...spec.nodeMirror,
        mirror: this.daemon.mirrorUrl,
        readyz: spec.nodeMirror.readyz ?? this.daemon.readyzUrl,
      });
    }
    if (props.monitoring !== undefined) {
      this.monitoring = new DragonflyMonitoring(this, 'monitoring', {
        ...props.monitoring,
        supernode: this.supernode,
        daemons: [this.daemon],
      });
    }
    refuseTakenNames(this);
  }
}
