import { NODE_MIRROR } from '../contract/index';
import type { NodeMirrorJobProps } from '../node-mirror-job-props';
import { NodeMirrorMode } from '../node-mirror-mode';
import type { RuntimePaths } from '../runtime-paths';
import { checkCount, checkName, checkNamespace, checkNodes } from './checks';
import { checkDockerHub, dockerSpec } from './docker';
import type { DockerSpec } from './docker';
import { durationText, wholeSeconds } from './durations';
import { checkImage } from './image';
import { checkImageIsNotMirrored, loopbackPort } from './mirror-loop';
import { DOCKER_HUB, checkUrl, namedRegistries, parseRegistries } from './registry';
import { runtimePathsSpec } from './runtime-paths';
import { checkRuntimes } from './runtimes';
import { NODE_MIRROR as SHAPE } from './shapes';
import { workloadSpec } from './workload';
import type { WorkloadSpec } from './workload';

/** A Job's name ends in a dash and this many hexadecimal digits of the hash of its content. */
export const JOB_HASH_LENGTH = 10;

/** Everything that decides what the Jobs look like. */
export interface NodeMirrorSpec extends WorkloadSpec {
  readonly name: string;
  readonly namespace: string;
  readonly image: string;
  readonly nodes: string[];
  readonly mode: NodeMirrorMode;
  readonly runtimes: string[];
  readonly restart: boolean;
  readonly mirror: string;
  readonly readyz: string | undefined;
  /** `HOST=URL` */
  readonly registries: string[];
  readonly wait: string | undefined;
  readonly reloadTimeout: string | undefined;
  readonly paths: RuntimePaths;
  readonly docker: DockerSpec;
  readonly deadlineSeconds: number;
  readonly backoffLimit: number;
  readonly ttlSeconds: number | undefined;
}

/**
 * Props with their defaults, checked.
 *
 * @throws Error naming the prop, the value and the fix.
 */
export function nodeMirrorSpec(props: NodeMirrorJobProps, defaultNamespace: string): NodeMirrorSpec {
  SHAPE('', props);
  const defaultMirror = NODE_MIRROR.flags.mirror.default;
  const image = checkImage('image', props.image, NODE_MIRROR.name);
  const deadlineSeconds = wholeSeconds('deadline', props.deadline) ?? 600;
  const mirror = checkUrl('mirror', props.mirror ?? defaultMirror, defaultMirror);
  checkImageIsNotMirrored('image', image, loopbackPort(mirror) ?? 0);
  const wait = durationText('wait', props.wait, NODE_MIRROR.flags.wait);
  const waitSeconds = waitSecondsOf(props);
  if (waitSeconds >= deadlineSeconds) {
    throw new Error(
      `wait is ${waitSeconds} s and deadline ${deadlineSeconds} s: the Job would end while it waits; raise the deadline.`,
    );
  }
  const runtimes = checkRuntimes('runtimes', props.runtimes);
  const restart = props.restart ?? false;
  const registries = parseRegistries('registries', props.registries ?? [DOCKER_HUB]);
  // What is to be undone stands in the record on the node, whatever the registries are now.
  if (props.mode !== NodeMirrorMode.RESTORE) checkDockerHub('', runtimes, registries);
  return {
    ...workloadSpec(props, {
      image,
      resources: { cpuRequest: '10m', memoryRequest: '64Mi', memoryLimit: 256 },
      priorityClassName: undefined,
      gracePeriodSeconds: graceSeconds(props),
      // They are named, and a label that one lacks would have the kubelet refuse the pod.
      nodeSelector: {},
      takenEnv: {},
    }),
    name: checkName('name', props.name ?? 'node-mirror', 62 - JOB_HASH_LENGTH),
    namespace: checkNamespace('namespace', props.namespace ?? defaultNamespace),
    image,
    nodes: checkNodes('nodes', props.nodes),
    mode: props.mode ?? NodeMirrorMode.APPLY,
    runtimes,
    restart,
    mirror,
    readyz: props.readyz === undefined ? undefined : checkReadyz(props.readyz),
    registries: namedRegistries(registries),
    wait,
    reloadTimeout: durationText('reloadTimeout', props.reloadTimeout, NODE_MIRROR.flags.reloadTimeout),
    paths: runtimePathsSpec('paths', props.paths),
    docker: dockerSpec('', props.docker, { runtimes, restart, registries }),
    deadlineSeconds,
    backoffLimit: checkCount('backoffLimit', props.backoffLimit ?? 3),
    ttlSeconds: wholeSeconds('ttlAfterFinished', props.ttlAfterFinished),
  };
}

/** How long a Job may wait: only `apply` does where nothing is said. */
function waitSecondsOf({ wait, mode = NodeMirrorMode.APPLY }: NodeMirrorJobProps): number {
  const fallback = mode === NodeMirrorMode.APPLY ? Number.parseInt(NODE_MIRROR.flags.wait.default, 10) : 0;
  return wait === undefined ? fallback : wait.toMilliseconds() / 1000;
}

/**
 * A Job that is told to stop finishes, or puts back, what it has begun: a runtime that shows neither the change nor that it was undone takes
 * `reloadTimeout` twice.
 */
function graceSeconds({ reloadTimeout }: NodeMirrorJobProps): number {
  return Math.max(LEAST_GRACE_SECONDS, Math.ceil((2 * (reloadTimeout?.toMilliseconds() ?? 0)) / 1000) + END_SECONDS);
}

const LEAST_GRACE_SECONDS = 90;
/** For what comes after. */
const END_SECONDS = 30;

function checkReadyz(url: string): string {
  if (url !== 'none' && !(/^https?:\/\//i.test(url) && URL.canParse(url))) {
    throw new Error(
      `readyz "${url}" is no http or https URL: write it such as ${NODE_MIRROR.flags.readyz.default}, or none, which original images need.`,
    );
  }
  return url;
}
