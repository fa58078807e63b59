import { JsonPatch } from 'cdk8s';
import type { ApiObject } from 'cdk8s';
import { DfDaemonConstruct, Dragonfly, Storage, SupernodeConstruct, WirePatch } from '../src';
import type { DfDaemonOptions, SupernodeProps } from '../src';
import { faultsOf, lostSelectors } from '../src/policy/rules';
import type { Manifest } from '../src/policy/manifest';
import { chart, manifestsOf, yamlOf } from './support/synth';

const IMAGES = { supernodeImage: 'example/supernode:1', daemonImage: 'example/dfdaemon:1' };

describe('a wire patch', () => {
  it('writes names and fields as the API server knows them, and the same twice', () => {
    const scope = chart();
    const { daemon } = new Dragonfly(scope, 'dragonfly', IMAGES);
    WirePatch.apply(
      daemon.daemonSet,
      JsonPatch.add('/spec/template/spec/hostPID', true),
      JsonPatch.add('/spec/template/spec/hostUsers', true),
    );
    WirePatch.apply(daemon.daemonSet, JsonPatch.replace('/spec/template/spec/hostPID', false));
    const text = yamlOf(scope);
    expect(text).toContain('hostPID: false\n');
    expect(text).toContain('hostUsers: true\n');
    expect(yamlOf(scope)).toBe(text);
  });

  it('that has nowhere to go is refused with the path of the object', () => {
    const scope = chart();
    const { daemon } = new Dragonfly(scope, 'dragonfly', IMAGES);
    WirePatch.apply(daemon.daemonSet, JsonPatch.add('/spec/nowhere/hostPID', true));
    expect(() => yamlOf(scope)).toThrow(
      /^test\/dragonfly\/df-daemon\/daemon-set: the wire patch .*nowhere.* cannot be applied .*each parent of its path must be there/,
    );
  });

  it('of an object that is not there, or is none of Kubernetes, is refused with what to name', () => {
    const dragonfly = new Dragonfly(chart(), 'dragonfly', IMAGES);
    for (const object of [dragonfly.supernode.statefulSet, dragonfly.daemon]) {
      expect(() => WirePatch.apply(object as unknown as ApiObject, JsonPatch.remove('/spec'))).toThrow(
        /^WirePatch\.apply\(\) was given no object of Kubernetes: name a member such as daemon\.daemonSet, /,
      );
    }
  });

  it('that breaks an object is refused with what is wrong', () => {
    const scope = chart();
    const { deployment } = new SupernodeConstruct(scope, 'supernode', { image: 'a' });
    WirePatch.apply(
      deployment!,
      JsonPatch.remove('/spec/template/spec/volumes/0'),
      JsonPatch.replace('/spec/template/metadata/labels/app.kubernetes.io~1name', 'other'),
    );
    expect(() => yamlOf(scope)).toThrow(
      /\[test\/supernode\] Deployment supernode: spec\.selector .* is not within the labels[\s\S]*mounts "data", and the pod has no such volume: it has none[\s\S]*the selector of the Service supernode .* matches no pod/,
    );
  });
});

describe('ports on the network of the nodes', () => {
  const two = (one: Record<string, string>, other: Record<string, string>): string => {
    const scope = chart();
    new DfDaemonConstruct(scope, 'one', { image: 'a', supernodes: ['s'], nodeSelector: one });
    new DfDaemonConstruct(scope, 'two', {
      image: 'a',
      supernodes: ['s'],
      nodeSelector: other,
      name: 'two',
      peerPort: 15002,
      opsPort: 65001,
      mirrorPort: 65004,
    });
    return yamlOf(scope);
  };

  it('that two df-daemons of a node have are refused', () => {
    expect(() => two({}, { pool: 'a' })).toThrow(
      '[test/two] opsPort is 65001, which test/one has as its mirrorPort on the same nodes: ' +
        'give one of the two other ports, or keep them apart with a nodeSelector that has one key with two values.',
    );
    expect(() => two({ zone: 'b' }, { pool: 'a' })).toThrow('opsPort is 65001');
  });

  it('may be the same on nodes that are never the same', () => {
    expect(two({ pool: 'a' }, { pool: 'b' })).toContain('name: two\n');
  });
});

describe('folders of the nodes', () => {
  const two = (one: DfDaemonOptions, other: DfDaemonOptions): string => {
    const scope = chart();
    const own = { name: 'two', peerPort: 15002, opsPort: 65005, mirrorPort: 65004 };
    new DfDaemonConstruct(scope, 'one', { image: 'a', supernodes: ['s'], ...one });
    new DfDaemonConstruct(scope, 'two', { image: 'a', supernodes: ['s'], ...own, ...other });
    return yamlOf(scope);
  };

  it('that two df-daemons of a node have are refused', () => {
    expect(() => two({}, {})).toThrow(
      '[test/two] storage is the folder /data/dfdaemon, which test/one has on the same nodes: ' +
        'give one of the two another by Storage.hostPath(), or keep them apart with a nodeSelector that has one key with two values.',
    );
    expect(() => two({ storage: Storage.hostPath('/srv/a') }, { storage: Storage.hostPath('/srv//./a/') })).toThrow(
      'storage is the folder /srv//./a/, which test/one has',
    );
  });

  it('may be the same on nodes that are never the same, and others', () => {
    expect(two({ nodeSelector: { pool: 'a' } }, { nodeSelector: { pool: 'b' } })).toContain('name: two\n');
    expect(two({}, { storage: Storage.hostPath('/data/dfdaemon-two') })).toContain('name: two\n');
    expect(two({ storage: Storage.emptyDir() }, { storage: Storage.emptyDir() })).toContain('name: two\n');
  });

  it('that a supernode and another, or a df-daemon, have are refused, each named', () => {
    const scope = chart();
    new SupernodeConstruct(scope, 'one', { image: 'a' });
    new SupernodeConstruct(scope, 'two', { image: 'a', name: 'two', namespace: 'other' });
    new DfDaemonConstruct(scope, 'mirror', {
      image: 'a',
      supernodes: ['s'],
      storage: Storage.hostPath('/data/dragonfly'),
    });
    const has = (other: string): string =>
      `storage is the folder /data/dragonfly, which test/${other} has on the same nodes: give one of the two another by Storage.hostPath()`;
    for (const fault of [`[test/two] ${has('one')}`, `[test/mirror] ${has('one')}`, `[test/mirror] ${has('two')}`])
      expect(() => yamlOf(scope)).toThrow(fault);
  });
});

