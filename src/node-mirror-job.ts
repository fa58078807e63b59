import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { checkedBy } from './checked';
import { nodeMirrorJob } from './manifests/node-mirror';
import type { NodeMirrorJobProps } from './node-mirror-job-props';
import { refuseFaultyObjects } from './policy/own-objects';
import { nodeMirrorSpec } from './spec/node-mirror';
import { defaultNamespace, refuseTakenNames } from './unique-name';

/** Privileged Jobs that point the container runtimes of nodes at their df-daemons, or undo it. */
export class NodeMirrorJob extends Construct {
  /** One Job a node, in the order of `nodes`. */
  public readonly jobs: k8s.KubeJob[];

  public constructor(scope: Construct, id: string, props: NodeMirrorJobProps) {
    super(scope, id);
    const spec = checkedBy(this, () => nodeMirrorSpec(props, defaultNamespace(this)));
    this.jobs = spec.nodes.map((node) => new k8s.KubeJob(this, node, nodeMirrorJob(spec, node)));
    refuseTakenNames(this);
    refuseFaultyObjects(this);
  }
}
