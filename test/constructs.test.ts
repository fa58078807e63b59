import { Chart, Testing } from 'cdk8s';
import * as kplus from 'cdk8s-plus-27';
import { DfDaemonConstruct, Dragonfly, NodeMirrorJob, Placement, Storage, SupernodeConstruct } from '../src';
import type { NodeMirrorJobOptions } from '../src';
import { podOf } from './support/pod';
import { chart, manifestsOf, yamlOf } from './support/synth';
import type { Manifest } from './support/synth';

const IMAGES = { supernodeImage: 'example/supernode:1', daemonImage: 'example/dfdaemon:1' };

describe('names', () => {
  it('two installations with their own names fit into one chart', () => {
    const scope = chart();
    new Dragonfly(scope, 'one', IMAGES);
    new Dragonfly(scope, 'two', {
      ...IMAGES,
      supernode: { name: 'seed', storage: Storage.hostPath('/data/seed') },
      daemon: {
        name: 'mirror',
        mirrorPort: 65101,
        peerPort: 15101,
        opsPort: 65103,
        storage: Storage.hostPath('/data/mirror'),
      },
    });
    expect(manifestsOf(scope).map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'Deployment supernode',
      'Service supernode',
      'ConfigMap df-daemon-config',
      'DaemonSet df-daemon',
      'Deployment seed',
      'Service seed',
      'ConfigMap mirror-config',
      'DaemonSet mirror',
    ]);
  });

  it('the same name twice in a namespace is refused at synth, and the other is named', () => {
    const scope = chart();
    new SupernodeConstruct(scope, 'one', { image: 'a' });
    new SupernodeConstruct(scope, 'two', { image: 'a' });
    expect(() => yamlOf(scope)).toThrow(
      '[test] test/two/deployment: the Deployment "supernode" in the namespace "kube-system" is made twice, the first time by ' +
        'test/one/deployment: give one of the two another name.',
    );
  });

  it('a name of ours that an object of the user has later is refused too', () => {
    const scope = chart({ namespace: 'p2p' });
    new DfDaemonConstruct(scope, 'daemon', { image: 'a', supernodes: ['b'] });
    new kplus.k8s.KubeConfigMap(scope, 'own', { metadata: { name: 'df-daemon-config' } });
    expect(() => yamlOf(scope)).toThrow(
      'test/own: the ConfigMap "df-daemon-config" in the namespace "p2p" is made twice, the first time by test/daemon/config-map',
    );
  });

  it('a Namespace beside createNamespace is refused, with the fix that leaves the name as it is', () => {
    const scope = chart({ namespace: 'p2p' });
    new kplus.k8s.KubeNamespace(scope, 'own', { metadata: { name: 'p2p' } });
    new Dragonfly(scope, 'one', { ...IMAGES, createNamespace: true });
    new kplus.k8s.KubeResourceQuota(scope, 'quota', { metadata: { name: 'dragonfly-critical-pods' } });
    const refused = (path: string, what: string, first: string): string =>
      `${path}: the ${what} is made twice, the first time by ${first}: leave one of them out, or createNamespace.`;
    expect(() => yamlOf(scope)).toThrow(refused('test/one/namespace', 'Namespace "p2p"', 'test/own'));
    expect(() => yamlOf(scope)).toThrow(
      refused('test/quota', 'ResourceQuota "dragonfly-critical-pods" in the namespace "p2p"', 'test/one/critical-pods'),
    );
  });

  it("what a chart within the chart has in no namespace is not in the outer one's", () => {
    const scope = chart({ namespace: 'p2p' });
    new SupernodeConstruct(scope, 'one', { image: 'a' });
    new kplus.k8s.KubeService(new Chart(scope, 'inner'), 'own', { metadata: { name: 'supernode' } });
    expect(manifestsOf(scope)).toHaveLength(2);
  });

  it('the same name in two namespaces, or of two kinds, is none twice', () => {
    const scope = chart();
    new SupernodeConstruct(scope, 'one', { image: 'a', namespace: 'a' });
    new SupernodeConstruct(scope, 'two', { image: 'a', namespace: 'b', storage: Storage.hostPath('/data/b') });
    expect(manifestsOf(scope)).toHaveLength(4);
  });
});

