import { ApiObject, Chart } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { CLUSTER_WIDE } from './cluster-wide';
import { CRITICAL_PODS } from './manifests/namespace';
import { onceATurn } from './policy/once-a-turn';

const checked = new WeakSet<Chart>();

/**
 * Has the chart refuse, when it is synthesized, two objects of one kind and name: cdk8s would write both, and the API server would keep
 * the last. Whoever made them, ours or not.
 */
export function refuseTakenNames(scope: IConstruct): void {
  const chart = Chart.of(scope);
  if (!checked.has(chart)) {
    checked.add(chart);
    chart.node.addValidation({ validate: onceATurn(() => takenNames(chart)) });
  }
}

/** The namespace for objects that are given none: the chart's, else `kube-system`, where node-critical pods may always run. */
export function defaultNamespace(scope: IConstruct): string {
  return Chart.of(scope).namespace ?? 'kube-system';
}

function takenNames(chart: Chart): string[] {
  const first = new Map<string, ApiObject>();
  const faults: string[] = [];
  for (const object of chart.node.findAll().filter((child) => ApiObject.isApiObject(child))) {
    const namespace = CLUSTER_WIDE.includes(object.kind) ? undefined : object.metadata.namespace;
    const key = `${object.apiGroup} ${object.kind} ${namespace ?? ''} ${object.name}`;
    const other = first.get(key);
    if (other === undefined) {
      first.set(key, object);
      continue;
    }
    const where = namespace === undefined ? '' : ` in the namespace "${namespace}"`;
    faults.push(
      `${object.node.path}: the ${object.kind} "${object.name}"${where} is made twice, the first time by ${other.node.path}: ` +
        (isOfNamespace(object) ? 'leave one of them out, or createNamespace.' : 'give one of the two another name.'),
    );
  }
  return faults;
}

/** Whether it is what `createNamespace` makes, which has its name from the namespace, or one for all. */
function isOfNamespace({ kind, name }: ApiObject): boolean {
  return kind === 'Namespace' || (kind === 'ResourceQuota' && name === CRITICAL_PODS);
}
