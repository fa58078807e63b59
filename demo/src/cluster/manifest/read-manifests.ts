import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '@cdk8s-dragonfly/command';
import { parseAllDocuments } from 'yaml';
import { Field } from './field';
import type { Service } from './service';
import { readService } from './service';
import type { Workload } from './workload';
import { readWorkload } from './workload';

/** What synthesized manifests describe, as far as local processes can follow. */
export interface Manifests {
  readonly workloads: readonly Workload[];
  readonly services: readonly Service[];
  /** The files of the ConfigMaps, by `namespace/name` and key. */
  readonly configMaps: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

/** Kinds that change nothing for a local process. */
const NOTHING_TO_RUN = [
  'Namespace',
  'NetworkPolicy',
  'PodDisruptionBudget',
  'PriorityClass',
  'ResourceQuota',
  'ServiceAccount',
];

/**
 * Reads the files that `cdk8s synth` wrote.
 *
 * @throws CommandError naming what cannot be run as local processes
 */
export function readManifestFolder(folder: string): Manifests {
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  return readManifests(files.map((name) => readFileSync(join(folder, name), 'utf8')));
}

/** As `readManifestFolder`, from the texts of the files. */
export function readManifests(texts: readonly string[]): Manifests {
  const workloads: Workload[] = [];
  const services: Service[] = [];
  const configMaps = new Map<string, Readonly<Record<string, string>>>();
  for (const object of texts.flatMap(objectsOf)) {
    const kind = object.get('kind').text();
    const metadata = object.get('metadata');
    switch (kind) {
      case 'Deployment':
      case 'DaemonSet':
        workloads.push(readWorkload(kind, object));
        break;
      case 'Service':
        services.push(readService(object));
        break;
      case 'ConfigMap': {
        const namespace = metadata.get('namespace').optionalText() ?? 'default';
        configMaps.set(`${namespace}/${metadata.get('name').text()}`, object.get('data').record());
        break;
      }
      default:
        if (!NOTHING_TO_RUN.includes(kind)) {
          throw object.refusal(`${kind} ${metadata.get('name').text()} cannot be run as a local process`);
        }
    }
  }
  return { workloads, services, configMaps };
}

function objectsOf(text: string): Field[] {
  return parseAllDocuments(text).flatMap((document) => {
    const [error] = document.errors;
    if (error) throw new CommandError(`a manifest is not YAML: ${error.message}`);
    const value: unknown = document.toJS();
    if (value === null) return [];
    const object = new Field(value, 'A manifest: ');
    return [new Field(value, `${object.get('kind').text()} ${object.get('metadata').get('name').text()}: `)];
  });
}