describe('the namespace', () => {
  it.each([
    ['its own prop', chart({ namespace: 'of-chart' }), { namespace: 'own' }, 'own'],
    ["the chart's", chart({ namespace: 'of-chart' }), {}, 'of-chart'],
    ['kube-system', chart(), {}, 'kube-system'],
  ])('is %s', (_what, scope, props, namespace) => {
    new Dragonfly(scope, 'dragonfly', { ...IMAGES, nodeMirror: { nodes: ['w1'] }, nodeMirrorImage: 'a', ...props });
    expect(manifestsOf(scope).map(({ metadata }) => metadata.namespace)).toEqual(Array(5).fill(namespace));
  });

  it("is not the chart's for what stands in none", () => {
    const scope = chart({ namespace: 'p2p' });
    const configureRuntime = { image: 'a', startupTaint: 'a.example.com/b' };
    new Dragonfly(scope, 'dragonfly', { ...IMAGES, createNamespace: true, daemon: { configureRuntime } });
    const without = manifestsOf(scope).filter(({ metadata }) => metadata.namespace === undefined);
    expect(without.map(({ kind }) => kind)).toEqual(['Namespace', 'ClusterRole', 'ClusterRoleBinding']);
  });

  it('qualifies the address of a supernode in another one', () => {
    const supernode = new SupernodeConstruct(chart(), 'supernode', { image: 'a', namespace: 'p2p' });
    expect(supernode.addressFrom('p2p')).toBe('supernode');
    expect(supernode.addressFrom('kube-system')).toBe('supernode.p2p');
  });
});

describe('the df-daemon', () => {
  it('gets new pods when the node file changes', () => {
    const checksum = (supernodes: string[]): string | undefined => {
      const scope = chart();
      new DfDaemonConstruct(scope, 'daemon', { image: 'a', supernodes });
      return /checksum\/config: ([0-9a-f]{64})$/m.exec(yamlOf(scope))?.[1];
    };
    expect(checksum(['a'])).toBeDefined();
    expect(checksum(['a'])).not.toEqual(checksum(['b']));
    expect(checksum(['a'])).toEqual(checksum(['a']));
  });
});

describe('the supernode', () => {
  it('accepts nodes labelled master or control-plane, and tolerates both taints', () => {
    const scope = chart();
    new SupernodeConstruct(scope, 'supernode', { image: 'a' });
    const pod = podOf(manifestsOf(scope), 'Deployment');
    expect(pod.affinity).toEqual({
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' }] },
            { matchExpressions: [{ key: 'node-role.kubernetes.io/master', operator: 'Exists' }] },
          ],
        },
      },
    });
    expect(pod.tolerations).toEqual([
      { key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' },
      { key: 'node-role.kubernetes.io/master', operator: 'Exists', effect: 'NoSchedule' },
    ]);
  });

  it('may be placed anywhere', () => {
    const scope = chart();
    new SupernodeConstruct(scope, 'supernode', { image: 'a', placement: Placement.ANY });
    expect(podOf(manifestsOf(scope), 'Deployment')).not.toHaveProperty('affinity');
  });

  it.each([
    ['the default', {}, { 'app.kubernetes.io/name': 'supernode', 'app.kubernetes.io/instance': 'supernode' }],
    ['the classic one', { classic: true }, { app: 'supernode' }],
  ])('is selected by cdk8s-plus constructs: %s', (_what, props, labels) => {
    const scope = chart();
    const supernode = new SupernodeConstruct(scope, 'supernode', { image: 'a', namespace: 'p2p', ...props });
    new kplus.Service(scope, 'service', { selector: supernode, ports: [{ port: 80 }] });
    new kplus.NetworkPolicy(scope, 'policy', {
      selector: kplus.Pods.all(scope, 'all'),
      egress: { rules: [{ peer: supernode }] },
    });
    const objects = Testing.synth(scope) as { kind: string; spec: Record<string, unknown> }[];
    expect(objects.filter(({ kind }) => kind === 'Service').at(-1)?.spec['selector']).toEqual(labels);
    expect(objects.find(({ kind }) => kind === 'NetworkPolicy')?.spec['egress']).toEqual([
      {
        ports: [],
        to: [
          {
            podSelector: { matchLabels: labels },
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'p2p' } },
          },
        ],
      },
    ]);
  });
});

