import { Size } from 'cdk8s';
import type { Chart } from 'cdk8s';
import { Dragonfly, NodeMirrorJob, Placement, PreheatJob, Storage, SupernodeConstruct } from '../src';
import type { DragonflyProps } from '../src';
import type { Probe } from './support/pod';
import { chart, manifestsOf } from './support/synth';
import type { Manifest } from './support/synth';

const IMAGES = { supernodeImage: 'example/supernode:1', daemonImage: 'example/dfdaemon:1' };

interface Template {
  readonly spec: {
    readonly template: {
      readonly metadata: { readonly annotations?: Record<string, string> };
      readonly spec: Record<string, unknown> & { readonly containers: [Record<string, unknown>] };
    };
  };
}

function install(props: Partial<DragonflyProps> = {}): Chart {
  const scope = chart();
  new Dragonfly(scope, 'dragonfly', { ...IMAGES, ...props });
  return scope;
}

function objectOf(scope: Chart, kind: string, name?: string): Manifest & Record<string, unknown> {
  const found = manifestsOf(scope).filter(
    (manifest) => manifest.kind === kind && (name === undefined || manifest.metadata.name === name),
  );
  expect(found.map(({ metadata }) => metadata.name)).toHaveLength(1);
  return found[0] as Manifest & Record<string, unknown>;
}

const podOf = (scope: Chart, kind: string) => (objectOf(scope, kind) as unknown as Template).spec.template;

describe.each(['Deployment', 'DaemonSet'])('the %s', (kind) => {
  it('runs without rights beyond those of its folder', () => {
    const { spec } = podOf(install(), kind);
    expect(spec).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
      terminationGracePeriodSeconds: 300,
    });
    expect(spec.containers[0]['securityContext']).toEqual({
      runAsUser: 0,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(spec).not.toHaveProperty('hostPID');
  });

  it('is not root where its folder is not the node’s', () => {
    const storage = Storage.emptyDir();
    const { spec } = podOf(install({ supernode: { storage }, daemon: { storage } }), kind);
    expect(spec['securityContext']).toMatchObject({ runAsNonRoot: true, runAsUser: 65_532, fsGroup: 65_532 });
    expect(spec.containers[0]['securityContext']).not.toHaveProperty('runAsUser');
    expect(spec.containers[0]['volumeMounts']).toContainEqual({
      name: 'data',
      mountPath: kind === 'Deployment' ? '/home/admin/supernode' : '/var/lib/dragonfly',
    });
  });
});

describe('nodes of Windows', () => {
  it('get no pod, which could not start there; nodes that are named get theirs whatever their labels', () => {
    const scope = chart();
    const nodeSelector = { pool: 'a' };
    new Dragonfly(scope, 'dragonfly', { ...IMAGES, daemon: { nodeSelector } });
    new PreheatJob(scope, 'preheat', { image: 'a', images: ['nginx:1'], supernodes: ['s'] });
    expect(podOf(scope, 'Deployment').spec['nodeSelector']).toEqual({ 'kubernetes.io/os': 'linux' });
    expect(podOf(scope, 'DaemonSet').spec['nodeSelector']).toEqual({ 'kubernetes.io/os': 'linux', pool: 'a' });
    expect(podOf(scope, 'Job').spec['nodeSelector']).toEqual({ 'kubernetes.io/os': 'linux' });
    const named = chart();
    new NodeMirrorJob(named, 'mirror', { image: 'a', nodes: ['w1'] });
    expect(podOf(named, 'Job').spec).not.toHaveProperty('nodeSelector');
  });

  it('are a matter of `nodeSelector` where it speaks of them', () => {
    const nodeSelector = { 'kubernetes.io/os': 'other' };
    expect(podOf(install({ supernode: { nodeSelector } }), 'Deployment').spec['nodeSelector']).toEqual(nodeSelector);
  });
});

describe('the DaemonSet', () => {
  it('is node-critical, rolls by a tenth, and is probed on loopback', () => {
    const scope = install();
    expect(podOf(scope, 'DaemonSet').spec['priorityClassName']).toBe('system-node-critical');
    expect(objectOf(scope, 'DaemonSet')['spec']).toMatchObject({
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%' } },
    });
    for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
      expect(podOf(scope, 'DaemonSet').spec.containers[0][probe]).toMatchObject({ httpGet: { host: '127.0.0.1' } });
    }
  });
});

describe('a df-daemon that hangs', () => {
  it('is killed by the kubelet within 25 s, while one that is told to stop has 300 s', () => {
    const { spec } = podOf(install({ namespace: 'p2p' }), 'DaemonSet');
    const probe = spec.containers[0]['livenessProbe'] as Probe;
    // It may begin to hang just after an answer. A preStop hook that takes all of its grace is given 2 s more.
    const untilTold = probe.periodSeconds * probe.failureThreshold + probe.timeoutSeconds;
    expect(untilTold + probe.terminationGracePeriodSeconds + 2).toBeLessThanOrEqual(25);
    expect(spec['terminationGracePeriodSeconds']).toBe(300);
  });
});

