import { LogLevel, NodeMirrorMode } from '../../src';
import { Cluster } from './cluster';
import type { ClusterNode } from './cluster';
import { Kubectl, eventually, run, words } from './kubectl';
import { TEST_NAMESPACE, installation, nodeMirrorJobs, testObjects } from './objects';
import type { KubeObject } from './objects';
import { readSettings } from './settings';
import type { Settings } from './settings';

/** Folders on nodes that an installation makes, or, the classic one, expects. */
const FOLDERS = ['/data/dragonfly', '/data/dfdaemon'];

const started = Date.now();
let faults = 0;

function say(text: string): void {
  process.stdout.write(`${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s  ${text}\n`);
}

function check(what: string, ok: boolean, detail = ''): void {
  if (!ok) faults += 1;
  say(`${ok ? 'ok  ' : 'FAIL'}  ${what}${ok || detail === '' ? '' : `: ${detail}`}`);
}

interface Sent {
  readonly digest: string;
  readonly bytes: number;
  readonly size: number;
}

/** What a run undoes, the last first. */
const undo: { readonly what: string; readonly act: () => Promise<void> }[] = [];

async function scenario(settings: Settings, kubectl: Kubectl): Promise<void> {
  const cluster = new Cluster(kubectl, settings);
  const nodes = await cluster.nodes();
  const workers = nodes.filter(({ controlPlane }) => !controlPlane);
  const pullers = workers.length > 0 ? workers : nodes;
  say(`nodes: ${nodes.map(({ name, runtime }) => `${name} (${runtime})`).join(', ')}; preset: ${settings.preset}`);

  const own = testObjects(settings);
  undo.push({ what: 'the objects of the test', act: () => cluster.remove(own) });
  await cluster.apply(own as KubeObject[]);
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
  for (const [node, state] of before) {
    const there = FOLDERS.filter((folder) => folder in (JSON.parse(state) as object));
    if (there.length > 0) throw new Error(`${node} has ${there.join(', ')} already: this cluster has an installation.`);
  }
  undo.push({
    what: 'the nodes, as they were',
    act: async () => {
      const left = nodes.some(({ name }) => '/data' in (JSON.parse(before.get(name) ?? '{}') as object))
        ? FOLDERS
        : ['/data'];
      const after = await cluster.nodeStates(nodes, 'remove', ...left);
      for (const { name } of nodes) {
        check(
          `${name} is as it was`,
          after.get(name) === before.get(name),
          difference(before.get(name), after.get(name)),
        );
      }
    },
  });
  await cluster.nodeStates(nodes, 'make', '/data/dragonfly');

  const install = (level: LogLevel): KubeObject[] =>
    installation(
      settings,
      registry,
      nodes.some(({ controlPlane }) => controlPlane),
      level,
    ).objects;
  const objects = install(LogLevel.INFO);
  undo.push({ what: 'the installation', act: () => cluster.remove(objects) });
  const lacking = await cluster.apply(objects);
  if (lacking.length > 0) say(`left out, since the cluster lacks them: ${lacking.join(', ')}`);
  await cluster.rolledOut(objects);
  check('the manifests are applied and rolled out', true);

  const mirror = async (mode: NodeMirrorMode): Promise<void> => {
    const jobs = nodeMirrorJobs(settings, nodes, registry, mode);
    await cluster.apply(jobs);
    const outcomes = await cluster.jobOutcomes(jobs);
    outcomes.forEach(({ ok, log }, i) => check(`node-mirror ${mode} on ${nodes[i]?.name ?? ''}`, ok, log.trim()));
    if (mode === NodeMirrorMode.PLAN) outcomes.forEach(({ log }) => process.stdout.write(indented(log)));
    await cluster.remove(jobs);
  };
  await mirror(NodeMirrorMode.PLAN);
  check('plan changed nothing', same(before, await cluster.nodeStates(nodes), '/etc/'));
  undo.push({ what: "the runtimes' configuration", act: () => mirror(NodeMirrorMode.RESTORE) });
  await mirror(NodeMirrorMode.APPLY);
  await mirror(NodeMirrorMode.CHECK);

  await pullOnce(cluster, kubectl, pullers, settings.layerBytes);
  if (settings.preset === 'default') await rolloutWithPulls(cluster, pullers, install(LogLevel.DEBUG));
}

