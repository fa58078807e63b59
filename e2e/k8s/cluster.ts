import { eventually } from './kubectl';
import type { Kubectl } from './kubectl';
import { TEST_NAMESPACE, nodeStatePod, pullPod, toYaml } from './objects';
import type { KubeObject } from './objects';
import { knownTo } from './older-cluster';
import type { Settings } from './settings';

/** A node, as far as the test reads it. */
export interface ClusterNode {
  readonly name: string;
  readonly runtime: string;
  readonly controlPlane: boolean;
}

interface NodeObject {
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly status: { readonly nodeInfo: { readonly containerRuntimeVersion: string } };
}

interface PodObject {
  readonly metadata: { readonly name: string };
  readonly status: { readonly phase: string };
}

interface JobObject {
  readonly status: { readonly succeeded?: number; readonly failed?: number };
}

/** How a Job of a node ended. */
export interface JobOutcome {
  readonly ok: boolean;
  readonly log: string;
}

/** Longer than the grace of our pods, which may all be needed. */
const GRACE_SECONDS = 400;

const ROLES = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'];

/** What the test does with the cluster. */
export class Cluster {
  #looks = 0;

  public constructor(
    private readonly kubectl: Kubectl,
    private readonly settings: Settings,
  ) {}

  public async nodes(): Promise<ClusterNode[]> {
    const { items } = await this.kubectl.json<{ items: NodeObject[] }>(['get', 'nodes']);
    return items.map(({ metadata, status }) => ({
      name: metadata.name,
      runtime: status.nodeInfo.containerRuntimeVersion,
      controlPlane: ROLES.some((role) => role in metadata.labels),
    }));
  }

  /** Applies what the cluster knows. @returns what it does not */
  public async apply(objects: readonly KubeObject[]): Promise<readonly string[]> {
    const known = await knownTo(this.kubectl, objects);
    await this.kubectl.ok(['apply', '-f', '-'], toYaml(known.objects));
    return known.lacking;
  }

  public async remove(objects: readonly KubeObject[]): Promise<void> {
    const known = await knownTo(this.kubectl, objects);
    await this.kubectl.ok(
      ['delete', '--ignore-not-found', `--timeout=${GRACE_SECONDS}s`, '-f', '-'],
      toYaml(known.objects),
    );
  }

  /** Waits until the workloads run what they are to run. */
  public async rolledOut(objects: readonly KubeObject[]): Promise<void> {
    for (const { kind, metadata } of objects) {
      if (['Deployment', 'DaemonSet', 'StatefulSet'].includes(kind)) {
        await this.kubectl.ok([
          ...['rollout', 'status', `${kind.toLowerCase()}/${metadata.name}`, `--timeout=${GRACE_SECONDS}s`],
          ...['--namespace', metadata.namespace ?? 'default'],
        ]);
      }
    }
  }

  /** What the watched files and folders of each node are, after folders were made or removed there. */
  public async nodeStates(nodes: readonly ClusterNode[], ...args: readonly string[]): Promise<Map<string, string>> {
    this.#looks += 1;
    const look = this.#looks;
    const states = await Promise.all(
      nodes.map(async ({ name }, i): Promise<[string, string]> => {
        // A name of its own: after an interruption the pod of an earlier look may still be there.
        const pod = `node-state-${look}-${i}`;
        const object = nodeStatePod(this.settings, pod, name, args);
        await this.kubectl.ok(['apply', '-f', '-'], toYaml([object]));
        await this.podEnded(pod);
        // What a container has written is there a little after its end.
        const log = await eventually(`the log of the pod ${pod}`, async () => {
          const said = await this.kubectl.ok(['logs', '-n', TEST_NAMESPACE, pod]);
          return said.endsWith('\n') ? said : undefined;
        });
        await this.remove([object]);
        return [name, log.trim()];
      }),
    );
    return new Map(states);
  }

  /** Runs a pod of an image on each node. @returns the nodes whose pod did not end well, and how often a pull failed before */
  public async pullEverywhere(
    nodes: readonly ClusterNode[],
    image: string,
  ): Promise<{ failed: string[]; retries: number }> {
    const pods = nodes.map(({ name }, i) => pullPod(`pull-${image.replace(/[^a-z0-9]/g, '-')}-${i}`, name, image));
    await this.kubectl.ok(['apply', '-f', '-'], toYaml(pods));
    const names = pods.map((_, i) => `pull-${image.replace(/[^a-z0-9]/g, '-')}-${i}`);
    const phases = await Promise.all(names.map((name) => this.podEnded(name)));
    const events = await Promise.all(names.map((name) => this.failedPulls(name)));
    await this.remove(pods);
    return {
      failed: nodes.filter((_, i) => phases[i] !== 'Succeeded').map(({ name }) => name),
      retries: events.reduce((sum, count) => sum + count, 0),
    };
  }

  /** Waits for Jobs to end, one a node, and takes their logs. */
  public async jobOutcomes(jobs: readonly KubeObject[]): Promise<JobOutcome[]> {
    return Promise.all(
      jobs.map(async ({ metadata: { name, namespace } }) => {
        const at = ['--namespace', namespace ?? 'default'];
        const status = await eventually(`the end of the Job ${name}`, async () => {
          const job = await this.kubectl.json<JobObject>(['get', 'job', name, ...at]);
          return (job.status.succeeded ?? 0) + (job.status.failed ?? 0) > 0 ? job.status : undefined;
        });
        const { stdout } = await this.kubectl.any(['logs', ...at, '--selector', `job-name=${name}`, '--tail=200']);
        return { ok: (status.succeeded ?? 0) > 0, log: stdout };
      }),
    );
  }

  private podEnded(name: string): Promise<string> {
    return eventually(
      `the end of the pod ${name}`,
      async () => {
        const { status } = await this.kubectl.json<PodObject>(['get', 'pod', '-n', TEST_NAMESPACE, name]);
        return ['Succeeded', 'Failed'].includes(status.phase) ? status.phase : undefined;
      },
      180_000,
    );
  }

  private async failedPulls(pod: string): Promise<number> {
    const { items } = await this.kubectl.json<{ items: { readonly message: string; readonly count?: number }[] }>([
      ...['get', 'events', '-n', TEST_NAMESPACE, '--field-selector', `involvedObject.name=${pod},reason=Failed`],
    ]);
    return items
      .filter(({ message }) => message.startsWith('Failed to pull'))
      .reduce((sum, { count }) => sum + (count ?? 1), 0);
  }
}
