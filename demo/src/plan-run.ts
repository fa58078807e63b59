import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { CommandError } from '@cdk8s-dragonfly/command';
import { readManifestFolder } from './cluster/manifest/read-manifests';
import { LOOPBACK } from './cluster/plan/environment';
import { planCluster, portsNeeded, type ClusterPlan } from './cluster/plan/plan-cluster';
import { freePorts } from './cluster/run/free-ports';
import { REPOSITORY } from './repository';
import { demoApp, synthesize } from './synthesis';

export interface RunPlanOptions {
  /** The URL of the registry of this run. */
  readonly registry: string;
  /** The folder of the run; the manifests are written into `manifests` in it. */
  readonly folder: string;
  readonly nodes: number;
}

/**
 * Synthesizes the manifests for the registry of a run, and plans the processes that they describe.
 *
 * @throws CommandError when the synthesis fails, or writes what cannot be run here
 */
export async function planRun({ registry, folder, nodes }: RunPlanOptions): Promise<ClusterPlan> {
  const output = join(folder, 'manifests');
  await synthesize(demoApp(REPOSITORY, registry, output));
  const manifests = readManifestFolder(output);
  const ports = (await freePorts(portsNeeded(manifests, nodes), LOOPBACK)).values();
  const takePort = () => {
    const { value } = ports.next();
    if (value === undefined) throw new CommandError('the manifests need more ports than the demo has looked for');
    return value;
  };
  return planCluster(manifests, { nodes, folder, takePort, patience: patienceFor(nodes) });
}

/**
 * How many times longer than on machines of their own the processes of a run wait for each other: two a core are as quick to answer as
 * one on a small machine.
 */
export function patienceFor(nodes: number): number {
  const supernodes = 1;
  return Math.max(1, Math.ceil((nodes + supernodes) / (2 * availableParallelism())));
}