describe('the claims of two supernodes', () => {
  const claim = Storage.persistentVolumeClaim({ claimName: 'blobs' });
  const two = (one: Partial<SupernodeProps>, other: Partial<SupernodeProps>): string => {
    const scope = chart();
    new SupernodeConstruct(scope, 'one', { image: 'a', ...one });
    new SupernodeConstruct(scope, 'two', { image: 'a', name: 'two', ...other });
    return yamlOf(scope);
  };

  it('are refused when they are one', () => {
    expect(() => two({ storage: claim }, { storage: claim, nodeSelector: { pool: 'b' } })).toThrow(
      '[test/two] storage is the claim "blobs", which test/one has: two supernodes cannot share one store; give each a claim of its own.',
    );
  });

  it('may have one name in two namespaces, and others', () => {
    expect(two({ storage: claim }, { storage: claim, namespace: 'other' })).toContain('name: two\n');
    expect(two({ storage: claim }, { storage: Storage.persistentVolumeClaim({ claimName: 'others' }) })).toContain(
      'name: two\n',
    );
    expect(two({ storage: Storage.emptyDir() }, { storage: Storage.emptyDir() })).toContain('name: two\n');
  });
});

describe('props that are wrong', () => {
  it('are told with the path of the construct', () => {
    const scope = chart();
    expect(() => new Dragonfly(scope, 'p2p', { ...IMAGES, daemon: { mirrorPort: 80 } })).toThrow(
      'test/p2p/df-daemon: mirrorPort is 80: use a port from 1024 to 65535',
    );
  });
});

describe('the rules', () => {
  const deployment = (): Manifest => {
    const scope = chart();
    new SupernodeConstruct(scope, 'supernode', { image: 'a' });
    return manifestsOf(scope)[0] as Manifest;
  };
  const patched = (...patches: JsonPatch[]): string[] =>
    faultsOf(patches.reduce((document, patch) => JsonPatch.apply(document, patch) as Manifest, deployment()));
  const container = '/spec/template/spec/containers/0';

  it.each<[string, JsonPatch, string]>([
    ['no image', JsonPatch.remove(`${container}/image`), 'the container supernode has no image: name one.'],
    ['no container', JsonPatch.replace('/spec/template/spec/containers', []), 'the pod has no container: give it one.'],
    [
      'a toleration with a value',
      JsonPatch.replace('/spec/template/spec/tolerations/0/value', 'x'),
      'a toleration has operator Exists and the value "x": leave out the value, or use Equal.',
    ],
    [
      'a port that is none',
      JsonPatch.replace(`${container}/ports/0/containerPort`, 65536),
      'the container supernode: ports[0].containerPort is 65536: use 1 to 65535.',
    ],
    [
      'a name that is none',
      JsonPatch.replace('/metadata/name', 'a_b'),
      'the Deployment has the name "a_b": use at most 63 lower-case letters, digits, dashes and dots.',
    ],
    [
      'an unknown volume',
      JsonPatch.replace(`${container}/volumeMounts/0/name`, 'x'),
      'the container supernode mounts "x", and the pod has no such volume: it has data.',
    ],
    [
      'a selector of others',
      JsonPatch.replace('/spec/selector/matchLabels', { a: 'b' }),
      'spec.selector (a=b) is not within the labels of its pods (app.kubernetes.io/instance=supernode, app.kubernetes.io/name=supernode, app.kubernetes.io/part-of=dragonfly): give them the same.',
    ],
    [
      'an absolute subPath',
      JsonPatch.add(`${container}/volumeMounts/0/subPath`, '/a'),
      'the container supernode has the subPath "/a": use a path within the volume, without a slash in front and "..".',
    ],
    [
      'privileges that cannot be',
      JsonPatch.add(`${container}/securityContext/privileged`, true),
      'the container supernode is privileged and may not escalate privileges: leave out allowPrivilegeEscalation.',
    ],
  ])('find %s', (_what, patch, fault) => {
    expect(patched(patch)).toEqual([fault]);
  });

  it('find a selector without pods', () => {
    const service: Manifest = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 's' },
      spec: { selector: { a: 'b' } },
    };
    expect(lostSelectors([deployment(), service])).toEqual([
      'the selector of the Service s (a=b) matches no pod that is made here: give the pod template these labels, or select by those that it has.',
    ]);
    expect(faultsOf(deployment())).toEqual([]);
  });
});
