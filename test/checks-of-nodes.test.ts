import { Cron, Duration, Size, Testing } from 'cdk8s';
import { ImagePullPolicy } from 'cdk8s-plus-27';
import { ContainerRuntime, DfDaemonConstruct, NodeMirrorMode, Storage } from '../src';
import type { DfDaemonProps, NodeMirrorJobProps, PreheatJobProps } from '../src';
import { dfDaemonSpec } from '../src/spec/df-daemon';
import { nodeMirrorSpec } from '../src/spec/node-mirror';
import { preheatSpec } from '../src/spec/preheat';
import { messageOf, NAME } from './support/refusals';

/** dockerd asks through the df-daemon beside it. */
const ownProxy = (port = 65001) => ({ restart: true, docker: { proxy: `http://127.0.0.1:${port}` } });

describe('the props of the df-daemons', () => {
  const daemon = { image: 'example/dfdaemon:1', supernodes: ['supernode'] };
  const refused = (props: Partial<DfDaemonProps>) => messageOf(() => dfDaemonSpec({ ...daemon, ...props }, 'ns'));

  it.each<[Partial<DfDaemonProps>, string]>([
    [
      { image: '' },
      'image is missing: no image is published yet, so name the one that you built, such as registry.example.com/dragonfly/dfdaemon:0.1.0.',
    ],
    [
      { configureRuntime: { image: 'https://a' } },
      'configureRuntime.image "https://a" is no image name: write [HOST[:PORT]/]NAME[:TAG][@DIGEST] without scheme and blanks, NAME in lower case, such as registry.example.com/dragonfly/node-mirror:0.1.0.',
    ],
    [{ supernodes: [] }, 'supernodes is empty: name at least one supernode as HOST[:PORT].'],
    [
      { supernodes: ['http://supernode'] },
      'supernodes[0] "http://supernode" is no HOST[:PORT]: use a DNS name, an IPv4 address or [IPv6].',
    ],
    [{ supernodes: ['a b'] }, 'supernodes[0] "a b" is no HOST[:PORT]: use a DNS name, an IPv4 address or [IPv6].'],
    [
      { supernodes: ['a', 'b:8002=2'] },
      'supernodes[1] "b:8002=2" has a weight, "=2", which does nothing: leave it out.',
    ],
    [
      { supernodes: ['10.0.0.256'] },
      'supernodes[0] "10.0.0.256" is no HOST[:PORT]: use a DNS name, an IPv4 address or [IPv6].',
    ],
    [{ supernodes: ['a:70000'] }, 'supernodes[0] "a:70000" has the port "70000": use 1 to 65535, or leave it out.'],
    [{ supernodes: ['a', 'a'] }, 'supernodes names "a" twice, at 0 and 1: name it once.'],
    [
      { mirrorPort: 443 },
      'mirrorPort is 443: use a port from 1024 to 65535, since the daemon is not allowed those below.',
    ],
    [{ peerPort: 65003 }, 'peerPort and opsPort are the same, on one network: give each its own.'],
    [
      { image: '127.0.0.1:65001/dfdaemon:1' },
      'image "127.0.0.1:65001/dfdaemon:1" would come from the mirror that it is to start: name the registry itself, which the node asks while the mirror is down.',
    ],
    [
      { registries: [{ url: 'http://localhost:7000' }], mirrorPort: 7000 },
      'registries[0].url "http://localhost:7000" is the mirror itself: name the registry behind it.',
    ],
    [
      { storage: Storage.persistentVolumeClaim({ claimName: 'data' }) },
      'storage is a claim, which all nodes would share: use Storage.hostPath() or Storage.emptyDir().',
    ],
    [
      { maxUnavailable: '0' },
      'maxUnavailable "0" lets no update happen or is no number: use a number of nodes such as "3", or 1% to 100%.',
    ],
    [
      { maxUnavailable: '101%' },
      'maxUnavailable "101%" lets no update happen or is no number: use a number of nodes such as "3", or 1% to 100%.',
    ],
    [{ zone: '' }, 'zone "" is no zone: use 1 to 63 letters, digits and signs without blanks.'],
    [
      { configureRuntime: { image: 'localhost:65001/node-mirror:1' } },
      'configureRuntime.image "localhost:65001/node-mirror:1" would come from the mirror that it is to start: name the registry itself, which the node asks while the mirror is down.',
    ],
    [
      {
        registries: [
          { url: 'https://a', clientCertificateSecret: 'one' },
          { url: 'https://a', host: 'b', clientCertificateSecret: 'two' },
        ],
      },
      'registries[1].clientCertificateSecret is "two" and registries[0].clientCertificateSecret "one", both for a:443, which is shown one: name the same.',
    ],
    [
      { registries: [{ url: 'https://a', tokenServers: ['https://auth'] }] },
      'registries[0].tokenServers[0] "https://auth" is no HOST[:PORT]: use a DNS name, an IPv4 address or [IPv6].',
    ],
    [
      { registries: [{ url: 'https://a', tokenServers: [] }] },
      'registries[0].tokenServers is empty: name at least one token server as HOST[:PORT].',
    ],
    [
      { drainTimeout: Duration.minutes(5) },
      'drainTimeout is 300s and terminationGracePeriod 300s, of which 30s are for what else happens at the end: use at most 270s, or raise terminationGracePeriod.',
    ],
    [
      {
        terminationGracePeriod: Duration.minutes(5),
        drainTimeout: Duration.seconds(240),
        configureRuntime: { image: 'a' },
      },
      'drainTimeout is 240s and terminationGracePeriod 300s, of which 90s are for what else happens at the end: use at most 210s, or raise terminationGracePeriod.',
    ],
    [
      {
        terminationGracePeriod: Duration.minutes(2),
        configureRuntime: { image: 'a', reloadTimeout: Duration.seconds(23) },
      },
      'configureRuntime.reloadTimeout is 23s and terminationGracePeriod 120s, in which it may pass four times until the runtimes are off the df-daemon: use at most 22s, or raise terminationGracePeriod.',
    ],
    [{ timeouts: { connect: Duration.minutes(2) } }, 'timeouts.connect is 120s: use 50ms to 60s.'],
    [
      { proxy: { rules: [] } },
      'proxy.rules is empty, so that nothing would come through the swarm: name a rule, or leave it out.',
    ],
    [
      { proxy: { tlsHosts: [{ match: 'a' }] } },
      'proxy.tlsHosts is there without certificateSecret, which their TLS is ended with: name the Secret.',
    ],
    [
      { proxy: { certificateSecret: 's' } },
      'proxy.certificateSecret "s" has nothing to do: name hosts in proxy.tlsHosts, or leave it out.',
    ],
    [
      { proxy: { rules: [{ match: 'a' }, { match: '' }] } },
      'proxy.rules[1].match "" is no regular expression (it is empty): write RE2, such as blobs/sha256.*.',
    ],
    [
      { configureRuntime: { image: 'a', interval: Duration.millis(1) } },
      'configureRuntime.interval is 1ms: use 1s to 86400s.',
    ],
    [
      { configureRuntime: { image: 'a', resources: { memory: { limit: Size.mebibytes(64) } } } },
      'configureRuntime.resources.memory.limit is 64 MiB, too little for a daemon to start: give at least 128 MiB.',
    ],
    [
      { configureRuntime: { image: 'a', env: { NODE_NAME: 'w1' } } },
      'configureRuntime.env has "NODE_NAME", which is set already: use WirePatch to change it.',
    ],
    [
      { configureRuntime: { image: 'a', paths: { dockerSocket: 'docker.sock' } } },
      'configureRuntime.paths.dockerSocket "docker.sock" is no place for data on a node: use an absolute path below / without "..".',
    ],
    [
      { configureRuntime: { image: 'a', runtimes: [ContainerRuntime.CRIO], docker: {} } },
      'configureRuntime.docker has nothing to do: configureRuntime.runtimes is crio; add ContainerRuntime.DOCKER, or leave out configureRuntime.docker.',
    ],
    [
      { configureRuntime: { image: 'a', docker: { proxy: 'http://a' } } },
      'configureRuntime.docker.proxy needs configureRuntime.restart: true, since dockerd reads its proxy at its start alone; or leave out the proxy.',
    ],
    [
      {
        registries: [{ url: 'https://ghcr.io' }],
        configureRuntime: { image: 'a', runtimes: [ContainerRuntime.CONTAINERD, ContainerRuntime.DOCKER] },
      },
      "configureRuntime.runtimes has ContainerRuntime.DOCKER and registries no docker.io, and dockerd asks mirrors for no other: add { url: 'https://registry-1.docker.io' }, or leave out ContainerRuntime.DOCKER.",
    ],
    [
      { mirrorPort: 7001, configureRuntime: { image: 'a', ...ownProxy(7001) } },
      'configureRuntime.docker.proxy "http://127.0.0.1:7001" is this df-daemon, which passes all on past the swarm without its prop proxy: add proxy: {}, or leave out configureRuntime.docker.proxy.',
    ],
    [
      { proxy: {}, configureRuntime: { image: 'a:latest', ...ownProxy() } },
      'configureRuntime.docker.proxy "http://127.0.0.1:65001" is this df-daemon, and configureRuntime.image "a:latest" is pulled at each start: after a crash of the node dockerd would ask for it through the proxy that it is to start. Give it a tag other than latest, or a digest, and no ImagePullPolicy.ALWAYS.',
    ],
    [
      { proxy: {}, imagePullPolicy: ImagePullPolicy.ALWAYS, configureRuntime: { image: 'a:1', ...ownProxy() } },
      'configureRuntime.docker.proxy "http://127.0.0.1:65001" is this df-daemon, and image "example/dfdaemon:1" is pulled at each start: after a crash of the node dockerd would ask for it through the proxy that it is to start. Give it a tag other than latest, or a digest, and no ImagePullPolicy.ALWAYS.',
    ],
    [
      { classic: true, registries: [{ url: 'https://a' }, { url: 'https://b' }] },
      'registries has 2 entries, and the classic installation mirrors one: leave out the others, or classic.',
    ],
  ])('%j are refused', (props, message) => {
    expect(refused(props)).toBe(message);
  });

  it.each([
    [{}, undefined],
    [{ configureRuntime: { image: 'a' } }, undefined],
    [{ terminationGracePeriod: Duration.minutes(5), configureRuntime: { image: 'a' } }, '210s'],
    [{ terminationGracePeriod: Duration.minutes(2) }, '90s'],
    [{ terminationGracePeriod: Duration.minutes(9), configureRuntime: { image: 'a' } }, undefined],
    [{ terminationGracePeriod: Duration.seconds(5) }, '0s'],
  ])(
    '%j let pulls go on for %s when a df-daemon is told to stop; undefined: the 270 s of the daemon',
    (props, text) => {
      expect(dfDaemonSpec({ ...daemon, ...props }, 'ns').drain.drainTimeout).toBe(text);
    },
  );

  it.each([
    [{ image: 'a' }, {}, 410, 110],
    [{ image: 'a', reloadTimeout: Duration.seconds(1) }, {}, 334, 60],
    [{ image: 'a', reloadTimeout: Duration.minutes(10) }, {}, 2730, 2430],
    [{ image: 'a' }, { drainTimeout: Duration.seconds(10) }, 410, 110],
    [{ image: 'a' }, { terminationGracePeriod: Duration.seconds(20) }, 20, 60],
    [{ image: 'a' }, { terminationGracePeriod: Duration.minutes(9) }, 540, 110],
    [{ image: 'a', reloadTimeout: Duration.seconds(22) }, { terminationGracePeriod: Duration.minutes(2) }, 120, 60],
    [
      { image: 'a', reloadTimeout: Duration.seconds(22) },
      { terminationGracePeriod: Duration.minutes(2), drainTimeout: Duration.seconds(10) },
      120,
      80,
    ],
  ])(
    'with %j, %j a pod has %d s to end, and its df-daemon waits %d s of them for the runtimes to be off it',
    (configureRuntime, props, grace, wait) => {
      const { gracePeriodSeconds, drain } = dfDaemonSpec({ ...daemon, ...props, configureRuntime }, 'ns');
      expect([gracePeriodSeconds, drain.waitSeconds]).toEqual([grace, wait]);
    },
  );

  it('dockerd may ask through the df-daemon beside it, when that is a proxy and the images are pinned; through another place anyhow', () => {
    const proxyOf = (props: Partial<DfDaemonProps>) =>
      dfDaemonSpec({ ...daemon, ...props }, 'ns').runtime?.docker.dockerProxy;
    const own = 'http://127.0.0.1:65001';
    expect(proxyOf({ proxy: {}, configureRuntime: { image: 'a:1', ...ownProxy() } })).toBe(own);
    expect(proxyOf({ mirrorPort: 7001, configureRuntime: { image: 'a', ...ownProxy() } })).toBe(own);
  });

  it('what is wrong with dockerd is told with the path of its construct', () => {
    const configureRuntime = { image: 'a:1', docker: { proxy: 'http://a' } };
    expect(() => new DfDaemonConstruct(Testing.chart(), 'mirror', { ...daemon, configureRuntime })).toThrow(
      /^test\/mirror: configureRuntime\.docker\.proxy needs configureRuntime\.restart: true/,
    );
  });

  it('supernodes may be names, addresses and brackets, with a port or not', () => {
    const supernodes = ['supernode.p2p', '10.0.0.1:8002', '[fd00::1]', '[fd00::2]:9000'];
    expect(dfDaemonSpec({ ...daemon, supernodes }, 'default').supernodes).toEqual(supernodes);
  });
});

