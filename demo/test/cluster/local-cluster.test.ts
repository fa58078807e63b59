import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessPlan } from '../../src/cluster/plan/process-plan';
import { freePorts } from '../../src/cluster/run/free-ports';
import { LocalCluster } from '../../src/cluster/run/local-cluster';
import { temporaryFolder } from '../temporary-folder';

const folder = temporaryFolder();
const running: LocalCluster[] = [];
const { signal } = new AbortController();

afterEach(async () => {
  await Promise.all(running.splice(0).map((cluster) => cluster.stop()));
});

async function processPlan(name: string, args: readonly string[] = []): Promise<ProcessPlan> {
  const [port] = await freePorts(1, '127.0.0.1');
  const home = join(folder.path, name);
  return {
    name,
    command: 'dfdaemon',
    args: [`--listen=${port}`, ...args],
    env: { REGISTRY: 'http://r' },
    home,
    folders: [home, join(home, 'config')],
    files: [{ path: join(home, 'config', 'dragonfly.conf'), text: '[node]\n', mode: 0o600 }],
    readyUrl: `http://127.0.0.1:${port}/readyz`,
    addresses: new Map(),
    map: [],
  };
}

function clusterOf(central: readonly ProcessPlan[], perNode: readonly ProcessPlan[]): LocalCluster {
  const scriptOf = () => join(__dirname, 'fake-daemon.js');
  const cluster = new LocalCluster({ central, perNode }, { folder: folder.path, scriptOf });
  running.push(cluster);
  return cluster;
}

test('processes get the folders, files and variables of their plan, and no other variables', async () => {
  const plan = await processPlan('files');
  await clusterOf([plan], []).start(signal);
  const file = join(plan.home, 'config', 'dragonfly.conf');
  expect(readFileSync(file, 'utf8')).toBe('[node]\n');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const seen = (await (await fetch(plan.readyUrl.replace('readyz', 'env'))).json()) as { env: object; cwd: string };
  expect(seen.env).toMatchObject({ REGISTRY: 'http://r', HOME: plan.home });
  expect(Object.keys(seen.env).filter((name) => !['PATH', 'TMPDIR', 'HOME', 'REGISTRY'].includes(name))).toEqual([]);
});

test('the nodes start when the supernode is ready, and all are gone after stop', async () => {
  const [central, node] = [await processPlan('central', ['--delay=200']), await processPlan('node')];
  const cluster = clusterOf([central], [node]);
  const started = cluster.start(signal);
  await expect(fetch(node.readyUrl)).rejects.toThrow('fetch failed');
  await started;
  expect((await fetch(node.readyUrl)).status).toBe(200);
  await cluster.stop();
  await expect(fetch(node.readyUrl)).rejects.toThrow('fetch failed');
  await expect(fetch(central.readyUrl)).rejects.toThrow('fetch failed');
});

test('a process that ends before it is ready says why, in one sentence', async () => {
  const cluster = clusterOf([await processPlan('node-1', ['--fail'])], []);
  await expect(cluster.start(signal)).rejects.toThrow(
    'node-1 (dfdaemon) ended with exit code 1: the mirror cannot listen on 127.0.0.1:1: the port is in use',
  );
});

test('a process that ends later is noticed', async () => {
  const cluster = clusterOf([await processPlan('short')], []);
  await cluster.start(signal);
  const watched = cluster.watch();
  cluster.kill();
  await expect(watched).rejects.toThrow('short (dfdaemon) ended by SIGKILL');
});

test('an aborted start ends', async () => {
  const controller = new AbortController();
  const cluster = clusterOf([await processPlan('slow', ['--delay=600000'])], []);
  const started = cluster.start(controller.signal);
  controller.abort();
  await expect(started).rejects.toThrow('This operation was aborted');
});