describe('several supernodes', () => {
  const ha = (storage?: Storage): Chart =>
    install({
      namespace: 'p2p',
      supernode: {
        replicas: 3,
        placement: Placement.ANY,
        signingKeySecret: 'signing-key',
        ...(storage === undefined ? {} : { storage }),
      },
    });

  it('are a StatefulSet with a headless Service, a budget and one key', () => {
    const scope = ha(Storage.persistentVolumeClaim({ size: Size.gibibytes(10) }));
    const kinds = manifestsOf(scope).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(kinds).toEqual([
      'Service supernode-replicas',
      'StatefulSet supernode',
      'PodDisruptionBudget supernode',
      'Service supernode',
      'ConfigMap df-daemon-config',
      'DaemonSet df-daemon',
    ]);
    expect(objectOf(scope, 'Service', 'supernode-replicas')['spec']).toMatchObject({
      clusterIP: 'None',
      publishNotReadyAddresses: true,
    });
    expect(objectOf(scope, 'PodDisruptionBudget')['spec']).toMatchObject({ maxUnavailable: 1 });
    expect(objectOf(scope, 'StatefulSet')['spec']).toMatchObject({
      replicas: 3,
      serviceName: 'supernode-replicas',
      volumeClaimTemplates: [{ spec: { resources: { requests: { storage: '10240Mi' } } } }],
    });
    const { spec } = podOf(scope, 'StatefulSet');
    expect(spec['topologySpreadConstraints']).toMatchObject([
      { topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
      { topologyKey: 'kubernetes.io/hostname' },
    ]);
    expect(spec['volumes']).toContainEqual({
      name: 'signing-key',
      secret: { secretName: 'signing-key', defaultMode: 0o440 },
    });
  });

  it('are each known to the df-daemons by name', () => {
    expect(objectOf(ha(), 'ConfigMap')['data']).toEqual({
      'dragonfly.conf':
        '[node]\naddress=supernode-0.supernode-replicas,supernode-1.supernode-replicas,supernode-2.supernode-replicas\n',
    });
  });

  it('never meet on a node whose folder they would share', () => {
    expect(podOf(ha(), 'StatefulSet').spec['affinity']).toMatchObject({
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname' }],
      },
    });
  });
});

describe('the supernode', () => {
  it('admits the nodes, preheats and its replicas alone, where their networks are named', () => {
    const policy = objectOf(install({ supernode: { nodeCidrs: ['10.0.0.0/16'] } }), 'NetworkPolicy');
    expect(policy['spec']).toEqual({
      podSelector: {
        matchLabels: { 'app.kubernetes.io/name': 'supernode', 'app.kubernetes.io/instance': 'supernode' },
      },
      policyTypes: ['Ingress'],
      ingress: [
        {
          from: [
            { ipBlock: { cidr: '10.0.0.0/16' } },
            {
              podSelector: {
                matchLabels: { 'app.kubernetes.io/name': 'supernode', 'app.kubernetes.io/instance': 'supernode' },
              },
            },
            {
              podSelector: {
                matchLabels: { 'app.kubernetes.io/name': 'preheat', 'app.kubernetes.io/part-of': 'dragonfly' },
              },
            },
          ],
          ports: [
            { port: 8002, protocol: 'TCP' },
            { port: 8001, protocol: 'TCP' },
            // Its pulse.
            { port: 8003, protocol: 'UDP' },
          ],
        },
      ],
    });
  });

  it('has a claim made for it where it asks for one', () => {
    const scope = install({ supernode: { storage: Storage.persistentVolumeClaim({ size: Size.gibibytes(3) }) } });
    expect(objectOf(scope, 'PersistentVolumeClaim').metadata.name).toBe('supernode-data');
    expect(podOf(scope, 'Deployment').spec['volumes']).toContainEqual({
      name: 'data',
      persistentVolumeClaim: { claimName: 'supernode-data' },
    });
    const named = chart();
    new SupernodeConstruct(named, 'a', {
      image: 'a',
      storage: Storage.persistentVolumeClaim({ claimName: 'mine' }),
    });
    expect(manifestsOf(named).map(({ kind }) => kind)).toEqual(['Deployment', 'Service']);
  });
});

describe('the namespace', () => {
  it('is made with labels that admit what needs the node', () => {
    const scope = install({ namespace: 'p2p', createNamespace: true });
    expect(objectOf(scope, 'Namespace').metadata).toMatchObject({
      name: 'p2p',
      labels: { 'pod-security.kubernetes.io/enforce': 'privileged' },
    });
    expect(manifestsOf(scope)[0]?.kind).toBe('Namespace');
  });

  it('is made with a quota for the priorities of the system, without which GKE makes none of its pods', () => {
    const scope = install({ namespace: 'p2p', createNamespace: true });
    const quota = objectOf(scope, 'ResourceQuota');
    expect(quota.metadata.namespace).toBe('p2p');
    const classes = ['Deployment', 'DaemonSet'].map((kind) => podOf(scope, kind).spec['priorityClassName'] as string);
    expect(quota['spec']).toEqual({
      hard: { pods: '1G' },
      scopeSelector: {
        matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: classes.sort().reverse() }],
      },
    });
    // It has to be there before the pods are asked for.
    expect(manifestsOf(scope)[1]?.kind).toBe('ResourceQuota');
    expect(manifestsOf(install({ namespace: 'p2p' })).map(({ kind }) => kind)).not.toContain('ResourceQuota');
  });
});

describe('the node-mirror', () => {
  it('alone is privileged and sees the processes of its node', () => {
    const scope = chart();
    new NodeMirrorJob(scope, 'mirror', { image: 'a', nodes: ['w1'] });
    const { spec } = podOf(scope, 'Job');
    expect(spec).toMatchObject({ hostPID: true, automountServiceAccountToken: false });
    expect(spec.containers[0]['securityContext']).toEqual({
      privileged: true,
      runAsUser: 0,
      readOnlyRootFilesystem: true,
    });
  });
});
