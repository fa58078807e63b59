import { dirname, join } from 'node:path';
import { CommandError, formatAddress } from '@cdk8s-dragonfly/command';
import { PORTS } from '@cdk8s-dragonfly/contract';
import type { Manifests } from '../manifest/read-manifests';
import { LOOPBACK } from './environment';
import { moveFlags } from './move-flags';
import { localPort, podOf, type Pod } from './pod';
import type { MapRow, PlannedFile, ProcessPlan } from './process-plan';
import { ServiceNames } from './service-names';

/** Where a cluster is to be run. */
export interface ClusterPlace {
  /** How many nodes it has: each DaemonSet runs one process a node. */
  readonly nodes: number;
  /** The folder for all that its containers write. */
  readonly folder: string;
  /** Gives a free port of this machine, each one once. */
  readonly takePort: () => number;
  /**
   * How many times longer than in a cluster the processes wait for each other and for the registry: where many share few cores, each is
   * slower to answer.
   *
   * @default 1
   */
  readonly patience?: number;
}

/** The processes of a cluster, in the order in which they are to be started. */
export interface ClusterPlan {
  /** The Deployments. */
  readonly central: readonly ProcessPlan[];
  /** The DaemonSets, one process a node. */
  readonly perNode: readonly ProcessPlan[];
}

/** How many free ports a plan may take. */
export function portsNeeded(manifests: Manifests, nodes: number): number {
  const listeners = 4;
  return manifests.workloads.reduce((sum, { kind }) => sum + listeners * (kind === 'DaemonSet' ? nodes : 1), 0);
}

/**
 * Turns what manifests describe into processes of this machine. Pure: nothing is started or written.
 *
 * @throws CommandError naming what has no counterpart here
 */
export function planCluster(manifests: Manifests, place: ClusterPlace): ClusterPlan {
  const podsOf = (kind: 'Deployment' | 'DaemonSet', name: (workload: string) => string) =>
    manifests.workloads
      .filter((workload) => workload.kind === kind)
      .map((workload) => {
        const podName = name(workload.name);
        return podOf(workload, manifests, { name: podName, folder: join(place.folder, podName) }, place.takePort);
      });
  const central = podsOf('Deployment', (workload) => workload);
  const perNode = Array.from({ length: place.nodes }, (_, index) => podsOf('DaemonSet', () => `node-${index + 1}`));
  if (perNode.some((pods) => pods.length !== 1)) {
    throw new CommandError(`the manifests hold ${perNode[0]?.length ?? 0} DaemonSets, and the demo runs one`);
  }
  const pods = [...central, ...perNode.flat()];
  const names = new ServiceNames(manifests.services, pods);
  return {
    central: central.map((pod) => planProcess(pod, names, place)),
    perNode: perNode.flat().map((pod) => planProcess(pod, names, place)),
  };
}

function planProcess(pod: Pod, names: ServiceNames, { folder, patience = 1 }: ClusterPlace): ProcessPlan {
  const moved = moveFlags(pod, names, patience);
  const files = [...configFiles(pod, names), ...defaultFiles(pod)];
  const home = join(folder, pod.name, 'rootfs', 'root');
  const listeners = pod.settings.listeners();
  const addresses = new Map(
    listeners.map(({ name, port }) => [name, formatAddress(LOOPBACK, localPort(pod, port))] as const),
  );
  const args = pod.settings.argsWithout(new Set(moved.map(({ name }) => name)));
  return {
    name: pod.name,
    command: pod.command,
    args: [
      ...args,
      ...moved.flatMap(({ name, here }) => here.map((value) => `--${pod.spec.flags[name]?.flag ?? name}=${value}`)),
    ],
    env: pod.env,
    home,
    folders: [home, ...pod.files.folders(), ...files.map(({ path }) => dirname(path))],
    files,
    readyUrl: readyUrl(pod),
    addresses,
    map: [...moved.map(({ row }) => row), ...fieldRows(pod), ...fileRows(pod, files)].map((row) =>
      shorten(row, folder),
    ),
  };
}

/** The files of ConfigMaps; names of Services in node files become addresses here. */
function configFiles(pod: Pod, names: ServiceNames): readonly PlannedFile[] {
  const { namespace, kind, name } = pod.workload;
  return pod.files.configFiles().map((file) => {
    if (!file.path.endsWith('.conf')) return file;
    const lookup = { namespace, defaultPort: PORTS.supernodeApi, source: `the ConfigMap of ${kind} ${name}` };
    return { ...file, text: names.resolveNodeFile(file.text, lookup) };
  });
}

/** Empty files in the place of default ones that the container does not have, so that none of this machine's is read. */
function defaultFiles({ settings, files }: Pod): readonly PlannedFile[] {
  return settings.flags().flatMap(({ name, flag }) => {
    const path = settings.text(name);
    if (flag.type !== 'path' || flag.placeholder !== 'FILE' || path === undefined) return [];
    if (path !== flag.default || files.isMounted(path)) return [];
    return [{ path: files.locate(path), text: '', mode: 0o644 }];
  });
}

function readyUrl(pod: Pod): string {
  const { readiness } = pod.workload.container;
  const { path, port } =
    readiness ??
    {
      supernode: { path: '/_ping', port: PORTS.supernodeApi },
      dfdaemon: { path: '/readyz', port: PORTS.ops },
    }[pod.command];
  return `http://${formatAddress(LOOPBACK, localPort(pod, port))}${path}`;
}

/** The variables that fields of the pod set. */
function fieldRows({ workload, env }: Pod): readonly MapRow[] {
  return workload.container.env.flatMap((variable) =>
    'field' in variable ? [{ what: variable.name, manifest: variable.field, here: env[variable.name] ?? '' }] : [],
  );
}

/** What the files of ConfigMaps say here where they say something else in the manifest. */
function fileRows(pod: Pod, files: readonly PlannedFile[]): readonly MapRow[] {
  const before = new Map(pod.files.configFiles().map(({ path, text }) => [path, text.split('\n')] as const));
  return files.flatMap(({ path, text }) => {
    const lines = text.split('\n');
    return (before.get(path) ?? []).flatMap((manifest, index) => {
      const here = lines[index] ?? '';
      return here === manifest ? [] : [{ what: path.slice(path.lastIndexOf('/') + 1), manifest, here }];
    });
  });
}

function shorten(row: MapRow, folder: string): MapRow {
  return { ...row, here: row.here.replace(`${folder}/`, '') };
}
