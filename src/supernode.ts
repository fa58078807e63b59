import { k8s, LabelSelector } from 'cdk8s-plus-27';
import type { INetworkPolicyPeer, IPodSelector, NetworkPolicyPeerConfig, PodSelectorConfig } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { classicSupernodeDeployment, classicSupernodeSelector, classicSupernodeService } from './manifests/classic';
import { supernodeDeployment, supernodeSelector, supernodeService } from './manifests/supernode';
import type { Placement } from './placement';
import { checkNamespace } from './spec/checks';
import { supernodeSpec } from './spec/supernode';
import { checkUnique, defaultNamespace } from './unique-name';

/** What can be said about a supernode. */
export interface SupernodeProps {
  /** The image with the `supernode` command. Required, since none is published yet. */
  readonly image: string;
  /**
   * The registries to fetch from, as `[HOST=]URL`, such as `https://registry.example.com:5000`. Nothing else is fetched, apart from
   * public https hosts that these redirect to.
   *
   * @default - Docker Hub, `https://registry-1.docker.io`
   */
  readonly registries?: string[];
  /**
   * The name of the Deployment and the Service.
   *
   * @default supernode
   */
  readonly name?: string;
  /**
   * The namespace of the objects.
   *
   * @default - the chart's namespace, else `kube-system`
   */
  readonly namespace?: string;
  /**
   * The nodes that it may run on.
   *
   * @default Placement.CONTROL_PLANE
   */
  readonly placement?: Placement;
  /**
   * The folder on its node for blobs and its signing key; made if missing.
   *
   * @default /data/dragonfly
   */
  readonly dataPath?: string;
  /**
   * Only what the classic installation says: for the original image, without flags, probes, limits and security settings.
   *
   * @default false
   */
  readonly classic?: boolean;
}

/** A supernode: fetches each blob once from its registry and hands it on to the df-daemons. */
export class SupernodeConstruct extends Construct implements IPodSelector, INetworkPolicyPeer {
  /** The Deployment with its one pod. */
  public readonly deployment: k8s.KubeDeployment;
  /** The Service in front of it. */
  public readonly service: k8s.KubeService;
  /** The name of the Service. */
  public readonly serviceName: string;
  /** The namespace of both. */
  public readonly namespace: string;
  private readonly podLabels: Record<string, string>;

  public constructor(scope: Construct, id: string, props: SupernodeProps) {
    super(scope, id);
    const spec = supernodeSpec(props, defaultNamespace(this));
    checkUnique(this, 'name', { kind: 'Deployment', name: spec.name, namespace: spec.namespace });
    checkUnique(this, 'name', { kind: 'Service', name: spec.name, namespace: spec.namespace });

    this.serviceName = spec.name;
    this.namespace = spec.namespace;
    this.podLabels = spec.classic ? classicSupernodeSelector(spec) : supernodeSelector(spec);
    this.deployment = new k8s.KubeDeployment(
      this,
      'deployment',
      spec.classic ? classicSupernodeDeployment(spec) : supernodeDeployment(spec),
    );
    this.service = new k8s.KubeService(
      this,
      'service',
      spec.classic ? classicSupernodeService(spec) : supernodeService(spec),
    );
  }

  /**
   * The host name by which pods of a namespace reach the supernode.
   *
   * @param namespace the namespace of those pods
   */
  public addressFrom(namespace: string): string {
    return checkNamespace('namespace', namespace) === this.namespace
      ? this.serviceName
      : `${this.serviceName}.${this.namespace}`;
  }

  /** Selects the supernode's pods, for cdk8s-plus constructs. */
  public toPodSelectorConfig(): PodSelectorConfig {
    return {
      labelSelector: LabelSelector.of({ labels: this.podLabels }),
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
