import { k8s } from 'cdk8s-plus-27';

const POD_SECURITY = 'pod-security.kubernetes.io';
/** The name of the ResourceQuota that comes with a namespace. */
export const CRITICAL_PODS = 'dragonfly-critical-pods';

/** A namespace that admits what needs the node: the host's network and folders, and the privileged node-mirror. */
export function namespaceProps(name: string): k8s.KubeNamespaceProps {
  return {
    metadata: {
      name,
      labels: {
        'app.kubernetes.io/part-of': 'dragonfly',
        [`${POD_SECURITY}/enforce`]: 'privileged',
        // Warnings would be about the exceptions that docs/constructs.md lists, at every rollout.
        [`${POD_SECURITY}/audit`]: 'privileged',
        [`${POD_SECURITY}/warn`]: 'privileged',
      },
    },
  };
}

/**
 * Lets pods with the priority of the system run in a namespace: some clusters, such as those of GKE, make these outside of `kube-system` only
 * where a quota counts them. This one limits nothing.
 */
export function criticalPodsQuota(namespace: string): k8s.KubeResourceQuotaProps {
  return {
    metadata: {
      name: CRITICAL_PODS,
      namespace,
      labels: { 'app.kubernetes.io/part-of': 'dragonfly' },
    },
    spec: {
      hard: { pods: k8s.Quantity.fromString('1G') },
      scopeSelector: {
        matchExpressions: [
          {
            scopeName: 'PriorityClass',
            operator: 'In',
            values: ['system-node-critical', 'system-cluster-critical'],
          },
        ],
      },
    },
  };
}
