import { join } from 'node:path';
import { readManifestFolder } from '../src/cluster/manifest/read-manifests';
import { planCluster, portsNeeded } from '../src/cluster/plan/plan-cluster';
import { demoApp, synthesize } from '../src/synthesis';
import { temporaryFolder } from './temporary-folder';

const folder = temporaryFolder();
const root = join(__dirname, '..', '..');

test('what the composite writes for a registry can be run here', async () => {
  const output = join(folder.path, 'manifests');
  await synthesize(demoApp(root, 'http://127.0.0.1:5000', output));
  const manifests = readManifestFolder(output);
  let ports = 4000;
  const plan = planCluster(manifests, { nodes: 3, folder: '/run', takePort: () => ++ports });
  expect(plan.central.map(({ command }) => command)).toEqual(['supernode']);
  expect(plan.central[0]!.args.join(' ')).toContain('--allow-origin 127.0.0.1:5000');
  expect(plan.perNode.map(({ name, command }) => `${name} ${command}`)).toEqual([
    'node-1 dfdaemon',
    'node-2 dfdaemon',
    'node-3 dfdaemon',
  ]);
  const { REGISTRY, ...others } = plan.perNode[2]!.env;
  expect(REGISTRY).toContain('http://127.0.0.1:5000');
  expect(others).toEqual({ HOST_IP: '127.0.0.1', NODE_OPTIONS: '--max-old-space-size=256' });
  expect(ports - 4000).toBeLessThanOrEqual(portsNeeded(manifests, 3));
});

test('an app that fails is told with its reason', async () => {
  const synthesis = demoApp(root, 'ftp://nowhere', join(folder.path, 'failed'));
  await expect(synthesize(synthesis)).rejects.toThrow(
    /^cdk8s synth failed for the demo: Error: demo\/dragonfly\/supernode: registries.*ftp:\/\/nowhere/,
  );
});
