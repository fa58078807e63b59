import type { Alert } from './alerts';

/** Where the pods of an installation are, as options of kubectl. */
export interface AlertNamespaces {
  readonly supernode: string;
  readonly daemon: string;
}

/** The first step of an alert, as it can be done in an installation. */
export function firstStep({ runbook: [first = ''], namespaceOf }: Alert, namespaces: AlertNamespaces): string {
  return namespaceOf === undefined ? first : first.replace('-n NAMESPACE', namespaces[namespaceOf]);
}