describe('the time of a node-mirror Job', () => {
  const spec = (props: Partial<NodeMirrorJobProps>) =>
    nodeMirrorSpec({ image: 'example/node-mirror:1', nodes: ['w1'], ...props }, 'ns');

  it('to end is enough to put one change back, however long its runtime takes', () => {
    expect(spec({}).gracePeriodSeconds).toBe(90);
    expect(spec({ reloadTimeout: Duration.seconds(30) }).gracePeriodSeconds).toBe(90);
    expect(spec({ reloadTimeout: Duration.millis(40_200) }).gracePeriodSeconds).toBe(111);
    expect(spec({ terminationGracePeriod: Duration.seconds(45) }).gracePeriodSeconds).toBe(45);
  });

  it('may be short where nothing is waited for', () => {
    const deadline = Duration.seconds(30);
    expect(spec({ deadline, mode: NodeMirrorMode.RESTORE }).deadlineSeconds).toBe(30);
    expect(spec({ deadline, wait: Duration.seconds(29) }).deadlineSeconds).toBe(30);
  });
});

describe('the props of node-mirror Jobs', () => {
  const job = { image: 'example/node-mirror:1', nodes: ['w1'] };
  const refused = (props: Partial<NodeMirrorJobProps>) => messageOf(() => nodeMirrorSpec({ ...job, ...props }, 'ns'));

  it.each<[Partial<NodeMirrorJobProps>, string]>([
    [{ nodes: [] }, 'nodes is empty: name at least one node, as "kubectl get nodes" shows them.'],
    [{ nodes: ['w1', 'w 2'] }, 'nodes[1] "w 2" is no node name: write it as "kubectl get nodes" shows it.'],
    [{ nodes: ['w1', 'w2', 'w1'] }, 'nodes names "w1" twice, at 0 and 2: name it once.'],
    [
      { mirror: '127.0.0.1:65001' },
      'mirror "127.0.0.1:65001" is no http or https URL: write it such as http://127.0.0.1:65001.',
    ],
    [
      { name: 'a'.repeat(52), wait: Duration.minutes(10) },
      'wait is 600 s and deadline 600 s: the Job would end while it waits; raise the deadline.',
    ],
    [
      { deadline: Duration.seconds(60) },
      'wait is 60 s and deadline 60 s: the Job would end while it waits; raise the deadline.',
    ],
    [
      { deadline: Duration.millis(90_500) },
      'deadline is 90500ms, and Kubernetes counts whole seconds: use Duration.seconds(n).',
    ],
    [
      { ttlAfterFinished: Duration.millis(1500) },
      'ttlAfterFinished is 1500ms, and Kubernetes counts whole seconds: use Duration.seconds(n).',
    ],
    [{ name: 'a'.repeat(53) }, `name "${'a'.repeat(53)}" is no name for an object: ${NAME.replace('63', '52')}`],
    [{ runtimes: [] }, 'runtimes is empty: name at least one runtime, or leave it out for ContainerRuntime.AUTO.'],
    [{ runtimes: [ContainerRuntime.CRIO, ContainerRuntime.of('crio')] }, 'runtimes names "crio" twice: name it once.'],
    [
      { runtimes: [ContainerRuntime.AUTO, ContainerRuntime.CRIO] },
      'runtimes has ContainerRuntime.AUTO, which is each that is found, beside others: leave one of the two out.',
    ],
    [
      { readyz: 'localhost' },
      'readyz "localhost" is no http or https URL: write it such as http://127.0.0.1:65003/readyz, or none, which original images need.',
    ],
    [
      { mirror: 'http://[::1]:7001', image: '[::1]:7001/node-mirror:1' },
      'image "[::1]:7001/node-mirror:1" would come from the mirror that it is to start: name the registry itself, which the node asks while the mirror is down.',
    ],
    [{ reloadTimeout: Duration.millis(1) }, 'reloadTimeout is 1ms: use 100ms to 600s.'],
    [
      { docker: { insecureRegistries: ['a'] }, runtimes: [ContainerRuntime.CONTAINERD, ContainerRuntime.CRIO] },
      'docker has nothing to do: runtimes is containerd, crio; add ContainerRuntime.DOCKER, or leave out docker.',
    ],
    [
      { docker: { insecureRegistries: ['a'] }, registries: [{ url: 'https://ghcr.io' }] },
      "docker has nothing to do: dockerd is left alone where registries is without docker.io, since it asks mirrors for no other; add { url: 'https://registry-1.docker.io' }, or leave out docker.",
    ],
    [
      { runtimes: [ContainerRuntime.DOCKER], registries: [{ url: 'https://ghcr.io' }] },
      "runtimes has ContainerRuntime.DOCKER and registries no docker.io, and dockerd asks mirrors for no other: add { url: 'https://registry-1.docker.io' }, or leave out ContainerRuntime.DOCKER.",
    ],
    [
      { docker: { proxy: 'http://a' } },
      'docker.proxy needs restart: true, since dockerd reads its proxy at its start alone; or leave out the proxy.',
    ],
    [
      { docker: { insecureRegistries: [] } },
      'docker.insecureRegistries is empty: name at least one registry or network, or leave it out.',
    ],
    [
      { docker: { insecureRegistries: ['a', 'A'] } },
      'docker.insecureRegistries names "a" twice, at 0 and 1: name it once.',
    ],
    [
      { restart: true, docker: { proxy: 'proxy.example.com:3128' } },
      'docker.proxy "proxy.example.com:3128" is no http or https URL: write it such as http://127.0.0.1:65001.',
    ],
    [
      { restart: true, docker: { proxy: 'http://a:3128/b' } },
      'docker.proxy "http://a:3128/b" has more than scheme, host and port: leave the rest out, such as http://a:3128.',
    ],
    [
      { restart: true, docker: { proxy: 'http://me:sec/ret@proxy' } },
      'docker.proxy "http://***@proxy" has credentials, which would stand in the manifest: leave them out; a proxy that needs them is one for the df-daemon (HTTPS_PROXY in its env).',
    ],
    [
      { restart: true, docker: { proxy: 'me:secret@proxy' } },
      'docker.proxy "***@proxy" has credentials, which would stand in the manifest: leave them out; a proxy that needs them is one for the df-daemon (HTTPS_PROXY in its env).',
    ],
    [{ backoffLimit: 0.5 }, 'backoffLimit is 0.5: use a whole number from 0 to 100.'],
  ])('%j are refused', (props, message) => {
    expect(refused(props)).toBe(message);
  });

  it.each([
    'http://a',
    'a/b',
    'a:',
    'a:0',
    'a:65536',
    'a b',
    '',
    '10.0.0.256',
    '10.0.0.0/33',
    'fd00::1',
    '[fe80::1%eth0]:5000',
    'fe80::%eth0/64',
  ])('docker.insecureRegistries: "%s" is refused', (given) => {
    expect(refused({ docker: { insecureRegistries: ['a', given] } })).toBe(
      `docker.insecureRegistries[1] "${given}" is no registry for dockerd: use HOST[:PORT] without scheme and path, such as registry.example.com:5000, or a network, such as 10.0.0.0/8.`,
    );
  });

  it('dockerd is given back what it had first, whatever the registries are now', () => {
    const registries = [{ url: 'https://ghcr.io' }];
    const props = { ...job, runtimes: [ContainerRuntime.DOCKER], registries, mode: NodeMirrorMode.RESTORE };
    expect(nodeMirrorSpec(props, 'ns').registries).toEqual(['ghcr.io=https://ghcr.io']);
  });

  it('the mirror of a node is a URL of scheme, host and port', () => {
    expect(nodeMirrorSpec({ ...job, mirror: 'http://127.0.0.1:1234/' }, 'ns').mirror).toBe('http://127.0.0.1:1234');
  });
});

