import { k8s, LabelSelector } from 'cdk8s-plus-27';
import type { IPodSelector, PodSelectorConfig } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { checkedBy } from './checked';
import { clusterWide } from './cluster-wide';
import type { DfDaemonProps } from './df-daemon-props';
import { classicDfDaemonConfigMap, classicDfDaemonSelector, classicDfDaemonSet } from './manifests/classic';
import { dfDaemonConfigMap, dfDaemonSelector, dfDaemonSet } from './manifests/df-daemon';
import { taintClusterRole, taintClusterRoleBinding, taintServiceAccount } from './manifests/runtime-configuration';
import { refuseFaultyObjects } from './policy/own-objects';
import { refuseSharing } from './policy/same-nodes';
import { dfDaemonSpec } from './spec/df-daemon';
import { defaultNamespace, refuseTakenNames } from './unique-name';

/** A df-daemon on every node: the registry mirror for the node's container runtime. */
export class DfDaemonConstruct extends Construct implements IPodSelector {
  /** The ConfigMap with `dragonfly.conf`. */
  public readonly configMap: k8s.KubeConfigMap;
  /** The DaemonSet. */
  public readonly daemonSet: k8s.KubeDaemonSet;
  /** The account that removes the startup taint; absent without `configureRuntime.startupTaint`. */
  public readonly serviceAccount?: k8s.KubeServiceAccount;
  /** What it may do; absent without `configureRuntime.startupTaint`. */
  public readonly clusterRole?: k8s.KubeClusterRole;
  /** Gives it to the account; absent without `configureRuntime.startupTaint`. */
  public readonly clusterRoleBinding?: k8s.KubeClusterRoleBinding;
  /** The namespace of its objects. */
  public readonly namespace: string;
  /** The mirror, as container runtimes of the nodes reach it. */
  public readonly mirrorUrl: string;
  /** Where a df-daemon says that it is ready, as its node reaches it. */
  public readonly readyzUrl: string;
  /** The labels that select its pods. */
  public readonly podLabels: { readonly [key: string]: string };

  public constructor(scope: Construct, id: string, props: DfDaemonProps) {
    super(scope, id);
    const spec = checkedBy(this, () => dfDaemonSpec(props, defaultNamespace(this)));
    this.namespace = spec.namespace;
    this.mirrorUrl = `http://127.0.0.1:${spec.ports.mirror}`;
    this.readyzUrl = `http://127.0.0.1:${spec.ports.ops}/readyz`;
    this.podLabels = spec.classic ? classicDfDaemonSelector(spec) : dfDaemonSelector(spec);
    if (spec.runtime?.startupTaint !== undefined) {
      this.serviceAccount = new k8s.KubeServiceAccount(this, 'service-account', taintServiceAccount(spec));
      this.clusterRole = clusterWide(new k8s.KubeClusterRole(this, 'cluster-role', taintClusterRole(spec)));
      this.clusterRoleBinding = clusterWide(
        new k8s.KubeClusterRoleBinding(this, 'cluster-role-binding', taintClusterRoleBinding(spec)),
      );
    }
    this.configMap = new k8s.KubeConfigMap(
      this,
      'config-map',
      spec.classic ? classicDfDaemonConfigMap(spec) : dfDaemonConfigMap(spec),
    );
    this.daemonSet = new k8s.KubeDaemonSet(
      this,
      'daemon-set',
      spec.classic ? classicDfDaemonSet(spec) : dfDaemonSet(spec),
    );
    refuseTakenNames(this);
    refuseFaultyObjects(this);
    refuseSharing(this, { ports: spec.ports, folder: spec.store.storage.path, nodeSelector: spec.nodeSelector });
  }

  /** Selects the df-daemons' pods, for cdk8s-plus constructs. They are on their nodes' network, where no network policy binds them. */
  public toPodSelectorConfig(): PodSelectorConfig {
    return {
      labelSelector: LabelSelector.of({ labels: { ...this.podLabels } }),
      namespaces: { names: [this.namespace] },
    };
  }

  /** The df-daemons' pods as a selector. */
  public toPodSelector(): IPodSelector | undefined {
    return this;
  }
}
