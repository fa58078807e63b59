import { PATHS } from '../contract/index';
import { Placement } from '../placement';
import type { SupernodeProps } from '../supernode';
import { checkHostPath, checkImage, checkName, checkNamespace } from './checks';
import { DOCKER_HUB, originsOf, parseRegistries } from './registry';

/** Everything that decides what the objects of a supernode look like. */
export interface SupernodeSpec {
  readonly name: string;
  readonly namespace: string;
  readonly image: string;
  /** `HOST[:PORT]` of the registries that may be fetched from. */
  readonly origins: string[];
  readonly placement: Placement;
  readonly dataPath: string;
  readonly classic: boolean;
}

/**
 * Props with their defaults, checked.
 *
 * @throws Error naming the prop, the value and the fix.
 */
export function supernodeSpec(props: SupernodeProps, defaultNamespace: string): SupernodeSpec {
  const classic = props.classic ?? false;
  if (classic && props.placement !== undefined) {
    throw new Error(
      `placement "${props.placement}" has no place in the classic installation: leave out one of the two.`,
    );
  }
  return {
    name: checkName('name', props.name ?? 'supernode'),
    namespace: checkNamespace('namespace', props.namespace ?? defaultNamespace),
    image: checkImage('image', props.image),
    origins: originsOf(parseRegistries('registries', props.registries ?? [DOCKER_HUB])),
    placement: props.placement ?? Placement.CONTROL_PLANE,
    dataPath: checkHostPath('dataPath', props.dataPath ?? PATHS.supernodeHostPath),
    classic,
  };
}
