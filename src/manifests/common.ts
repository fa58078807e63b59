import { createHash } from 'node:crypto';
import type { k8s } from 'cdk8s-plus-27';
import { JOB_HASH_LENGTH } from '../spec/node-mirror';

/** Roles that name the nodes of the control plane: `master` alone before Kubernetes 1.20, `control-plane` alone since 1.24. */
export const CONTROL_PLANE_KEY = 'node-role.kubernetes.io/control-plane';
export const MASTER_KEY = 'node-role.kubernetes.io/master';

export const TOLERATE_MASTER: k8s.Toleration = { key: MASTER_KEY, operator: 'Exists', effect: 'NoSchedule' };
export const TOLERATE_CONTROL_PLANE: k8s.Toleration[] = [
  { key: CONTROL_PLANE_KEY, operator: 'Exists', effect: 'NoSchedule' },
  TOLERATE_MASTER,
];

/** The labels that select the pods of one object, and no other's. */
export function selectorLabels(component: string, instance: string): Record<string, string> {
  return { 'app.kubernetes.io/name': component, 'app.kubernetes.io/instance': instance };
}

/** The labels of every object: those that select, and what it is a part of. */
export function objectLabels(component: string, instance: string): Record<string, string> {
  return { ...selectorLabels(component, instance), 'app.kubernetes.io/part-of': 'dragonfly' };
}

/** An environment variable with a field of the pod's own status, such as `status.podIP`. */
export function fieldEnv(name: string, fieldPath: string): k8s.EnvVar {
  return { name, valueFrom: { fieldRef: { fieldPath } } };
}

/**
 * The name of a Job by a hash of its content, which cannot be changed: the same for the same content, in whichever order its keys were given.
 */
export function nameByContent(name: string, job: k8s.JobSpec): string {
  return `${name}-${sha256(JSON.stringify(job, sortedKeys)).slice(0, JOB_HASH_LENGTH)}`;
}

function sortedKeys(_key: string, value: unknown): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;
}

/** SHA-256 of a text in hexadecimal digits. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Required node affinity: nodes with any one of these labels. */
export function onNodesWith(keys: string[]): k8s.Affinity {
  return {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: keys.map((key) => ({ matchExpressions: [{ key, operator: 'Exists' }] })),
      },
    },
  };
}
