import { stringify } from 'yaml';

type Json = string | number | boolean | readonly Json[] | { readonly [name: string]: Json };
type Mapping = Readonly<Record<string, Json>>;

/** A container of the daemon, with `change` in place of its members. */
export function daemonContainer(change: Mapping = {}): Mapping {
  return {
    name: 'df-daemon',
    image: 'example/dfdaemon:1',
    command: ['dfdaemon'],
    args: ['--node-config', '/etc/dragonfly.conf', '--advertise-ip=$(HOST_IP)', '-data-dir', '/root/.small-dragonfly'],
    env: [
      { name: 'REGISTRY', value: 'http://127.0.0.1:5000' },
      { name: 'HOST_IP', valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } } },
    ],
    ports: [
      { name: 'mirror', containerPort: 65001 },
      { name: 'ops', containerPort: 65003 },
    ],
    readinessProbe: { httpGet: { path: '/readyz', port: 'ops' } },
    volumeMounts: [
      { name: 'config', mountPath: '/etc/dragonfly.conf', subPath: 'dragonfly.conf', readOnly: true },
      { name: 'data', mountPath: '/root/.small-dragonfly/' },
    ],
    ...change,
  };
}

/** The pod of the daemon. */
export function daemonPod(change: Mapping = {}): Mapping {
  return {
    hostNetwork: true,
    containers: [daemonContainer()],
    volumes: [
      { name: 'config', configMap: { name: 'df-daemon-config', defaultMode: 0o600 } },
      { name: 'data', hostPath: { path: '/data/dfdaemon', type: 'DirectoryOrCreate' } },
    ],
    ...change,
  };
}

export function supernodeDeployment(change: { readonly spec?: Mapping; readonly container?: Mapping } = {}): Mapping {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'supernode', namespace: 'kube-system' },
    spec: {
      replicas: 1,
      template: {
        metadata: { labels: { app: 'supernode', tier: 'central' } },
        spec: {
          containers: [
            {
              name: 'supernode',
              image: 'example/supernode:1',
              args: ['--home-dir', '/home/admin/supernode', '--allow-origin', '127.0.0.1:5000'],
              ports: [{ name: 'api', containerPort: 8002 }],
              readinessProbe: { httpGet: { path: '/_ping', port: 'api' } },
              volumeMounts: [{ name: 'data', mountPath: '/home/admin/supernode' }],
              ...change.container,
            },
          ],
          volumes: [{ name: 'data', emptyDir: {} }],
        },
      },
      ...change.spec,
    },
  };
}

/** The manifests of a small installation as one YAML text, with some objects in place of their like. */
export function manifestsWith(
  change: {
    readonly pod?: Mapping;
    readonly nodeFile?: string;
    readonly more?: readonly Mapping[];
    readonly supernode?: Mapping;
  } = {},
): string {
  const objects: readonly Mapping[] = [
    change.supernode ?? supernodeDeployment(),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'supernode', namespace: 'kube-system' },
      spec: { selector: { app: 'supernode' }, ports: [{ port: 8002, targetPort: 'api' }, { port: 8001 }] },
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'df-daemon-config', namespace: 'kube-system' },
      data: { 'dragonfly.conf': change.nodeFile ?? '[node]\naddress=supernode\n' },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'df-daemon', namespace: 'kube-system' },
      spec: { template: { metadata: { labels: { app: 'df-daemon' } }, spec: change.pod ?? daemonPod() } },
    },
    ...(change.more ?? []),
  ];
  return objects.map((object) => stringify(object)).join('---\n');
}
