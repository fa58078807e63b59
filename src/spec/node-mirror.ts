import { NODE_MIRROR } from '../contract/index';
import type { NodeMirrorJobProps } from '../node-mirror-job';
import { NodeMirrorMode } from '../node-mirror-mode';
import { checkImage, checkName, checkNamespace, checkNodes } from './checks';
import { checkUrl } from './registry';

/** A Job's name ends in a dash and this many hexadecimal digits of the hash of its content. */
export const JOB_HASH_LENGTH = 10;

/** Everything that decides what the Jobs look like. */
export interface NodeMirrorSpec {
  readonly name: string;
  readonly namespace: string;
  readonly image: string;
  readonly nodes: string[];
  readonly mode: NodeMirrorMode;
  readonly mirror: string;
}

/**
 * Props with their defaults, checked.
 *
 * @throws Error naming the prop, the value and the fix.
 */
export function nodeMirrorSpec(props: NodeMirrorJobProps, defaultNamespace: string): NodeMirrorSpec {
  const defaultMirror = NODE_MIRROR.flags.mirror.default;
  return {
    name: checkName('name', props.name ?? 'node-mirror', 62 - JOB_HASH_LENGTH),
    namespace: checkNamespace('namespace', props.namespace ?? defaultNamespace),
    image: checkImage('image', props.image),
    nodes: checkNodes('nodes', props.nodes),
    mode: props.mode ?? NodeMirrorMode.APPLY,
    mirror: checkUrl('mirror', props.mirror ?? defaultMirror, defaultMirror),
  };
}
