import { parseCommand } from '@cdk8s-dragonfly/command';
import { DFDAEMON, SUPERNODE } from '@cdk8s-dragonfly/contract';
import { readManifests } from '../../src/cluster/manifest/read-manifests';
import { planCluster, type ClusterPlan } from '../../src/cluster/plan/plan-cluster';
import { daemonContainer, daemonPod, manifestsWith, supernodeDeployment } from './manifest-fixture';

/** A plan with ports from 4001 on. */
function plan(yaml: string, nodes = 2): ClusterPlan {
  let port = 4000;
  return planCluster(readManifests([yaml]), { nodes, folder: '/run', takePort: () => ++port });
}

test('the supernode listens on loopback with its data in the folder of the run', () => {
  const [supernode] = plan(manifestsWith()).central;
  expect(supernode!.command).toBe('supernode');
  const values = parseCommand(SUPERNODE, supernode!.args, { env: supernode!.env, readFile: () => '' });
  expect(values).toMatchObject({
    listenIp: '127.0.0.1',
    advertiseIp: '127.0.0.1',
    port: 4001,
    downloadPort: 4002,
    homeDir: '/run/supernode/volumes/data',
    allowOrigin: [{ host: '127.0.0.1', port: 5000 }],
    config: '/run/supernode/rootfs/etc/dragonfly/supernode.yml',
  });
  expect(supernode!.readyUrl).toBe('http://127.0.0.1:4001/_ping');
  expect(supernode!.folders).toContain('/run/supernode/volumes/data');
});

test('what createNamespace makes needs nothing here', () => {
  const made = ['Namespace', 'ResourceQuota'].map((kind) => `apiVersion: v1\nkind: ${kind}\nmetadata: { name: x }\n`);
  expect(plan([...made, manifestsWith()].join('---\n'))).toEqual(plan(manifestsWith()));
});

test('each node has ports and folders of its own', () => {
  const nodes = plan(manifestsWith()).perNode;
  expect(nodes.map(({ name }) => name)).toEqual(['node-1', 'node-2']);
  for (const [index, node] of nodes.entries()) {
    const [first, folder] = [4003 + 3 * index, `/run/${node.name}`];
    expect(parseCommand(DFDAEMON, node.args, { env: node.env, readFile: () => '' })).toMatchObject({
      hostIp: '127.0.0.1',
      port: first,
      peerIp: '127.0.0.1',
      peerPort: first + 1,
      opsListen: { host: '127.0.0.1', port: first + 2 },
      advertiseIp: '127.0.0.1',
      dataDir: `${folder}/host/data/dfdaemon`,
      nodeConfig: `${folder}/volumes/config/dragonfly.conf`,
      registry: ['http://127.0.0.1:5000'],
    });
    expect(node.readyUrl).toBe(`http://127.0.0.1:${first + 2}/readyz`);
    expect(Object.fromEntries(node.addresses)).toEqual({
      port: `127.0.0.1:${first}`,
      peerPort: `127.0.0.1:${first + 1}`,
      opsListen: `127.0.0.1:${first + 2}`,
    });
  }
});

test('arguments of the manifest that hold here stay as they are', () => {
  const [node] = plan(manifestsWith()).perNode;
  expect(node!.args.filter((argument) => argument.startsWith('--advertise-ip'))).toEqual(['--advertise-ip=127.0.0.1']);
  expect(node!.args.join(' ')).not.toContain('/root/.small-dragonfly');
});

test.each([
  ['supernode', '127.0.0.1:4001'],
  ['supernode:8002', '127.0.0.1:4001'],
  ['supernode:8001', '127.0.0.1:4002'],
  ['supernode.kube-system.svc.cluster.local', '127.0.0.1:4001'],
  ['supernode,10.0.0.9:8002', '127.0.0.1:4001,10.0.0.9:8002'],
])('the node file of the ConfigMap with address=%s says address=%s here', (there, here) => {
  const [node] = plan(manifestsWith({ nodeFile: `[node]\n address=${there}\n` })).perNode;
  expect(node!.files).toContainEqual({
    path: '/run/node-1/volumes/config/dragonfly.conf',
    text: `[node]\n address=${here}\n`,
    mode: 0o600,
  });
});

test('a Service that an argument names is resolved, too', () => {
  const pod = daemonPod({ containers: [daemonContainer({ args: ['-n', 'supernode', '--port=65001'] })] });
  const [node] = plan(manifestsWith({ pod })).perNode;
  expect(node!.args).toContain('--node=127.0.0.1:4001');
  expect(node!.args).not.toContain('-n');
});

test('files that a command would read from this machine are empty ones of the run', () => {
  const [node] = plan(manifestsWith()).perNode;
  expect(node!.files).toContainEqual({ path: '/run/node-1/rootfs/etc/dragonfly/dfdaemon.yml', text: '', mode: 0o644 });
});

