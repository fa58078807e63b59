import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { nodeMirrorJob } from './manifests/node-mirror';
import type { NodeMirrorMode } from './node-mirror-mode';
import { nodeMirrorSpec } from './spec/node-mirror';
import { checkUnique, defaultNamespace } from './unique-name';

/** What can be said about node-mirror Jobs. */
export interface NodeMirrorJobProps {
  /** The image with the `node-mirror` command. Required, since none is published yet. */
  readonly image: string;
  /** The names of the nodes to work on, as `kubectl get nodes` shows them. One Job each. */
  readonly nodes: string[];
  /**
   * The beginning of the Jobs' names; a hash of the Job's content follows.
   *
   * @default node-mirror
   */
  readonly name?: string;
  /**
   * The namespace of the Jobs; it must admit privileged pods.
   *
   * @default - the chart's namespace, else `kube-system`
   */
  readonly namespace?: string;
  /**
   * What to do on the nodes.
   *
   * @default NodeMirrorMode.APPLY
   */
  readonly mode?: NodeMirrorMode;
  /**
   * The mirror, as the node reaches it.
   *
   * @default http://127.0.0.1:65001
   */
  readonly mirror?: string;
}

/** Privileged Jobs that point the container runtimes of nodes at their df-daemons, or undo it. */
export class NodeMirrorJob extends Construct {
  /** One Job a node, in the order of `nodes`. */
  public readonly jobs: k8s.KubeJob[];

  public constructor(scope: Construct, id: string, props: NodeMirrorJobProps) {
    super(scope, id);
    const spec = nodeMirrorSpec(props, defaultNamespace(this));
    this.jobs = spec.nodes.map((node) => {
      const job = nodeMirrorJob(spec, node);
      checkUnique(this, 'name', { kind: 'Job', name: `${job.metadata?.name}`, namespace: spec.namespace });
      return new k8s.KubeJob(this, node, job);
    });
  }
}
