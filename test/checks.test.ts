import { Duration, Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-27';
import { Bandwidth, CertificateAuthority, ContainerRuntime, Placement, Storage, TagPolicy } from '../src';
import type { SupernodeProps } from '../src';
import { dragonflySpec } from '../src/spec/dragonfly';
import { originsOf, parseRegistries, renderRegistries } from '../src/spec/registry';
import { supernodeSpec } from '../src/spec/supernode';
import { messageOf, NAME } from './support/refusals';

const IMAGES = { supernodeImage: 'example/supernode:1', daemonImage: 'example/dfdaemon:1' };
describe('the registries', () => {
  it.each([
    [[{ url: 'https://registry-1.docker.io' }], 'https://registry-1.docker.io', ['registry-1.docker.io:443']],
    [[{ url: 'https://docker.io/' }], 'https://registry-1.docker.io', ['registry-1.docker.io:443']],
    [[{ url: 'http://127.0.0.1:5000' }], '127.0.0.1:5000=http://127.0.0.1:5000', ['127.0.0.1:5000']],
    [[{ url: 'http://registry' }], 'registry=http://registry', ['registry:80']],
    [[{ url: 'https://[fd00::1]:5000' }], '[fd00::1]:5000=https://[fd00::1]:5000', ['[fd00::1]:5000']],
    [
      [{ url: 'HTTPS://Registry.Example.Com:443' }],
      'registry.example.com=https://registry.example.com',
      ['registry.example.com:443'],
    ],
    [[{ host: 'ghcr.io', url: 'https://m.example.com' }], 'ghcr.io=https://m.example.com', ['m.example.com:443']],
    [
      [
        { url: 'https://a.example.com' },
        { url: 'https://index.docker.io' },
        { host: 'ghcr.io', url: 'https://a.example.com' },
      ],
      'https://a.example.com,docker.io=https://index.docker.io,ghcr.io=https://a.example.com',
      ['a.example.com:443', 'index.docker.io:443'],
    ],
  ])('%j become %s and the origins %j', (values, rendered, origins) => {
    const registries = parseRegistries('registries', values);
    expect(renderRegistries(registries)).toBe(rendered);
    expect(originsOf(registries)).toEqual(origins);
  });

  it.each([
    ['docker.io', '"docker.io" is no http or https URL: write it such as https://registry.example.com:5000.'],
    [
      'ftp://registry.example.com',
      '"ftp://registry.example.com" is no http or https URL: write it such as https://registry.example.com:5000.',
    ],
    ['https://a b', '"https://a b" is no URL: write it such as https://registry.example.com:5000.'],
    [
      'https://me:secret@registry.example.com',
      '"https://***@registry.example.com" has credentials: leave them out; container runtimes send their own, and others come from credentialsSecret.',
    ],
    [
      'https://registry.example.com/v2/',
      '"https://registry.example.com/v2/" has more than scheme, host and port: leave the rest out, such as https://registry.example.com.',
    ],
    [
      'https://registry.example.com?a=b',
      '"https://registry.example.com?a=b" has more than scheme, host and port: leave the rest out, such as https://registry.example.com.',
    ],
    ['http://h:65536', '"http://h:65536" has the port 65536: use 1 to 65535.'],
    ['http://h:0/', '"http://h:0/" has the port 0: use 1 to 65535.'],
    [
      'https://-a.example.com',
      '"https://-a.example.com" has the host "-a.example.com": use a DNS name, an IPv4 address or [IPv6].',
    ],
  ])('the URL %s is refused', (url, message) => {
    expect(messageOf(() => parseRegistries('registries', [{ url }]))).toBe(`registries[0].url ${message}`);
  });

  it('must be at least one, one a host, by the name of images', () => {
    expect(messageOf(() => parseRegistries('registries', []))).toBe(
      "registries is empty: name at least one registry, such as { url: 'https://registry.example.com:5000' }.",
    );
    expect(
      messageOf(() =>
        parseRegistries('registries', [{ url: 'https://docker.io' }, { host: 'docker.io', url: 'https://b' }]),
      ),
    ).toBe('registries has two registries for "docker.io", at 0 and 1: remove one.');
    expect(messageOf(() => parseRegistries('registries', [{ host: 'a_b', url: 'https://b' }]))).toBe(
      'registries[0].host "a_b" is no registry: use HOST[:PORT] as it stands in image names.',
    );
  });
});

describe('the props of an installation', () => {
  it.each([
    [
      { supernodeImage: '' },
      'supernodeImage is missing: no image is published yet, so name the one that you built, such as registry.example.com/dragonfly/supernode:0.1.0.',
    ],
    [
      { daemonImage: 'https://example.com/dfdaemon' },
      'daemonImage "https://example.com/dfdaemon" is no image name: write [HOST[:PORT]/]NAME[:TAG][@DIGEST] without scheme and blanks, NAME in lower case, such as registry.example.com/dragonfly/dfdaemon:0.1.0.',
    ],
    [
      { daemonImage: 'a@sha256:123' },
      'daemonImage "a@sha256:123" has the digest "sha256:123": write sha256: and 64 hexadecimal digits.',
    ],
    [
      { supernodeImage: '127.0.0.1:7001/a', daemon: { mirrorPort: 7001 } },
      'supernodeImage "127.0.0.1:7001/a" would come from the mirror that it is to start: name the registry itself, which the node asks while the mirror is down.',
    ],
    [
      { namespace: 'Kube' },
      'namespace "Kube" is no namespace: use 1 to 63 lower-case letters, digits and dashes, starting and ending with a letter or digit.',
    ],
    [
      { createNamespace: true, namespace: 'kube-system' },
      'createNamespace is true, and every cluster has "kube-system": name another namespace, or leave it out.',
    ],
    [
      { nodeMirror: { nodes: ['w1'] } },
      'nodeMirrorImage is missing: no image is published yet, so name the one that you built, such as registry.example.com/dragonfly/node-mirror:0.1.0.',
    ],
    [
      { nodeMirrorImage: 'a' },
      'nodeMirrorImage "a" has nothing to do: name nodes in nodeMirror, or leave it out; configureRuntime has an image of its own.',
    ],
  ])('%j are refused', (props, message) => {
    expect(messageOf(() => dragonflySpec({ ...IMAGES, ...props }, 'default'))).toBe(message);
  });
});

describe('sizes', () => {
  const mebibytes = (props: Partial<SupernodeProps>): unknown => {
    const { store, limits, heap } = supernodeSpec({ image: 'a', ...props }, 'ns');
    return [store.diskQuota, store.minFree, limits['memory'], heap];
  };

  it.each([
    [{ diskQuota: Size.mebibytes(300.7), minFree: Size.mebibytes(1.5) }, [300, 1, '1024Mi', 512]],
    [{ storage: Storage.emptyDir({ sizeLimit: Size.mebibytes(400.5) }) }, [380, 20, '1024Mi', 512]],
    [{ resources: { memory: { limit: Size.mebibytes(500.5) } } }, [undefined, undefined, '500Mi', 250]],
  ])('%j are whole MiB, since the daemons take no parts of one', (props, expected) => {
    expect(mebibytes(props)).toEqual(expected);
  });
});

describe('the props of every daemon', () => {
  const refused = (props: Partial<SupernodeProps>) => messageOf(() => supernodeSpec({ image: 'a', ...props }, 'ns'));

  it.each<[Partial<SupernodeProps>, string]>([
    [{ name: '1st' }, `name "1st" is no name for an object: ${NAME}`],
    [{ name: 'a'.repeat(64) }, `name "${'a'.repeat(64)}" is no name for an object: ${NAME}`],
    [
      { labels: { 'app.kubernetes.io/name': 'x' } },
      'labels has "app.kubernetes.io/name", by which pods are found: leave it out, and use name to change it.',
    ],
    [
      { labels: { 'app.kubernetes.io/part-of': 'platform' } },
      'labels has "app.kubernetes.io/part-of", which is dragonfly wherever it stands: leave it out.',
    ],
    [
      { terminationGracePeriod: Duration.millis(1500) },
      'terminationGracePeriod is 1500ms, and Kubernetes counts whole seconds: use Duration.seconds(n).',
    ],
    [
      { labels: { team: 'a b' } },
      'labels["team"] is "a b": use at most 63 letters, digits, dashes, dots and underscores, a letter or digit at both ends.',
    ],
    [
      { annotations: { 'a/b/c': '' } },
      'annotations has the key "a/b/c": use [DOMAIN/]NAME, NAME of at most 63 letters, digits, dashes, dots and underscores.',
    ],
    [
      { nodeSelector: { pool: '-a' } },
      'nodeSelector["pool"] is "-a": use at most 63 letters, digits, dashes, dots and underscores, a letter or digit at both ends.',
    ],
    [{ env: { '2': '' } }, 'env has "2", which is no name for a variable: use letters, digits and underscores.'],
    [{ env: { POD_IP: '::1' } }, 'env has "POD_IP", which is set already: use WirePatch to change it.'],
    [
      { resources: { memory: { limit: Size.mebibytes(64) } } },
      'resources.memory.limit is 64 MiB, too little for a daemon to start: give at least 128 MiB.',
    ],
    [
      { resources: { memory: { request: Size.gibibytes(2) } } },
      'resources.memory.request is 2048 MiB and the limit 1024 MiB: raise the limit, or ask for less.',
    ],
    [
      { tolerations: [{ key: 'a', operator: 'Exists', value: 'b' }] },
      'tolerations[0] has operator Exists and the value "b": leave out the value, or use Equal.',
    ],
    [
      { tolerations: [{ operator: 'Exists' }, { value: 'b' }] },
      "tolerations[1] has no key: name the taint's key, or use operator Exists to tolerate every taint.",
    ],
    [
      { tolerations: [{ key: 'a b', operator: 'Exists' }] },
      'tolerations[0] has the key "a b": use [DOMAIN/]NAME, NAME of at most 63 letters, digits, dashes, dots and underscores.',
    ],
    ...[
      { tolerationSeconds: 5, effect: 'NoSchedule' },
      { tolerationSeconds: 1.5, effect: 'NoExecute' },
    ].map((time): [Partial<SupernodeProps>, string] => [
      { tolerations: [{ key: 'a', operator: 'Exists', ...time }] },
      `tolerations[0] has tolerationSeconds ${time.tolerationSeconds}: use a whole number with the effect NoExecute, or leave it out.`,
    ]),
    [
      { resources: { ephemeralStorage: { request: Size.gibibytes(2), limit: Size.gibibytes(1) } } },
      'resources.ephemeralStorage.request is 2048 MiB and the limit 1024 MiB: raise the limit, or ask for less.',
    ],
    [
      { resources: { cpu: { request: Cpu.units(0.0001) } } },
      'resources.cpu.request is 0.0001: use Cpu.millis(n) with a whole n, 0 or more.',
    ],
    [
      { resources: { cpu: { limit: Cpu.millis(-1) } } },
      'resources.cpu.limit is -1m: use Cpu.millis(n) with a whole n, 0 or more.',
    ],
    [
      { podSecurityContext: { runAsUser: -1 } },
      'podSecurityContext.runAsUser is -1: write a whole number from 0 to 2147483647.',
    ],
    [
      { storage: Storage.hostPath('data') },
      'storage "data" is no place for data on a node: use an absolute path below / without "..".',
    ],
    [
      { storage: Storage.hostPath('/data/../etc') },
      'storage "/data/../etc" is no place for data on a node: use an absolute path below / without "..".',
    ],
    [
      { storage: Storage.hostPath('//') },
      'storage "//" is no place for data on a node: use an absolute path below / without "..".',
    ],
    [
      { storage: Storage.persistentVolumeClaim({ size: Size.gibibytes(9), storageClassName: 'Fast SSD' }) },
      'storage "Fast SSD" is no name of an object: use 1 to 253 lower-case letters, digits, dashes and dots, starting and ending with a letter or digit.',
    ],
    [
      { minFree: Size.mebibytes(0) },
      'minFree is 0 and the storage is /data/dragonfly of the node: the quota alone does not keep its disk from filling when others write to it too; leave at least Size.gibibytes(1).',
    ],
    [{ diskQuota: Size.kibibytes(1) }, 'diskQuota is 1Ki: use at least 64 MiB.'],
    [
      { storage: Storage.emptyDir({ sizeLimit: Size.gibibytes(10) }), diskQuota: Size.gibibytes(10) },
      'diskQuota is 10240 MiB and minFree 512 MiB, and the volume holds 10240 MiB: set diskQuota to at most 9728 MiB, or leave it out.',
    ],
    [
      { storage: Storage.emptyDir({ sizeLimit: Size.gibibytes(1) }), minFree: Size.gibibytes(1) },
      'minFree is 1024 MiB of a volume of 1024 MiB: less than 64 MiB are left for blobs; use a larger volume.',
    ],
  ])('%j are refused', (props, message) => {
    expect(refused(props)).toBe(message);
  });

  it('the heap is half of the memory limit, and the request not above it', () => {
    const resources = { memory: { limit: Size.mebibytes(200) } };
    expect(supernodeSpec({ image: 'a', resources }, 'ns')).toMatchObject({
      heap: 100,
      limits: { memory: '200Mi' },
      requests: { memory: '200Mi', cpu: '100m' },
    });
  });

  it.each([
    ['a', 'Always'],
    ['a:latest', 'Always'],
    ['registry:5000/a', 'Always'],
    ['registry:5000/a:1', 'IfNotPresent'],
    [`a@sha256:${'0'.repeat(64)}`, 'IfNotPresent'],
  ])('the image %s is pulled %s', (image, policy) => {
    expect(supernodeSpec({ image }, 'ns').imagePullPolicy).toBe(policy);
  });

  it('the quota of a volume of known size is what it holds less the floor', () => {
    const store = (size: Size) =>
      supernodeSpec({ image: 'a', storage: Storage.persistentVolumeClaim({ size }) }, 'ns').store;
    expect(store(Size.gibibytes(20))).toMatchObject({ diskQuota: 19 * 1024, minFree: 1024 });
    expect(store(Size.tebibytes(1))).toMatchObject({ diskQuota: 50 * 1024, minFree: 5 * 1024 });
  });
});

describe('the props of the supernode', () => {
  const refused = (props: Partial<SupernodeProps>) => messageOf(() => supernodeSpec({ image: 'a', ...props }, 'ns'));

  it.each<[Partial<SupernodeProps>, string]>([
    [{ replicas: 0 }, 'replicas is 0: use 1 to 9.'],
    [
      { replicas: 3 },
      'replicas is 3 and signingKeySecret is missing, without which each replica would sign with a key of its own: openssl genpkey -algorithm ed25519 -out signing-key.pem, put it into a Secret under that name, and name the Secret.',
    ],
    [
      { replicas: 2, signingKeySecret: 's', storage: Storage.persistentVolumeClaim({ claimName: 'data' }) },
      'replicas is 2 and storage the one claim "data": give Storage.persistentVolumeClaim() a size instead, so that each replica gets a claim of its own.',
    ],
    [
      { replicas: 2, signingKeySecret: 's', name: 'a'.repeat(53) },
      `name "${'a'.repeat(53)}" is no name for an object: ${NAME.replace('63', '52')}`,
    ],
    [
      { systemBandwidth: Bandwidth.mebibytesPerSecond(1) },
      'systemBandwidth says nothing without maxBandwidth, of which it is a part: give both, or neither.',
    ],
    [
      { maxBandwidth: Bandwidth.gibibytesPerSecond(977) },
      'maxBandwidth is 1000448 MiB/s: use at most 1000000, or leave it out for no limit.',
    ],
    [
      { maxBandwidth: Bandwidth.mebibytesPerSecond(20) },
      'maxBandwidth is 20 MiB/s, of which systemBandwidth keeps 20: nothing is left for downloads; raise the first, or lower the second.',
    ],
    [
      { maxBandwidth: Bandwidth.megabitsPerSecond(100) },
      'maxBandwidth of 100 Mbit/s is no whole number of MiB a second: use Bandwidth.mebibytesPerSecond(n).',
    ],
    [
      { nodeCidrs: ['10.0.0.0/33'] },
      'nodeCidrs[0] "10.0.0.0/33" is no network: write ADDRESS/BITS, such as 10.0.0.0/16.',
    ],
    [
      { nodeCidrs: [] },
      'nodeCidrs is empty, which would admit no node: name the networks of the nodes, or leave it out.',
    ],
    [
      { failAccessInterval: Duration.seconds(90) },
      'failAccessInterval is 1.5 minutes: use a whole number of minutes, at most 1440.',
    ],
    [{ timeouts: { originStall: Duration.millis(10) } }, 'timeouts.originStall is 10ms: use 100ms to 300s.'],
    [
      { egressPolicy: true },
      'egressPolicy is true and nodeCidrs is missing, where the df-daemons are: name the networks of the nodes.',
    ],
    [
      { peerPorts: [15001] },
      'peerPorts says nothing without egressPolicy, which is to admit them: give both, or neither.',
    ],
    [
      { egressPolicy: true, nodeCidrs: ['10.0.0.0/8'], peerPorts: [0] },
      'peerPorts[0] is 0: use a port from 1024 to 65535, since the daemon is not allowed those below.',
    ],
    [
      { ca: CertificateAuthority.fromSecret('ca', 'a/b') },
      'ca has the key "a/b": use letters, digits, dashes, dots and underscores.',
    ],
    [
      { registries: [{ url: 'https://a', ca: CertificateAuthority.fromConfigMap('A') }] },
      `registries[0].ca "A" is no name of an object: use 1 to 253 lower-case letters, digits, dashes and dots, starting and ending with a letter or digit.`,
    ],
    [
      { classic: true, registries: [{ url: 'https://a', credentialsSecret: 's' }] },
      'registries[0].credentialsSecret has no place in the classic installation: leave out credentialsSecret or classic.',
    ],
    [
      { classic: true, placement: Placement.ANY },
      'placement has no place in the classic installation: leave out placement or classic, or change the object with WirePatch.',
    ],
    [
      { classic: true, storage: Storage.emptyDir() },
      'storage is no folder of the node, as in the classic installation: use Storage.hostPath() or leave out classic.',
    ],
  ])('%j are refused', (props, message) => {
    expect(refused(props)).toBe(message);
  });

  it('the ports that a supernode may go to are those of registries, their token servers and proxies', () => {
    const spec = supernodeSpec(
      {
        image: 'a',
        nodeCidrs: ['10.0.0.0/8'],
        egressPolicy: true,
        registries: [
          { url: 'http://r:5000', tokenServers: ['login.example.com:8443', '[fd00::1]:9443'] },
          { url: 'https://ghcr.io', tokenServers: ['login.example.com', '[fd00::1]'] },
        ],
        env: { HTTPS_PROXY: 'proxy:3128', http_proxy: 'http://other', NO_PROXY: 'x:1' },
      },
      'ns',
    );
    expect(spec.egress).toEqual({ peerPorts: [15001], originPorts: [80, 443, 3128, 5000, 8443, 9443] });
  });
});

describe('values', () => {
  it.each([
    [() => Bandwidth.mebibytesPerSecond(0), 'a bandwidth of 0 MiB/s is none'],
    [() => Bandwidth.bytesPerSecond(-1), 'a bandwidth of -1 B/s is none'],
    [() => Bandwidth.bytesPerSecond(Number.NaN), 'a bandwidth of NaN B/s is none'],
    [
      () => ContainerRuntime.of('rocket'),
      '"rocket" is no container runtime that a node-mirror knows: use one of auto, docker, containerd, crio, podman.',
    ],
    [() => TagPolicy.ttl(Duration.millis(0)), 'TagPolicy.ttl() of nothing asks the registry each time'],
    [() => Storage.persistentVolumeClaim({}), 'has neither claimName nor size'],
    [
      () => Storage.persistentVolumeClaim({ claimName: 'a', storageClassName: 'b' }),
      'has claimName "a" and storageClassName "b"',
    ],
  ])('%s is refused', (action, message) => {
    expect(messageOf(action)).toContain(message);
  });

  it('a bandwidth in all its units', () => {
    expect(Bandwidth.kibibytesPerSecond(3).toBytesPerSecond()).toBe(3072);
    expect(Bandwidth.megabitsPerSecond(8).toBytesPerSecond()).toBe(1_000_000);
    expect(Bandwidth.gibibytesPerSecond(2).toMebibytesPerSecond()).toBe(2048);
    expect(Bandwidth.gibibytesPerSecond(2).asString()).toBe('2 GiB/s');
  });
});