describe('the props of a preheat', () => {
  const preheat = { image: 'example/dfdaemon:1', images: ['nginx:1'], supernodes: ['supernode'] };

  it.each<[Partial<PreheatJobProps>, string]>([
    [{ images: [] }, 'images has 0 entries: name 1 to 50 images; each is a container of one pod.'],
    [{ images: ['a', 'b', 'a'] }, 'images names "a" twice, at 0 and 2: name it once.'],
    [
      { images: [''] },
      'images[0] "" is no image name: write [HOST[:PORT]/]NAME[:TAG][@DIGEST] without scheme and blanks, NAME in lower case, such as docker.io/library/nginx:1.25.',
    ],
    [{ platforms: ['amd64'] }, 'platforms[0] "amd64" is none: write OS/ARCH[/VARIANT], such as linux/arm64.'],
    [{ platforms: [] }, 'platforms is empty, which would fetch all: name one such as linux/arm64, or leave it out.'],
    ...(
      [
        ['hour', '24', '0 to 23'],
        ['weekDay', '7', '0 to 6'],
        ['weekDay', 'fri-mon', '0 to 6'],
        ['minute', '*/0', '0 to 59'],
        ['month', 'jam', '1 to 12'],
      ] as const
    ).map(([field, value, bounds]): [Partial<PreheatJobProps>, string] => {
      const schedule = Cron.schedule({ [field]: value });
      return [
        { schedule },
        `schedule "${schedule.expressionString}" has the ${field} "${value}": use ${bounds}, or *, and ranges, steps and lists of them.`,
      ];
    }),
    [
      { env: { REGISTRY_USER: 'me' } },
      'env has "REGISTRY_USER", which is set already: use credentialsSecret to change it.',
    ],
    [
      { ttlAfterFinished: Duration.millis(1500) },
      'ttlAfterFinished is 1500ms, and Kubernetes counts whole seconds: use Duration.seconds(n).',
    ],
  ])('%j are refused', (props, message) => {
    expect(messageOf(() => preheatSpec({ ...preheat, ...props }, 'ns'))).toBe(message);
  });

  it.each([
    Cron.everyMinute(),
    Cron.annually(),
    Cron.weekly(),
    Cron.schedule({ minute: '5,10-59/5', hour: '*/2', month: 'Jan-Mar,12', weekDay: 'MON-fri' }),
  ])('may be the schedule $expressionString', (schedule) => {
    expect(preheatSpec({ ...preheat, schedule }, 'ns').schedule).toBe(schedule.expressionString);
  });
});
