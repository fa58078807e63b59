import { k8s } from 'cdk8s-plus-27';
import { FILES_FOLDER } from '../spec/files';
import type { FileSpec } from '../spec/files';
import type { WorkloadSpec } from '../spec/workload';
import { sha256 } from './common';

/** The user that a daemon is where nothing needs root. */
const NOBODY = 65_532;
const FILES = 'registries';

/** What the caller adds to the labels and annotations of all. */
export function metadataOf(
  spec: WorkloadSpec & { readonly name: string; readonly namespace: string },
  labels: Readonly<Record<string, string>>,
  name: string = spec.name,
): k8s.ObjectMeta {
  return { name, namespace: spec.namespace, labels: { ...spec.labels, ...labels }, ...annotationsOf(spec) };
}

/** The pods' own metadata; `config` is what a new pod has to be made for. */
export function podMetadataOf(
  spec: WorkloadSpec,
  labels: Readonly<Record<string, string>>,
  config?: string,
): k8s.ObjectMeta {
  return {
    labels: { ...spec.labels, ...labels },
    ...annotationsOf(spec, config === undefined ? {} : { 'checksum/config': sha256(config) }),
  };
}

function annotationsOf(spec: WorkloadSpec, more: Readonly<Record<string, string>> = {}): k8s.ObjectMeta {
  const annotations = { ...spec.annotations, ...more };
  return Object.keys(annotations).length === 0 ? {} : { annotations };
}

/** What every pod of ours says. Root only where the node's own folders are written. */
export function podOf(spec: WorkloadSpec, root: boolean): Omit<k8s.PodSpec, 'containers'> {
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: spec.gracePeriodSeconds,
    ...(spec.priorityClassName === undefined ? {} : { priorityClassName: spec.priorityClassName }),
    ...(Object.keys(spec.nodeSelector).length === 0 ? {} : { nodeSelector: spec.nodeSelector }),
    ...(spec.imagePullSecrets.length === 0
      ? {}
      : { imagePullSecrets: spec.imagePullSecrets.map((name) => ({ name })) }),
    securityContext: {
      ...(root ? {} : { runAsUser: NOBODY, runAsGroup: NOBODY, runAsNonRoot: true, ...FS_GROUP }),
      seccompProfile: { type: 'RuntimeDefault' },
      ...spec.podSecurityContext,
    },
  };
}

const FS_GROUP: k8s.PodSecurityContext = { fsGroup: NOBODY, fsGroupChangePolicy: 'OnRootMismatch' };

/** What every container of a daemon says. User 0 without capabilities is a plain user who owns root's folders. */
export function containerOf(
  spec: WorkloadSpec & { readonly image: string },
  root: boolean,
): Pick<k8s.Container, 'image' | 'imagePullPolicy' | 'resources' | 'securityContext'> {
  return {
    image: spec.image,
    imagePullPolicy: spec.imagePullPolicy,
    resources: { requests: quantities(spec.requests), limits: quantities(spec.limits) },
    securityContext: {
      ...(root ? { runAsUser: 0 } : {}),
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
      ...spec.securityContext,
    },
  };
}

/** The heap, and what the user adds. */
export function envOf(spec: WorkloadSpec): k8s.EnvVar[] {
  return [
    ...(spec.env[NODE_OPTIONS] === undefined
      ? [{ name: NODE_OPTIONS, value: `--max-old-space-size=${spec.heap}` }]
      : []),
    ...Object.entries(spec.env).map(([name, value]) => ({ name, value })),
  ];
}

const NODE_OPTIONS = 'NODE_OPTIONS';

/** One volume with the files of all Secrets and ConfigMaps that the user names, and where it is mounted. */
export function filesVolume(files: readonly FileSpec[]): {
  readonly volumes: k8s.Volume[];
  readonly mounts: k8s.VolumeMount[];
} {
  if (files.length === 0) {
    return { volumes: [], mounts: [] };
  }
  const objects = new Map<string, FileSpec[]>();
  for (const file of files) {
    const object = `${file.kind} ${file.name}`;
    objects.set(object, [...(objects.get(object) ?? []), file]);
  }
  const sources = [...objects.values()].flatMap(([first, ...others]) => {
    if (first === undefined) {
      return [];
    }
    const items = [first, ...others].map(({ key, file }) => ({ key, path: file }));
    const source = { name: first.name, items };
    return [first.kind === 'Secret' ? { secret: source } : { configMap: source }];
  });
  return {
    volumes: [{ name: FILES, projected: { sources, defaultMode: 0o440 } }],
    mounts: [{ name: FILES, mountPath: FILES_FOLDER, readOnly: true }],
  };
}

function quantities(texts: Readonly<Record<string, string>>): Record<string, k8s.Quantity> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, k8s.Quantity.fromString(text)]));
}
