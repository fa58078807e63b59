import { NodeMirrorMode } from '../../src';
import { Cluster } from './cluster';
import type { ClusterNode } from './cluster';
import { ConfiguredRuntimes } from './configured';
import { Kubectl, eventually, run, words } from './kubectl';
import { difference, having, same } from './node-states';
import { TEST_NAMESPACE, installation, nodeMirrorJobs, testObjects } from './objects';
import type { KubeObject } from './objects';
import { Pulls } from './pulls';
import { Report } from './report';
import { NEEDS, readSettings } from './settings';
import type { Settings } from './settings';

/** Folders on nodes that an installation makes, or, the classic one, expects. */
const FOLDERS = ['/data/dragonfly', '/data/dfdaemon'];

/** What a run undoes, the last first. */
const undo: { readonly what: string; readonly act: () => Promise<void> }[] = [];

async function scenario(settings: Settings, kubectl: Kubectl, report: Report): Promise<void> {
  const cluster = new Cluster(kubectl, settings);
  const nodes = await cluster.nodes();
  const workers = nodes.filter(({ controlPlane }) => !controlPlane);
  const pullers = workers.length > 0 ? workers : nodes;
  report.say(
    `nodes: ${nodes.map(({ name, runtime }) => `${name} (${runtime})`).join(', ')}; preset: ${settings.preset}`,
  );

  const own = testObjects(settings);
  undo.push({ what: 'the objects of the test', act: () => cluster.remove(own) });
  await cluster.apply(own);
  await kubectl.ok(['wait', '-n', TEST_NAMESPACE, 'pod/origin', '--for=condition=Ready', '--timeout=120s']);
  const { spec } = await kubectl.json<{ spec: { clusterIP: string } }>([
    'get',
    'service',
    '-n',
    TEST_NAMESPACE,
    'origin',
  ]);
  const registry = `http://${spec.clusterIP}:5000`;

  const before = await cluster.nodeStates(nodes);
  const there = having(before, FOLDERS);
  if (there.length > 0) throw new Error(`${there.join('; ')} already: this cluster has an installation.`);
  undo.push({
    what: 'the nodes, as they were',
    act: async () => {
      const left = having(before, ['/data']).length > 0 ? FOLDERS : ['/data'];
      const after = await cluster.nodeStates(nodes, 'remove', ...left);
      for (const { name } of nodes) {
        const [was, is] = [before.get(name), after.get(name)];
        report.check(`${name} is as it was`, is === was, difference(was, is));
      }
    },
  });
  await cluster.nodeStates(nodes, 'make', '/data/dragonfly');

  const pulls = new Pulls(cluster, kubectl, pullers, report);
  const configured = new ConfiguredRuntimes({ cluster, kubectl, report, pulls, nodes, before });
  if (settings.preset === 'ha') {
    undo.push({ what: 'the startup taints', act: () => configured.untaint(nodes) });
    await configured.taint(workers);
  }
  const install = (changed: boolean): KubeObject[] =>
    installation(settings, registry, { controlPlane: workers.length < nodes.length, changed }).objects;
  const objects = install(false);
  undo.push({ what: 'the installation', act: () => cluster.remove(objects) });
  const lacking = await cluster.apply(objects);
  if (lacking.length > 0) report.say(`left out, since the cluster lacks them: ${lacking.join(', ')}`);
  await cluster.rolledOut(objects);
  report.check('the manifests are applied and rolled out', true);

  if (settings.preset === 'ha') await configured.areSet('after the start');
  else await jobsOfNodes(cluster, settings, nodes, registry, report);
  await pulls.once(settings.layerBytes);
  const changed = install(true);
  await pulls.during('a changed configuration rolls out', async () => {
    await cluster.apply(changed);
    await cluster.rolledOut(changed);
  });
  if (settings.preset === 'ha') {
    await configured.survivesRestarts();
    await configured.survivesLostSupernode();
  }
}

/** The runtimes are configured by a Job a node: plan, apply, check, and in the end restore. */
async function jobsOfNodes(
  cluster: Cluster,
  settings: Settings,
  nodes: readonly ClusterNode[],
  registry: string,
  report: Report,
): Promise<void> {
  const mirror = async (mode: NodeMirrorMode): Promise<void> => {
    const jobs = nodeMirrorJobs(settings, nodes, registry, mode);
    await cluster.apply(jobs);
    const outcomes = await cluster.jobOutcomes(jobs);
    outcomes.forEach(({ ok, log }, i) =>
      report.check(`node-mirror ${mode} on ${nodes[i]?.name ?? ''}`, ok, log.trim()),
    );
    if (mode === NodeMirrorMode.PLAN) outcomes.forEach(({ log }) => report.quote(log));
    await cluster.remove(jobs);
  };
  const before = await cluster.nodeStates(nodes);
  await mirror(NodeMirrorMode.PLAN);
  report.check('plan changed nothing', same(before, await cluster.nodeStates(nodes), '/etc/'));
  undo.push({ what: "the runtimes' configuration", act: () => mirror(NodeMirrorMode.RESTORE) });
  await mirror(NodeMirrorMode.APPLY);
  await mirror(NodeMirrorMode.CHECK);
}

async function undoAll(report: Report): Promise<void> {
  for (const { what, act } of undo.reverse()) {
    try {
      await act();
      report.say(`undone: ${what}`);
    } catch (error) {
      report.check(`undo ${what}`, false, error instanceof Error ? error.message : String(error));
    }
  }
}

async function main(): Promise<number> {
  const settings = readSettings(process.argv.slice(2));
  if (settings === undefined) return 0;
  if (settings.load !== undefined) {
    const [program, ...args] = words(settings.load);
    for (const image of Object.values(settings.images)) {
      const { code, stderr } = await run(program, [...args, image]);
      if (code !== 0) throw new Error(`${settings.load} ${image} ended with ${code}: ${stderr.trim()}`);
    }
  }
  const kubectl = new Kubectl(settings.kubectl);
  await eventually(
    'an answer of the cluster',
    async () => ((await kubectl.any(['get', 'nodes'])).code === 0 ? true : undefined),
    10_000,
  );
  const report = new Report();
  report.say(NEEDS);
  // Told to stop, it leaves nothing behind either; told twice, it ends at once.
  const interrupt = (): void => kubectl.interrupt();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    await scenario(settings, kubectl, report);
  } catch (error) {
    report.check('the run', false, error instanceof Error ? error.message : String(error));
  }
  kubectl.goOn();
  await undoAll(report);
  report.say(report.faults === 0 ? 'all is well, and nothing is left behind' : `${report.faults} faults`);
  return report.faults === 0 ? 0 : 1;
}

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`test:k8s: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
