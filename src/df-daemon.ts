import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { classicDfDaemonConfigMap, classicDfDaemonSet } from './manifests/classic';
import { configMapName, dfDaemonConfigMap, dfDaemonSet } from './manifests/df-daemon';
import { dfDaemonSpec } from './spec/df-daemon';
import { checkUnique, defaultNamespace } from './unique-name';

/** What can be said about the df-daemons. */
export interface DfDaemonProps {
  /** The image with the `dfdaemon` command. Required, since none is published yet. */
  readonly image: string;
  /** Where the supernodes are, as `HOST[:PORT]`; `SupernodeConstruct.addressFrom()` says it. */
  readonly supernodes: string[];
  /**
   * The registries behind the mirror, as `[HOST=]URL`, such as `ghcr.io=https://ghcr.io`; HOST is what image names say, by default the
   * host of the URL. Requests that name no registry go to the first.
   *
   * @default - Docker Hub, `https://registry-1.docker.io`
   */
  readonly registries?: string[];
  /**
   * The name of the DaemonSet; the ConfigMap's is this with `-config`.
   *
   * @default df-daemon
   */
  readonly name?: string;
  /**
   * The namespace of the objects.
   *
   * @default - the chart's namespace, else `kube-system`
   */
  readonly namespace?: string;
  /**
   * The folder on every node for blobs; made if missing.
   *
   * @default /data/dfdaemon
   */
  readonly dataPath?: string;
  /**
   * More taints to tolerate, besides those of the control plane.
   *
   * @default - none
   */
  readonly tolerations?: k8s.Toleration[];
  /**
   * Only what the classic installation says: for the original image, without flags, probes, limits and security settings.
   *
   * @default false
   */
  readonly classic?: boolean;
}

/** A df-daemon on every node: the registry mirror for the node's container runtime. */
export class DfDaemonConstruct extends Construct {
  /** The ConfigMap with `dragonfly.conf`. */
  public readonly configMap: k8s.KubeConfigMap;
  /** The DaemonSet. */
  public readonly daemonSet: k8s.KubeDaemonSet;

  public constructor(scope: Construct, id: string, props: DfDaemonProps) {
    super(scope, id);
    const spec = dfDaemonSpec(props, defaultNamespace(this));
    checkUnique(this, 'name', { kind: 'ConfigMap', name: configMapName(spec), namespace: spec.namespace });
    checkUnique(this, 'name', { kind: 'DaemonSet', name: spec.name, namespace: spec.namespace });

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
  }
}