test('where cores are shared the processes wait longer for each other, within what a flag allows', () => {
  const place = { nodes: 1, folder: '/run', takePort: () => 4001 };
  const pod = daemonPod({ containers: [daemonContainer({ args: ['--connect-timeout', '20s'] })] });
  const [node] = planCluster(readManifests([manifestsWith({ pod })]), { ...place, patience: 4 }).perNode;
  expect(parseCommand(DFDAEMON, node!.args, { env: node!.env, readFile: () => '' })).toMatchObject({
    connectTimeout: 60_000,
    peerStallTimeout: 8_000,
    supernodeSilence: 4_000,
    originStallTimeout: 40_000,
  });
  expect(node!.map).toContainEqual({ what: '--supernode-silence', manifest: '1000ms', here: '4000ms' });
});

test('a disk with less room than that of a node is no hindrance', () => {
  const [node] = plan(manifestsWith()).perNode;
  expect(node!.args).toContain('--min-free=0');
  expect(node!.map).toContainEqual({ what: '--min-free', manifest: '5 GiB', here: '0' });
});

test('the map shows what moved, and not what stayed', () => {
  const [supernode] = plan(manifestsWith()).central;
  expect(supernode!.map).toContainEqual({ what: '--port', manifest: '8002', here: '4001' });
  expect(supernode!.map).toContainEqual({
    what: '--home-dir',
    manifest: '/home/admin/supernode',
    here: 'supernode/volumes/data',
  });
  const [node] = plan(manifestsWith()).perNode;
  expect(node!.map).toContainEqual({ what: 'HOST_IP', manifest: 'status.hostIP', here: '127.0.0.1' });
  expect(node!.map).toContainEqual({
    what: 'dragonfly.conf',
    manifest: 'address=supernode',
    here: 'address=127.0.0.1:4001',
  });
  expect(node!.map.map(({ what }) => what)).not.toContain('--hostIp');
});

const container = (change: Parameters<typeof daemonContainer>[0]) => ({
  pod: daemonPod({ containers: [daemonContainer(change)] }),
});

test.each([
  [
    'a volume of another type',
    { pod: daemonPod({ volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'c' } }] }) },
    'DaemonSet df-daemon: spec.template.spec.volumes[0] is a volume of the type persistentVolumeClaim, and only hostPath, emptyDir and configMap can be folders here; the demo runs what the composite of this library writes, see demo/app/main.ts',
  ],
  [
    'an init container',
    { pod: daemonPod({ initContainers: [] }) },
    'DaemonSet df-daemon: spec.template.spec.initContainers has no counterpart in a local process',
  ],
  [
    'variables from a Secret',
    container({ env: [{ name: 'T', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] }),
    'DaemonSet df-daemon: spec.template.spec.containers[0].env[0].valueFrom.secretKeyRef has no counterpart',
  ],
  [
    'a field of the pod that a process has not',
    container({ env: [{ name: 'UID', valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } } }] }),
    'DaemonSet df-daemon sets UID from the field metadata.uid, which a local process does not have',
  ],
  ['another command', container({ command: ['nginx'] }), 'DaemonSet df-daemon runs nginx, and the demo can run'],
  [
    'a flag that the command does not know',
    container({ args: ['--prot', '1'] }),
    'DaemonSet df-daemon starts dfdaemon wrongly: unknown flag "--prot"; did you mean --port?',
  ],
  ['an unknown kind', { more: [{ kind: 'StatefulSet', metadata: { name: 'x' } }] }, 'StatefulSet x cannot be run'],
  ['a name of no Service', { nodeFile: '[node]\naddress=other\n' }, 'df-daemon names other, which is no Service'],
  [
    'a port of no Service',
    { nodeFile: '[node]\naddress=supernode:9\n' },
    'names the port 9, which Service supernode lacks',
  ],
  [
    'several supernodes',
    { supernode: supernodeDeployment({ spec: { replicas: 2 } }) },
    'Deployment supernode: spec.replicas is 2, and a Deployment is one process here',
  ],
  [
    'a mount of no volume',
    container({ volumeMounts: [{ name: 'nix', mountPath: '/nix' }] }),
    'DaemonSet df-daemon mounts the volume nix, which it does not have',
  ],
  [
    'a volume of no ConfigMap',
    {
      pod: daemonPod({
        volumes: [
          { name: 'config', configMap: { name: 'none' } },
          { name: 'data', emptyDir: {} },
        ],
      }),
    },
    'DaemonSet df-daemon mounts the ConfigMap none, which is not in the manifests',
  ],
  [
    'a probe of another kind',
    container({ readinessProbe: { exec: { command: ['true'] } } }),
    'spec.template.spec.containers[0].readinessProbe asks for something else than httpGet',
  ],
  [
    'a probe of a port that nobody listens on',
    container({ readinessProbe: { httpGet: { path: '/', port: 80 } } }),
    'DaemonSet df-daemon has no port 80 that dfdaemon listens on',
  ],
])('refuses %s', (_what, change, message) => {
  expect(() => plan(manifestsWith(change))).toThrow(message);
});