/** An image that nobody has, on all nodes at once: each byte leaves the origin once. */
async function pullOnce(
  cluster: Cluster,
  kubectl: Kubectl,
  pullers: readonly ClusterNode[],
  layerBytes: number,
): Promise<void> {
  const image = `dragonfly-test/once-${started}:1`;
  const { failed, retries } = await cluster.pullEverywhere(pullers, image);
  check(
    `${pullers.length} nodes pull an image of ${(layerBytes * 3) / 2 ** 20} MiB at once`,
    failed.length === 0,
    failed.join(', '),
  );
  check('no pull of it had to be tried again', retries === 0, `${retries} tries failed`);
  const path = `/api/v1/namespaces/${TEST_NAMESPACE}/services/origin:5000/proxy/sent`;
  const sent = JSON.parse(await kubectl.ok(['get', '--raw', path])) as Sent[];
  const bytes = sent.reduce((sum, blob) => sum + blob.bytes, 0);
  const size = sent.reduce((sum, blob) => sum + blob.size, 0);
  check(
    `one copy left the origin: ${bytes} bytes of ${sent.length} blobs of ${size} bytes, ${(bytes / size).toFixed(2)} copies`,
    sent.length === 4 && sent.every((blob) => blob.bytes === blob.size),
    JSON.stringify(sent),
  );
}

/** New images are pulled for as long as a changed configuration rolls out. */
async function rolloutWithPulls(
  cluster: Cluster,
  pullers: readonly ClusterNode[],
  changed: KubeObject[],
): Promise<void> {
  await cluster.apply(changed);
  const progress = { done: false };
  const rollout = cluster.rolledOut(changed).finally(() => (progress.done = true));
  const failed: string[] = [];
  let pulls = 0;
  let retries = 0;
  do {
    const outcome = await cluster.pullEverywhere(pullers, `dragonfly-test/rollout-${started}-${pulls}:1`);
    failed.push(...outcome.failed);
    retries += outcome.retries;
    pulls += 1;
  } while (!progress.done);
  await rollout;
  check(
    `a changed configuration rolls out while ${pulls} images are pulled on ${pullers.length} nodes: ` +
      `${failed.length} pulls failed, ${retries} tries were repeated by the kubelet`,
    failed.length === 0,
    failed.join(', '),
  );
}

function same(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>, prefix: string): boolean {
  const part = (state: string | undefined): string =>
    JSON.stringify(Object.entries(JSON.parse(state ?? '{}') as object).filter(([path]) => path.startsWith(prefix)));
  return [...a].every(([node, state]) => part(state) === part(b.get(node)));
}

function difference(before = '{}', after = '{}'): string {
  const [a, b] = [JSON.parse(before) as Record<string, string>, JSON.parse(after) as Record<string, string>];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter((path) => a[path] !== b[path])
    .map((path) => `${path} was ${a[path] ?? 'absent'}, is ${b[path] ?? 'absent'}`)
    .join('; ');
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '          ');
}

async function undoAll(): Promise<void> {
  for (const { what, act } of undo.reverse()) {
    try {
      await act();
      say(`undone: ${what}`);
    } catch (error) {
      check(`undo ${what}`, false, error instanceof Error ? error.message : String(error));
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
  try {
    await scenario(settings, kubectl);
  } catch (error) {
    check('the run', false, error instanceof Error ? error.message : String(error));
  }
  await undoAll();
  say(faults === 0 ? 'all is well, and nothing is left behind' : `${faults} faults`);
  return faults === 0 ? 0 : 1;
}

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`test:k8s: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
