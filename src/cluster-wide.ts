import { JsonPatch } from 'cdk8s';
import type { ApiObject } from 'cdk8s';

/** Kinds of ours that stand in no namespace. */
export const CLUSTER_WIDE: readonly string[] = ['Namespace', 'ClusterRole', 'ClusterRoleBinding'];

/** An object without the namespace of its chart, which cdk8s gives to each: tools that sort by namespace would take it for part of one. */
export function clusterWide<T extends ApiObject>(object: T): T {
  if (object.metadata.namespace !== undefined) {
    object.addJsonPatch(JsonPatch.remove('/metadata/namespace'));
  }
  return object;
}
