import { ApiObject } from 'cdk8s';
import type { IConstruct } from 'constructs';
import type { Manifest } from './manifest';
import { onceATurn } from './once-a-turn';
import { faultsOf, lostSelectors } from './rules';

/** Has a construct refuse, when it is synthesized, what was patched into its objects and no API server or node would take. */
export function refuseFaultyObjects(scope: IConstruct): void {
  scope.node.addValidation({ validate: onceATurn(() => faultsOfChildren(scope)) });
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
