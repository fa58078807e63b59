import type { k8s } from 'cdk8s-plus-27';
import { PATHS } from '../contract/index';
import type { DfDaemonProps } from '../df-daemon';
import { checkAddresses, checkHostPath, checkImage, checkName, checkNamespace } from './checks';
import { DOCKER_HUB, parseRegistries, renderRegistries } from './registry';
import { checkTolerations } from './tolerations';

/** Everything that decides what the objects of the df-daemons look like. */
export interface DfDaemonSpec {
  readonly name: string;
  readonly namespace: string;
  readonly image: string;
  /** `HOST[:PORT]` of the supernodes. */
  readonly supernodes: string[];
  /** The registries as `[HOST=]URL`, separated by commas. */
  readonly registry: string;
  readonly dataPath: string;
  readonly tolerations: k8s.Toleration[];
  readonly classic: boolean;
}

/**
 * Props with their defaults, checked.
 *
 * @throws Error naming the prop, the value and the fix.
 */
export function dfDaemonSpec(props: DfDaemonProps, defaultNamespace: string): DfDaemonSpec {
  const classic = props.classic ?? false;
  const registries = parseRegistries('registries', props.registries ?? [DOCKER_HUB]);
  if (classic && registries.length > 1) {
    throw new Error(
      `registries has ${registries.length} entries, and the classic installation mirrors one: leave out the others, or classic.`,
    );
  }
  return {
    name: checkName('name', props.name ?? 'df-daemon'),
    namespace: checkNamespace('namespace', props.namespace ?? defaultNamespace),
    image: checkImage('image', props.image),
    supernodes: checkAddresses('supernodes', props.supernodes),
    registry: renderRegistries(registries),
    dataPath: checkHostPath('dataPath', props.dataPath ?? PATHS.dfdaemonHostPath),
    tolerations: checkTolerations('tolerations', props.tolerations ?? []),
    classic,
  };
}
