import type { ContainerResources, k8s } from 'cdk8s-plus-27';
import type { WorkloadProps } from '../workload-props';
import { checkReference } from './checks';
import { wholeSeconds } from './durations';
import { checkAnnotations, checkEnv, checkLabels, checkNodeSelector } from './metadata';
import { wholeMebibytes } from './size';
import { checkTolerations } from './tolerations';

/** What a daemon asks for when nothing else is said. */
export interface ResourceDefaults {
  readonly cpuRequest: string;
  readonly memoryRequest: string;
  /** MiB. */
  readonly memoryLimit: number;
}

/** Everything about a pod that every daemon has in common. */
export interface WorkloadSpec {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  /** As Kubernetes writes quantities. */
  readonly requests: Readonly<Record<string, string>>;
  readonly limits: Readonly<Record<string, string>>;
  /** MiB. */
  readonly heap: number;
  readonly tolerations: k8s.Toleration[];
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly priorityClassName: string | undefined;
  readonly imagePullSecrets: string[];
  readonly imagePullPolicy: string;
  readonly securityContext: k8s.SecurityContext;
  readonly podSecurityContext: k8s.PodSecurityContext;
  readonly gracePeriodSeconds: number;
  readonly logLevel: string | undefined;
}

/** What differs from daemon to daemon. */
export interface WorkloadDefaults {
  /** The way to the props, for messages: nothing, or ending in a dot. */
  readonly parent?: string;
  readonly image: string;
  readonly resources: ResourceDefaults;
  readonly priorityClassName: string | undefined;
  readonly gracePeriodSeconds: number;
  /** Labels that a node must have unless `nodeSelector` says otherwise. */
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** Variables that are ours, with the prop that changes each. */
  readonly takenEnv: Readonly<Record<string, string>>;
}

/** Nodes that can run our images: no taint keeps pods off the nodes of Windows. */
export const LINUX = { 'kubernetes.io/os': 'linux' };

const MIN_MEMORY_LIMIT = 128;

/**
 * The props of every daemon with their defaults, checked.
 *
 * @throws Error naming the prop, the value and the fix.
 */
export function workloadSpec(props: WorkloadProps, defaults: WorkloadDefaults): WorkloadSpec {
  const { parent = '' } = defaults;
  checkCpu(`${parent}resources.cpu`, props.resources, defaults.resources.cpuRequest);
  checkEphemeral(`${parent}resources.ephemeralStorage`, props.resources);
  const limit = memoryLimit(`${parent}resources`, props.resources, defaults.resources.memoryLimit);
  return {
    labels: checkLabels(`${parent}labels`, props.labels ?? {}),
    annotations: checkAnnotations(`${parent}annotations`, props.annotations ?? {}),
    env: checkEnv(`${parent}env`, props.env ?? {}, defaults.takenEnv),
    requests: requests(props.resources, defaults.resources, limit),
    limits: limits(props.resources, limit),
    heap: Math.floor(limit / 2),
    tolerations: checkTolerations(`${parent}tolerations`, props.tolerations ?? []),
    nodeSelector: {
      ...defaults.nodeSelector,
      ...checkNodeSelector(`${parent}nodeSelector`, props.nodeSelector ?? {}),
    },
    priorityClassName:
      props.priorityClassName === undefined
        ? defaults.priorityClassName
        : checkReference(`${parent}priorityClassName`, props.priorityClassName),
    imagePullSecrets: (props.imagePullSecrets ?? []).map((name, i) =>
      checkReference(`${parent}imagePullSecrets[${i}]`, name),
    ),
    imagePullPolicy: props.imagePullPolicy ?? (isFloating(defaults.image) ? 'Always' : 'IfNotPresent'),
    securityContext: props.securityContext ?? {},
    podSecurityContext: props.podSecurityContext ?? {},
    gracePeriodSeconds:
      wholeSeconds(`${parent}terminationGracePeriod`, props.terminationGracePeriod) ?? defaults.gracePeriodSeconds,
    logLevel: props.logLevel,
  };
}

