import type { Size } from 'cdk8s';
import { k8s, LabelSelector } from 'cdk8s-plus-27';
import type { INetworkPolicyPeer, IPodSelector, NetworkPolicyPeerConfig, PodSelectorConfig } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { checkedBy } from './checked';
import { classicSupernodeDeployment, classicSupernodeSelector, classicSupernodeService } from './manifests/classic';
import { replicaNames, supernodeDeployment, supernodeSelector, supernodeStatefulSet } from './manifests/supernode';
import {
  supernodeClaim,
  supernodeDisruptionBudget,
  supernodeHeadlessService,
  supernodeNetworkPolicy,
  supernodeService,
} from './manifests/supernode-network';
import { refuseFaultyObjects } from './policy/own-objects';
import { refuseSharedClaim } from './policy/same-claim';
import { refuseSharing } from './policy/same-nodes';
import { checkNamespace } from './spec/checks';
import { supernodeSpec } from './spec/supernode';
import type { SupernodeSpec } from './spec/supernode';
import type { SupernodeProps } from './supernode-props';
import { defaultNamespace, refuseTakenNames } from './unique-name';

/** A supernode: fetches each blob once from its registry and hands it on to the df-daemons. */
export class SupernodeConstruct extends Construct implements IPodSelector, INetworkPolicyPeer {
  /** The Deployment with its one pod; absent with `replicas` above 1. */
  public readonly deployment?: k8s.KubeDeployment;
  /** The StatefulSet; absent with one replica. */
  public readonly statefulSet?: k8s.KubeStatefulSet;
  /** The Service in front of all replicas. */
  public readonly service: k8s.KubeService;
  /** The Service that gives each replica a name; absent with one replica. */
  public readonly headlessService?: k8s.KubeService;
  /** The PodDisruptionBudget; absent with one replica. */
  public readonly podDisruptionBudget?: k8s.KubePodDisruptionBudget;
  /** The NetworkPolicy; absent without `nodeCidrs`. */
  public readonly networkPolicy?: k8s.KubeNetworkPolicy;
  /** The claim for its data; absent unless `storage` asks for one and there is one replica. */
  public readonly persistentVolumeClaim?: k8s.KubePersistentVolumeClaim;
  /** The name of the Service. */
  public readonly serviceName: string;
  /** The namespace of all its objects. */
  public readonly namespace: string;
  /** How many there are. */
  public readonly replicas: number;
  /** What stays free on the disk of its blobs. */
  public readonly minFree: Size;
  /** The labels that select its pods. */
  public readonly podLabels: { readonly [key: string]: string };
  private readonly hosts: string[];

  public constructor(scope: Construct, id: string, props: SupernodeProps) {
    super(scope, id);
    const spec = checkedBy(this, () => supernodeSpec(props, defaultNamespace(this)));
    this.serviceName = spec.name;
    this.namespace = spec.namespace;
    this.replicas = spec.replicas;
    this.minFree = spec.minFree;
    this.podLabels = spec.classic ? classicSupernodeSelector(spec) : supernodeSelector(spec);
    this.hosts = spec.replicas > 1 ? replicaNames(spec) : [spec.name];

    const claim = supernodeClaim(spec);
    if (claim !== undefined) {
      this.persistentVolumeClaim = new k8s.KubePersistentVolumeClaim(this, 'persistent-volume-claim', claim);
    }
    if (spec.replicas > 1) {
      this.headlessService = new k8s.KubeService(this, 'headless-service', supernodeHeadlessService(spec));
      this.statefulSet = new k8s.KubeStatefulSet(this, 'stateful-set', supernodeStatefulSet(spec));
      this.podDisruptionBudget = new k8s.KubePodDisruptionBudget(
        this,
        'pod-disruption-budget',
        supernodeDisruptionBudget(spec),
      );
    } else {
      this.deployment = new k8s.KubeDeployment(this, 'deployment', deploymentOf(spec));
    }
    this.service = new k8s.KubeService(
      this,
      'service',
      spec.classic ? classicSupernodeService(spec) : supernodeService(spec),
    );
    if (spec.nodeCidrs.length > 0) {
      this.networkPolicy = new k8s.KubeNetworkPolicy(this, 'network-policy', supernodeNetworkPolicy(spec));
    }
    refuseTakenNames(this);
    refuseFaultyObjects(this);
    const { storage } = spec.store;
    refuseSharing(this, { ports: {}, folder: storage.path, nodeSelector: spec.nodeSelector });
    refuseSharedClaim(this, { namespace: spec.namespace, name: storage.claimName });
  }

  /**
   * The host name by which pods of a namespace reach any replica.
   *
   * @param namespace the namespace of those pods
   */
  public addressFrom(namespace: string): string {
    return checkNamespace('namespace', namespace) === this.namespace
      ? this.serviceName
      : `${this.serviceName}.${this.namespace}`;
  }

  /**
   * The host names by which pods of a namespace reach each replica: what a df-daemon is told.
   *
   * @param namespace the namespace of those pods
   */
  public addressesFrom(namespace: string): string[] {
    return checkNamespace('namespace', namespace) === this.namespace
      ? [...this.hosts]
      : this.hosts.map((host) => `${host}.${this.namespace}`);
  }

  /** Selects the supernode's pods, for cdk8s-plus constructs. */
  public toPodSelectorConfig(): PodSelectorConfig {
    return {
      labelSelector: LabelSelector.of({ labels: { ...this.podLabels } }),
      namespaces: { names: [this.namespace] },
    };
  }

  /** The supernode's pods as the peer of a network policy. */
  public toNetworkPolicyPeerConfig(): NetworkPolicyPeerConfig {
    return { podSelector: this.toPodSelectorConfig() };
  }

  /** The supernode's pods as a selector. */
  public toPodSelector(): IPodSelector | undefined {
    return this;
  }
}

function deploymentOf(spec: SupernodeSpec): k8s.KubeDeploymentProps {
  return spec.classic ? classicSupernodeDeployment(spec) : supernodeDeployment(spec);
}
