import { PodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor';
import { PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule';
import { DaemonSet } from 'kubernetes-models/apps/v1/DaemonSet';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import { CronJob } from 'kubernetes-models/batch/v1/CronJob';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ClusterRole } from 'kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRole';
import { ClusterRoleBinding } from 'kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRoleBinding';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Namespace } from 'kubernetes-models/v1/Namespace';
import { PersistentVolumeClaim } from 'kubernetes-models/v1/PersistentVolumeClaim';
import { ResourceQuota } from 'kubernetes-models/v1/ResourceQuota';
import { Service } from 'kubernetes-models/v1/Service';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import type { Manifest } from './synth';

/** A kind of the API with the check of its schema, which throws. */
interface Model {
  readonly apiVersion: string;
  readonly kind: string;
  readonly prototype: { validate(): void };
}

/** The kinds and versions that the library may emit: all are served by every Kubernetes since 1.21, or by the Prometheus Operator. */
const MODELS: readonly Model[] = [
  ClusterRole,
  ClusterRoleBinding,
  ConfigMap,
  CronJob,
  DaemonSet,
  Deployment,
  Job,
  Namespace,
  NetworkPolicy,
  PersistentVolumeClaim,
  PodDisruptionBudget,
  PodMonitor,
  PrometheusRule,
  ResourceQuota,
  Service,
  ServiceAccount,
  StatefulSet,
];

/** What the schema of Kubernetes 1.27 has against a manifest: unknown kinds, wrong types and values, missing and unknown keys. */
export function schemaFaults(manifests: readonly Manifest[]): string[] {
  return manifests.flatMap((manifest) => {
    const { apiVersion, kind, metadata } = manifest;
    const model = MODELS.find((one) => one.apiVersion === apiVersion && one.kind === kind);
    if (model === undefined) return [`${apiVersion} ${kind} is not among the known kinds`];
    const looked: Looked[] = [];
    const faults: string[] = [];
    try {
      model.prototype.validate.call(watched(manifest, kind, looked));
    } catch (error) {
      faults.push(`${kind} ${metadata.name}: ${String(error)}`);
    }
    return [...faults, ...unknownKeys(looked)];
  });
}

/** An object of a manifest, and the keys of it that the check of the schema has read. */
interface Looked {
  readonly path: string;
  readonly object: object;
  readonly keys: Set<string>;
}

/** The check reads every key that the schema knows, and all of a map: a key that it has not read is one that the API server would drop. */
function unknownKeys(looked: readonly Looked[]): string[] {
  return looked.flatMap(({ path, object, keys }) =>
    Array.isArray(object)
      ? []
      : Object.keys(object)
          .filter((key) => !keys.has(key))
          .map((key) => `${path}.${key} does not exist`),
  );
}

function watched<T extends object>(object: T, path: string, looked: Looked[]): T {
  const keys = new Set<string>();
  const children = new Map<string, unknown>();
  looked.push({ path, object, keys });
  return new Proxy(object, {
    get(target, key, receiver) {
      const value: unknown = Reflect.get(target, key, receiver);
      if (typeof key !== 'string') return value;
      keys.add(key);
      if (typeof value !== 'object' || value === null) return value;
      if (!children.has(key)) children.set(key, watched(value, `${path}.${key}`, looked));
      return children.get(key);
    },
  });
}
