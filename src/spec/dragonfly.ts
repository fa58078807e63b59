import type { DfDaemonProps } from '../df-daemon-props';
import type { DragonflyProps } from '../dragonfly-props';
import type { NodeMirrorJobProps } from '../node-mirror-job-props';
import type { Registry } from '../registry';
import type { SupernodeProps } from '../supernode-props';
import { DFDAEMON, NODE_MIRROR, PORTS, SUPERNODE } from '../contract/index';
import { checkNamespace } from './checks';
import { checkImage } from './image';
import { checkImageIsNotMirrored } from './mirror-loop';
import { DOCKER_HUB } from './registry';
import { DRAGONFLY } from './shapes';

/** The props of the parts of an installation. */
export interface DragonflySpec {
  readonly namespace: string;
  readonly createNamespace: boolean;
  readonly supernode: SupernodeProps;
  /** Without the address of the supernode, which the supernode's Service says. */
  readonly daemon: Omit<DfDaemonProps, 'supernodes'>;
  readonly nodeMirror: NodeMirrorJobProps | undefined;
}

/** Namespaces that every cluster has. */
const GIVEN_NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/**
 * Props with their defaults, checked under their own names, and handed to the part that they are for, which checks the rest.
 *
 * @throws Error naming the prop, the value and the fix.
 */
export function dragonflySpec(props: DragonflyProps, defaultNamespace: string): DragonflySpec {
  DRAGONFLY('', props);
  const namespace = checkNamespace('namespace', props.namespace ?? defaultNamespace);
  const createNamespace = props.createNamespace ?? false;
  if (createNamespace && GIVEN_NAMESPACES.includes(namespace)) {
    throw new Error(
      `createNamespace is true, and every cluster has "${namespace}": name another namespace, or leave it out.`,
    );
  }
  const common = { namespace, registries: props.registries ?? [DOCKER_HUB] };
  const daemons = {
    ...common,
    ...(props.ca === undefined ? {} : { ca: props.ca }),
    ...(props.classic === true ? { classic: true } : {}),
  };
  const mirrorPort = props.daemon?.mirrorPort ?? PORTS.mirror;
  checkImageIsNotMirrored('supernodeImage', props.supernodeImage, mirrorPort);
  checkImageIsNotMirrored('nodeMirrorImage', props.nodeMirrorImage, mirrorPort);
  return {
    namespace,
    createNamespace,
    supernode: {
      ...props.supernode,
      ...daemons,
      ...(props.supernode?.egressPolicy === true ? { peerPorts: [props.daemon?.peerPort ?? PORTS.peer] } : {}),
      image: checkImage('supernodeImage', props.supernodeImage, SUPERNODE.name),
    },
    daemon: { ...props.daemon, ...daemons, image: checkImage('daemonImage', props.daemonImage, DFDAEMON.name) },
    nodeMirror: nodeMirrorOf(props, common),
  };
}

function nodeMirrorOf(
  props: DragonflyProps,
  common: { readonly namespace: string; readonly registries: Registry[] },
): NodeMirrorJobProps | undefined {
  if (props.nodeMirror === undefined) {
    if (props.nodeMirrorImage !== undefined) {
      throw new Error(
        `nodeMirrorImage "${props.nodeMirrorImage}" has nothing to do: name nodes in nodeMirror, or leave it out; configureRuntime has an image of its own.`,
      );
    }
    return undefined;
  }
  return {
    ...props.nodeMirror,
    namespace: common.namespace,
    registries: props.classic === true ? asClassic(common.registries) : common.registries,
    image: checkImage('nodeMirrorImage', props.nodeMirrorImage, NODE_MIRROR.name),
  };
}

/** What the classic df-daemons take a registry for that has no name of its own: docker.io, which is what runtimes are to ask them for. */
function asClassic(registries: Registry[]): Registry[] {
  return registries.map((registry) => ({ ...registry, host: registry.host ?? 'docker.io' }));
}
