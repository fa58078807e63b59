import { Chart } from 'cdk8s';
import type { IConstruct } from 'constructs';

/** The claim of a store. */
export interface StoreClaim {
  readonly namespace: string;
  /** Undefined where the store is in no claim, or in one of its own. */
  readonly name: string | undefined;
}

const taken = new WeakMap<Chart, { readonly scope: IConstruct; readonly claim: StoreClaim }[]>();

/**
 * Has a construct refuse, when the chart is synthesized, the claim of another. On one node the second process ends itself; on two, which a volume
 * with ReadWriteMany allows, neither sees that the other lives.
 */
export function refuseSharedClaim(scope: IConstruct, claim: StoreClaim): void {
  const chart = Chart.of(scope);
  const others = [...(taken.get(chart) ?? [])];
  taken.set(chart, [...others, { scope, claim }]);
  scope.node.addValidation({
    validate: () =>
      others
        .filter(({ claim: { name, namespace } }) => name === claim.name && namespace === claim.namespace)
        .flatMap((other) =>
          claim.name === undefined
            ? []
            : [
                `storage is the claim "${claim.name}", which ${other.scope.node.path} has: ` +
                  'two supernodes cannot share one store; give each a claim of its own.',
              ],
        ),
  });
}
