import type { Cluster, ClusterNode } from './cluster';
import { eventually } from './kubectl';
import type { Kubectl } from './kubectl';
import { difference, having, type NodeStates } from './node-states';
import { HIGHLY_AVAILABLE, NAMESPACE, STARTUP_TAINT } from './objects';
import type { Pulls } from './pulls';
import type { Report } from './report';

/** Files of which one is on a node whose runtime has the mirror, and was not there before. */
const TRACES = ['/etc/containerd/certs.d/docker.io/hosts.toml', '/etc/docker/daemon.json'];

interface Parts {
  readonly cluster: Cluster;
  readonly kubectl: Kubectl;
  readonly report: Report;
  readonly pulls: Pulls;
  /** The nodes with a df-daemon. */
  readonly nodes: readonly ClusterNode[];
  readonly before: NodeStates;
}

/** The runtimes are configured by the DaemonSet itself: each node when its df-daemon is ready, and no longer than that. */
export class ConfiguredRuntimes {
  constructor(private readonly parts: Parts) {}

  /** As new nodes come: with a taint that holds pods back until the runtime has the mirror. */
  async taint(nodes: readonly ClusterNode[]): Promise<void> {
    const { kubectl } = this.parts;
    for (const { name } of nodes) await kubectl.ok(['taint', 'node', name, `${STARTUP_TAINT}=:NoSchedule`]);
  }

  /** What is left of it when nobody has taken it off. */
  async untaint(nodes: readonly ClusterNode[]): Promise<void> {
    for (const { name } of nodes) await this.parts.kubectl.any(['taint', 'node', name, `${STARTUP_TAINT}-`]);
  }

  /** Every runtime gets the mirror, and every node loses its taint. */
  async areSet(when: string): Promise<void> {
    const { cluster, report, nodes, before } = this.parts;
    const tainted = await eventually(
      'all taints to be removed',
      async () => ((await this.tainted()).length === 0 ? [] : undefined),
      90_000,
    ).catch(() => this.tainted());
    report.check(`${when} no node has the startup taint`, tainted.length === 0, tainted.join(', '));
    const states = await cluster.nodeStates(nodes);
    const without = nodes.filter(
      ({ name }) => having(new Map([[name, states.get(name) ?? '{}']]), TRACES).length === 0,
    );
    report.check(
      `${when} the runtimes of ${nodes.length} nodes have the mirror`,
      without.length === 0,
      without.map(({ name }) => `${name}: ${difference(before.get(name), states.get(name))}`).join('; '),
    );
  }

  /** The pod of each worker is deleted while images are pulled: its runtime is off the mirror before its df-daemon is told to stop. */
  async survivesRestarts(): Promise<void> {
    const { pulls, report } = this.parts;
    const orders: string[] = [];
    await pulls.during('every pod of the DaemonSet is deleted and made anew', async () => {
      for (const pod of await this.pods()) orders.push(await this.restart(pod));
    });
    const wrong = orders.filter((order) => order !== '');
    report.check(
      'each runtime was off the mirror before its df-daemon began to stop',
      wrong.length === 0,
      wrong.join('; '),
    );
    await this.areSet('after that');
  }

  /** @returns what was wrong with the order of its end, or nothing */
  private async restart(pod: string): Promise<string> {
    const { kubectl, cluster } = this.parts;
    const follow = async (container: string, told: RegExp): Promise<number> => {
      const { stdout } = await kubectl.any([
        ...['logs', '--namespace', NAMESPACE, pod, '--container', container],
        ...['--follow', '--timestamps', '--since=1s'],
      ]);
      const line = stdout
        .split('\n')
        .reverse()
        .find((one) => told.test(one));
      return line === undefined ? NaN : Date.parse(line.split(' ')[0] ?? '');
    };
    const off = follow('node-mirror', /^\S+ [^{]/);
    const stopping = follow('df-daemon', /"msg":"stopping"/);
    await kubectl.ok(['delete', 'pod', '--namespace', NAMESPACE, pod, '--timeout=400s']);
    await cluster.rolledOut([
      { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'df-daemon', namespace: NAMESPACE } },
    ]);
    const [offAt, stopAt] = await Promise.all([off, stopping]);
    return offAt <= stopAt ? '' : `${pod}: off at ${offAt}, told to stop at ${stopAt}`;
  }

  /** A supernode is lost while images are pulled. */
  async survivesLostSupernode(): Promise<void> {
    const { kubectl, pulls, cluster } = this.parts;
    await pulls.during(`one of ${HIGHLY_AVAILABLE} supernodes is killed and comes again`, async () => {
      await kubectl.ok(['delete', 'pod', '--namespace', NAMESPACE, 'supernode-0', '--grace-period=0', '--force']);
      await cluster.rolledOut([
        { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'supernode', namespace: NAMESPACE } },
      ]);
    });
  }

  private async pods(): Promise<string[]> {
    const names = await this.parts.kubectl.ok([
      ...['get', 'pods', '--namespace', NAMESPACE, '--selector', 'app.kubernetes.io/component=df-daemon'],
      ...['--output', 'jsonpath={.items[*].metadata.name}'],
    ]);
    return names.split(' ').filter((name) => name !== '');
  }

  private async tainted(): Promise<string[]> {
    const { items } = await this.parts.kubectl.json<{
      items: { metadata: { name: string }; spec: { taints?: { key: string }[] } }[];
    }>(['get', 'nodes']);
    return items.flatMap(({ metadata, spec }) =>
      (spec.taints ?? []).some(({ key }) => key === STARTUP_TAINT) ? [metadata.name] : [],
    );
  }
}
