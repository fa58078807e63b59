import { join } from 'node:path';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Namespace } from 'kubernetes-models/v1/Namespace';
import { PersistentVolumeClaim } from 'kubernetes-models/v1/PersistentVolumeClaim';
import { Service } from 'kubernetes-models/v1/Service';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import { DaemonSet } from 'kubernetes-models/apps/v1/DaemonSet';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import { CronJob } from 'kubernetes-models/batch/v1/CronJob';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { ClusterRole } from 'kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRole';
import { ClusterRoleBinding } from 'kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRoleBinding';
import type { IClusterRoleBinding } from 'kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRoleBinding';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import * as ts from 'typescript';
import type { Manifest } from './synth';

interface Model {
  readonly module: string;
  readonly validate: (manifest: Manifest) => void;
}

/** The kinds and versions that the library may emit: all are served by every Kubernetes since 1.21. */
const MODELS: Readonly<Record<string, Model>> = {
  'v1 ConfigMap': model('v1/ConfigMap', (manifest) => new ConfigMap(manifest)),
  'v1 Namespace': model('v1/Namespace', (manifest) => new Namespace(manifest)),
  'v1 PersistentVolumeClaim': model('v1/PersistentVolumeClaim', (manifest) => new PersistentVolumeClaim(manifest)),
  'v1 Service': model('v1/Service', (manifest) => new Service(manifest)),
  'v1 ServiceAccount': model('v1/ServiceAccount', (manifest) => new ServiceAccount(manifest)),
  'apps/v1 DaemonSet': model('apps/v1/DaemonSet', (manifest) => new DaemonSet(manifest)),
  'apps/v1 Deployment': model('apps/v1/Deployment', (manifest) => new Deployment(manifest)),
  'apps/v1 StatefulSet': model('apps/v1/StatefulSet', (manifest) => new StatefulSet(manifest)),
  'batch/v1 CronJob': model('batch/v1/CronJob', (manifest) => new CronJob(manifest)),
  'batch/v1 Job': model('batch/v1/Job', (manifest) => new Job(manifest)),
  'networking.k8s.io/v1 NetworkPolicy': model(
    'networking.k8s.io/v1/NetworkPolicy',
    (manifest) => new NetworkPolicy(manifest),
  ),
  'rbac.authorization.k8s.io/v1 ClusterRole': model(
    'rbac.authorization.k8s.io/v1/ClusterRole',
    (manifest) => new ClusterRole(manifest),
  ),
  'rbac.authorization.k8s.io/v1 ClusterRoleBinding': model(
    'rbac.authorization.k8s.io/v1/ClusterRoleBinding',
    (manifest) => new ClusterRoleBinding(manifest as unknown as IClusterRoleBinding),
  ),
  'policy/v1 PodDisruptionBudget': model(
    'policy/v1/PodDisruptionBudget',
    (manifest) => new PodDisruptionBudget(manifest),
  ),
};

function model(module: string, make: (manifest: Manifest) => { validate(): void }): Model {
  return { module, validate: (manifest) => make(manifest).validate() };
}

/** What the schema of Kubernetes 1.27 has against a manifest: unknown kinds, wrong types and values, missing and unknown keys. */
export function schemaFaults(manifests: Manifest[]): string[] {
  return [...manifests.flatMap(valueFaults), ...unknownKeys(manifests)];
}

function modelOf({ apiVersion, kind }: Manifest): Model | undefined {
  return MODELS[`${apiVersion} ${kind}`];
}

function valueFaults(manifest: Manifest): string[] {
  const model = modelOf(manifest);
  if (model === undefined) {
    return [`${manifest.apiVersion} ${manifest.kind} is not among the known kinds`];
  }
  try {
    model.validate(manifest);
    return [];
  } catch (error) {
    return [`${manifest.kind} ${manifest.metadata.name}: ${String(error)}`];
  }
}

/** Compiles the manifests as literals of the types of their kinds: an unknown key is an error there. */
function unknownKeys(manifests: Manifest[]): string[] {
  const source = manifests
    .map((manifest, i) => {
      const module = modelOf(manifest)?.module;
      return module === undefined
        ? ''
        : `import type { I${manifest.kind} as T${i} } from 'kubernetes-models/${module}';\n` +
            `export const object${i}: T${i} = ${JSON.stringify(manifest)};\n`;
    })
    .join('');
  const file = join(__dirname, 'synthesized-manifests.ts');
  const options: ts.CompilerOptions = {
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    types: [],
    lib: ['lib.es2022.d.ts'],
    module: ts.ModuleKind.Node16,
    moduleResolution: ts.ModuleResolutionKind.Node16,
  };
  const host = ts.createCompilerHost(options);
  const real = { getSourceFile: host.getSourceFile.bind(host), fileExists: host.fileExists.bind(host) };
  host.fileExists = (name) => name === file || real.fileExists(name);
  host.getSourceFile = (name, languageVersion, ...rest) =>
    name === file
      ? ts.createSourceFile(name, source, languageVersion)
      : real.getSourceFile(name, languageVersion, ...rest);
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
}
