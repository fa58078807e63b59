import type { Field } from './field';
import type { Mount } from './volume';
import { readMount } from './volume';

/** A variable of a container: its value, or the field of the pod that gives it, such as `status.hostIP`. */
export type EnvVariable =
  { readonly name: string; readonly value: string } | { readonly name: string; readonly field: string };

/** A port by number or by the name that the container gives it. */
export type PortReference = number | string;

/** What of a container matters to a process. */
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: readonly EnvVariable[];
  readonly ports: readonly { readonly name: string | undefined; readonly port: number }[];
  readonly mounts: readonly Mount[];
  readonly readiness: { readonly path: string; readonly port: PortReference } | undefined;
}

/** What a cluster enforces, and a local process goes without. */
const NOT_APPLIED = ['imagePullPolicy', 'livenessProbe', 'startupProbe', 'resources', 'securityContext'];

/** @throws CommandError for anything that a local process cannot be given */
export function readContainer(field: Field): Container {
  field.onlyMembers([
    ...['name', 'image', 'command', 'args', 'env', 'ports', 'volumeMounts', 'readinessProbe'],
    ...NOT_APPLIED,
  ]);
  const probe = field.get('readinessProbe');
  return {
    name: field.get('name').text(),
    image: field.get('image').text(),
    command: field.get('command').texts(),
    args: field.get('args').texts(),
    env: field.get('env').items().map(readVariable),
    ports: field
      .get('ports')
      .items()
      .map((port) => ({ name: port.get('name').optionalText(), port: port.get('containerPort').integer() })),
    mounts: field.get('volumeMounts').items().map(readMount),
    readiness: probe.value === undefined ? undefined : readProbe(probe),
  };
}

function readVariable(field: Field): EnvVariable {
  field.onlyMembers(['name', 'value', 'valueFrom']);
  const name = field.get('name').text();
  const source = field.get('valueFrom');
  if (source.value === undefined) return { name, value: field.get('value').optionalText() ?? '' };
  source.onlyMembers(['fieldRef']);
  return { name, field: source.get('fieldRef').get('fieldPath').text() };
}

function readProbe(field: Field): Container['readiness'] {
  const get = field.get('httpGet');
  if (get.value === undefined) throw field.refusal(`${field.place} asks for something else than httpGet`);
  return { path: get.get('path').text(), port: get.get('port').integerOrText() };
}
