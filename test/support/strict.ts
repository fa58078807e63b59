import { join } from 'node:path';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Service } from 'kubernetes-models/v1/Service';
import { DaemonSet } from 'kubernetes-models/apps/v1/DaemonSet';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { Job } from 'kubernetes-models/batch/v1/Job';
import * as ts from 'typescript';
import type { Manifest } from './synth';

interface Model {
  readonly module: string;
  readonly validate: (manifest: Manifest) => void;
}

/** The kinds and versions that the library may emit: all are served by every Kubernetes since 1.21. */
const MODELS: Readonly<Record<string, Model>> = {
  'v1 ConfigMap': {
    module: 'v1/ConfigMap',
    validate: (manifest) => new ConfigMap(manifest).validate(),
  },
  'v1 Service': {
    module: 'v1/Service',
    validate: (manifest) => new Service(manifest).validate(),
  },
  'apps/v1 DaemonSet': {
    module: 'apps/v1/DaemonSet',
    validate: (manifest) => new DaemonSet(manifest).validate(),
  },
  'apps/v1 Deployment': {
    module: 'apps/v1/Deployment',
    validate: (manifest) => new Deployment(manifest).validate(),
  },
  'batch/v1 Job': {
    module: 'batch/v1/Job',
    validate: (manifest) => new Job(manifest).validate(),
  },
};

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
