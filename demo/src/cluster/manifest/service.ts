import type { PortReference } from './container';
import type { Field } from './field';

/** A name for pods, with ports of its own. */
export interface Service {
  readonly name: string;
  readonly namespace: string;
  /** The labels of the pods behind it. */
  readonly selector: Readonly<Record<string, string>>;
  readonly ports: readonly { readonly port: number; readonly target: PortReference }[];
}

/** @throws the refusal of a field, with its place. */
export function readService(object: Field): Service {
  return {
    name: object.get('metadata').get('name').text(),
    namespace: object.get('metadata').get('namespace').optionalText() ?? 'default',
    selector: object.get('spec').get('selector').record(),
    ports: object
      .get('spec')
      .get('ports')
      .items()
      .map((field) => {
        const port = field.get('port').integer();
        const target = field.get('targetPort');
        return { port, target: target.value === undefined ? port : target.integerOrText() };
      }),
  };
}
