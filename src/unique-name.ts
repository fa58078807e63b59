import { ApiObject, Chart } from 'cdk8s';
import type { IConstruct } from 'constructs';

/** What makes an object of a chart the same as another for the API server. */
interface ObjectName {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
}

/**
 * Refuses an object that the chart already has: cdk8s would write both, and the API server would keep the last.
 *
 * @throws Error naming the object, the construct that has it, and the prop to change.
 */
export function checkUnique(scope: IConstruct, prop: string, object: ObjectName): void {
  const chart = Chart.of(scope);
  const other = chart.node
    .findAll()
    .filter((child) => ApiObject.isApiObject(child))
    .find(
      (child) =>
        child.kind === object.kind &&
        child.name === object.name &&
        (child.metadata.namespace ?? chart.namespace) === object.namespace,
    );
  if (other !== undefined) {
    throw new Error(
      `${prop} "${object.name}" is taken: the chart already has the ${object.kind} "${object.name}" in the namespace ` +
        `"${object.namespace}" (${other.node.path}). Give this one another ${prop}.`,
    );
  }
}

/** The namespace for objects that are given none: the chart's, else `kube-system`, where node-critical pods may always run. */
export function defaultNamespace(scope: IConstruct): string {
  return Chart.of(scope).namespace ?? 'kube-system';
}
