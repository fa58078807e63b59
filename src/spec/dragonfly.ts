import { PATHS } from '../contract/index';
import type { DfDaemonProps } from '../df-daemon';
import type { DragonflyProps } from '../dragonfly';
import type { NodeMirrorJobProps } from '../node-mirror-job';
import type { SupernodeProps } from '../supernode';
import { checkHostPath, checkImage, checkName, checkNamespace, checkNodes } from './checks';
import { DOCKER_HUB, parseRegistries } from './registry';
import { checkTolerations } from './tolerations';

/** The props of the parts of an installation. */
export interface DragonflySpec {
  readonly supernode: SupernodeProps & { readonly name: string };
  /** Without the address of the supernode, which the supernode's Service says. */
  readonly daemon: Omit<DfDaemonProps, 'supernodes'> & { readonly name: string };
  readonly nodeMirror: NodeMirrorJobProps | undefined;
}

/**
 * Props with their defaults, checked under their own names, and handed to the part that they are for.
 *
 * @throws Error naming the prop, the value and the fix.
 */
export function dragonflySpec(props: DragonflyProps, defaultNamespace: string): DragonflySpec {
  const registries = props.registries ?? [DOCKER_HUB];
  parseRegistries('registries', registries);
  const common = {
    namespace: checkNamespace('namespace', props.namespace ?? defaultNamespace),
    registries,
    classic: props.classic ?? false,
  };
  return {
    supernode: {
      ...common,
      name: checkName('supernodeName', props.supernodeName ?? 'supernode'),
      image: checkImage('supernodeImage', props.supernodeImage),
      dataPath: checkHostPath('supernodeDataPath', props.supernodeDataPath ?? PATHS.supernodeHostPath),
      ...(props.supernodePlacement === undefined ? {} : { placement: props.supernodePlacement }),
    },
    daemon: {
      ...common,
      name: checkName('daemonName', props.daemonName ?? 'df-daemon'),
      image: checkImage('daemonImage', props.daemonImage),
      dataPath: checkHostPath('daemonDataPath', props.daemonDataPath ?? PATHS.dfdaemonHostPath),
      tolerations: checkTolerations('daemonTolerations', props.daemonTolerations ?? []),
    },
    nodeMirror: nodeMirrorOf(props, common.namespace),
  };
}

function nodeMirrorOf(props: DragonflyProps, namespace: string): NodeMirrorJobProps | undefined {
  if (props.mirrorNodes === undefined) {
    if (props.nodeMirrorImage !== undefined) {
      throw new Error(`nodeMirrorImage "${props.nodeMirrorImage}" has nothing to do: name the nodes in mirrorNodes.`);
    }
    return undefined;
  }
  return {
    namespace,
    image: checkImage('nodeMirrorImage', props.nodeMirrorImage),
    nodes: checkNodes('mirrorNodes', props.mirrorNodes),
  };
}