describe('the node-mirror', () => {
  const jobNames = (image: string, nodes: string[]): string[] =>
    new NodeMirrorJob(chart(), 'mirror', { image, nodes }).jobs.map(({ name }) => name);

  it('is one Job a node, pinned to it', () => {
    const scope = chart();
    const { jobs } = new NodeMirrorJob(scope, 'mirror', { image: 'a', nodes: ['w1', 'w2.example.com'] });
    expect(jobs.map((job) => podOf([job.toJson() as Manifest], 'Job').nodeName)).toEqual(['w1', 'w2.example.com']);
  });

  it("has another name when its content changes, since a Job's template cannot", () => {
    expect(new Set([...jobNames('a', ['w1', 'w2']), ...jobNames('b', ['w1'])]).size).toBe(3);
    expect(jobNames('a', ['w1'])).toEqual(jobNames('a', ['w1']));
    expect(jobNames('a', ['w1'])[0]).toMatch(/^node-mirror-[0-9a-f]{10}$/);
  });

  it('has one name in whichever order its labels are given, and another with other labels', () => {
    const names = [
      { a: '1', b: '2' },
      { b: '2', a: '1' },
      { a: '2', b: '1' },
    ].map((labels) => new NodeMirrorJob(chart(), 'mirror', { image: 'a', nodes: ['w1'], labels }).jobs[0]!.name);
    expect(names[1]).toBe(names[0]);
    expect(names[2]).not.toBe(names[0]);
  });
});

describe('the composite', () => {
  it.each([
    [undefined, 'http://127.0.0.1:7003/readyz'],
    ['none', 'none'],
  ])('has node-mirrors ask its own df-daemons whether they are ready, unless told otherwise: %s', (readyz, asked) => {
    const { nodeMirror } = new Dragonfly(chart(), 'dragonfly', {
      ...IMAGES,
      daemon: { opsPort: 7003 },
      nodeMirrorImage: 'a',
      // As from JavaScript, where a prop that is undefined is there.
      nodeMirror: { nodes: ['w1'], readyz } as NodeMirrorJobOptions,
    });
    const { args } = podOf([nodeMirror?.jobs[0]?.toJson() as Manifest], 'Job').containers[0];
    expect(args?.[args.indexOf('--readyz') + 1]).toBe(asked);
  });

  it('exposes its parts, and has a node-mirror only for named nodes', () => {
    const dragonfly = new Dragonfly(chart(), 'dragonfly', IMAGES);
    expect(dragonfly.nodeMirror).toBeUndefined();
    expect([dragonfly.supernode.deployment?.kind, dragonfly.supernode.service.kind]).toEqual(['Deployment', 'Service']);
    expect([dragonfly.daemon.daemonSet.kind, dragonfly.daemon.configMap.kind]).toEqual(['DaemonSet', 'ConfigMap']);
    const withNodes = { ...IMAGES, nodeMirror: { nodes: ['w1'] }, nodeMirrorImage: 'a' };
    expect(new Dragonfly(chart(), 'dragonfly', withNodes).nodeMirror?.jobs).toHaveLength(1);
  });
});