/** Whether what an image's name stands for may change: no digest, and no tag or the tag `latest`. */
function isFloating(image: string): boolean {
  const [, tag] = /(?::([^/@]+))?(?:@.*)?$/.exec(image) ?? [];
  return !image.includes('@') && (tag === undefined || tag === 'latest');
}

function checkCpu(prop: string, resources: ContainerResources | undefined, fallback: string): void {
  const { request, limit } = resources?.cpu ?? {};
  for (const [name, one] of Object.entries({ request, limit })) {
    if (one !== undefined && !isWhole(millicores(one.amount))) {
      throw new Error(`${prop}.${name} is ${one.amount}: use Cpu.millis(n) with a whole n, 0 or more.`);
    }
  }
  const asked = request?.amount ?? fallback;
  if (limit !== undefined && millicores(asked) > millicores(limit.amount)) {
    throw new Error(`${prop}.request is ${asked} and the limit ${limit.amount}: raise the limit, or ask for less.`);
  }
}

/** Whether it is a whole number, 0 or more, but for what multiplying it has added. */
function isWhole(number: number): boolean {
  return number >= 0 && Math.abs(number - Math.round(number)) < 1e-6;
}

/** Of a number of cores, or one of thousandths, such as `100m`. */
function millicores(amount: string): number {
  return amount.endsWith('m') ? Number(amount.slice(0, -1)) : Number(amount) * 1000;
}

function checkEphemeral(prop: string, resources: ContainerResources | undefined): void {
  const { request, limit } = resources?.ephemeralStorage ?? {};
  if (request !== undefined && limit !== undefined && wholeMebibytes(request) > wholeMebibytes(limit)) {
    throw new Error(
      `${prop}.request is ${wholeMebibytes(request)} MiB and the limit ${wholeMebibytes(limit)} MiB: raise the limit, or ask for less.`,
    );
  }
}

function memoryLimit(prop: string, resources: ContainerResources | undefined, fallback: number): number {
  const { limit, request } = resources?.memory ?? {};
  const mib = limit === undefined ? fallback : wholeMebibytes(limit);
  if (mib < MIN_MEMORY_LIMIT) {
    throw new Error(
      `${prop}.memory.limit is ${mib} MiB, too little for a daemon to start: give at least ${MIN_MEMORY_LIMIT} MiB.`,
    );
  }
  if (request !== undefined && wholeMebibytes(request) > mib) {
    throw new Error(
      `${prop}.memory.request is ${wholeMebibytes(request)} MiB and the limit ${mib} MiB: raise the limit, or ask for less.`,
    );
  }
  return mib;
}

function requests(
  resources: ContainerResources | undefined,
  defaults: ResourceDefaults,
  limit: number,
): Record<string, string> {
  const { request } = resources?.memory ?? {};
  const fallback = limit < Number.parseInt(defaults.memoryRequest, 10) ? `${limit}Mi` : defaults.memoryRequest;
  const storage = resources?.ephemeralStorage?.request;
  return {
    cpu: resources?.cpu?.request?.amount ?? defaults.cpuRequest,
    memory: request === undefined ? fallback : `${wholeMebibytes(request)}Mi`,
    ...(storage === undefined ? {} : { 'ephemeral-storage': `${wholeMebibytes(storage)}Mi` }),
  };
}

function limits(resources: ContainerResources | undefined, limit: number): Record<string, string> {
  const cpu = resources?.cpu?.limit?.amount;
  const storage = resources?.ephemeralStorage?.limit;
  return {
    ...(cpu === undefined ? {} : { cpu }),
    memory: `${limit}Mi`,
    ...(storage === undefined ? {} : { 'ephemeral-storage': `${wholeMebibytes(storage)}Mi` }),
  };
}
