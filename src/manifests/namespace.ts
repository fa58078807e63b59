import type { k8s } from 'cdk8s-plus-27';

const POD_SECURITY = 'pod-security.kubernetes.io';

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
