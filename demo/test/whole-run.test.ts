import { PassThrough } from 'node:stream';
import { EmbeddedRegistry, generateImage } from '@cdk8s-dragonfly/demo';
import { LocalCluster } from '../src/cluster/run/local-cluster';
import { planRun } from '../src/plan-run';
import { pullThroughAll } from '../src/pull-through-all';
import { shortcomings, type NodeResult } from '../src/report/result';
import { scriptOf } from '../src/repository';
import { temporaryFolder } from './temporary-folder';

const folder = temporaryFolder();
const SIZE = 12 * 1024 ** 2;

test('three nodes run from the manifests pull an image at once, and the registry sends each blob once', async () => {
  const image = await generateImage({ folder: folder.path, size: SIZE });
  const registry = await EmbeddedRegistry.start();
  registry.add('demo/app', 'v1', image);
  const plan = await planRun({ registry: registry.url, folder: folder.path, nodes: 3 });
  // What the composite writes for this registry.
  expect(plan.central.map(({ command }) => command)).toEqual(['supernode']);
  expect(plan.central[0]?.args.join(' ')).toContain(`--allow-origin ${new URL(registry.url).host}`);
  expect(plan.perNode.map(({ name, command }) => `${name} ${command}`)).toEqual([
    'node-1 dfdaemon',
    'node-2 dfdaemon',
    'node-3 dfdaemon',
  ]);
  const { REGISTRY, ...others } = plan.perNode[2]?.env ?? {};
  expect(REGISTRY).toContain(registry.url);
  expect(others).toEqual({ HOST_IP: '127.0.0.1', NODE_OPTIONS: '--max-old-space-size=256' });
  const cluster = new LocalCluster(plan, { folder: folder.path, scriptOf });
  const ctx = { signal: AbortSignal.timeout(60_000), stdout: new PassThrough().resume() };
  try {
    await cluster.start(ctx.signal);
    const result = await pullThroughAll({ plan, image, registry, name: 'demo/app', tag: 'v1', ctx });
    expect(shortcomings(result)).toEqual([]);
    expect(result.nodes.map(receivedBySource)).toEqual(Array(3).fill({ origin: 0, rest: SIZE + image.config.size }));
    expect(result.registryBytes).toBe(image.totalBytes + 2 * image.manifest.size);
  } finally {
    await cluster.stop();
    await registry.stop();
  }
}, 90_000);

function receivedBySource(result: NodeResult): { readonly origin: number; readonly rest: number } | string {
  if ('failure' in result) return result.failure;
  const { local, peer, supernode, origin } = result.sources;
  return { origin, rest: local + peer + supernode };
}
