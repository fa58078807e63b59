import { ApiObject } from 'cdk8s';
import type { IConstruct } from 'constructs';
import type { Manifest } from './manifest';
import { faultsOf, lostSelectors } from './rules';

/** Has a construct refuse, when it is synthesized, what was patched into its objects and no API server or node would take. */
export function refuseFaultyObjects(scope: IConstruct): void {
  let found: string[] | undefined;
  scope.node.addValidation({
    validate: () => {
      if (found === undefined) {
        found = faultsOfChildren(scope);
        // cdk8s validates the whole app for each of its charts, in one go: once is enough until others had their turn.
        queueMicrotask(() => (found = undefined));
      }
      return found;
    },
  });
}

function faultsOfChildren(scope: IConstruct): string[] {
  const manifests = scope.node.children
    .filter((child) => ApiObject.isApiObject(child))
    .map((object) => object.toJson() as Manifest);
  return [
    ...manifests.flatMap((manifest) =>
      faultsOf(manifest).map((fault) => `${manifest.kind} ${manifest.metadata.name ?? ''}: ${fault}`),
    ),
    ...lostSelectors(manifests),
  ];
}
