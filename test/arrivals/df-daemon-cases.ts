import { Duration, Size } from 'cdk8s';
import { Bandwidth, BlobAuthorization, CertificateAuthority, ContainerRuntime, Storage, TagPolicy } from '../../src';
import type {
  DfDaemonOptions,
  DfDaemonProps,
  DfDaemonTimeouts,
  OriginTimeouts,
  RuntimeConfiguration,
  WorkloadProps,
} from '../../src';
import type { Cases } from './case';
import { authority, FILES, files } from './mounted-files';
import { DAEMON, object, pod, RUNTIMES, values, within } from './places';
import { dockerCases, runtimePathsCases } from './node-mirror-cases';
import { workloadCases } from './workload-cases';

type Own<Props, Base> = Omit<Props, keyof Base>;

export const DF_DAEMON_OPTIONS: Cases<Own<DfDaemonOptions, WorkloadProps>> = {
  name: [
    { given: 'mirror', arrives: { objects: { 'DaemonSet mirror': {}, 'ConfigMap mirror-config': {} } } },
    { given: 'other', arrives: { objects: { 'DaemonSet other': {}, 'ConfigMap other-config': {} } } },
  ],
  storage: [
    { given: Storage.emptyDir(), arrives: values(DAEMON, { dataDir: '/var/lib/dragonfly' }) },
    {
      given: Storage.hostPath('/srv/p2p'),
      arrives: {
        pods: {
          [DAEMON.object]: {
            volumes: [{}, { hostPath: { path: '/srv/p2p' } }],
            by: { [DAEMON.container]: { values: { dataDir: '/root/.small-dragonfly' } } },
          },
        },
      },
    },
  ],
  diskQuota: [
    { given: Size.gibibytes(9), arrives: values(DAEMON, { diskQuota: 9 * 2 ** 30 }) },
    { given: Size.mebibytes(900), arrives: values(DAEMON, { diskQuota: 900 * 2 ** 20 }) },
  ],
  minFree: [
    { given: Size.mebibytes(1500), arrives: values(DAEMON, { minFree: 1500 * 2 ** 20 }) },
    { given: Size.gibibytes(1), arrives: values(DAEMON, { minFree: 2 ** 30 }) },
  ],
  mirrorPort: [7001, 7101].map((given) => ({
    given,
    arrives: within(DAEMON, {
      values: { port: given, hostIp: '127.0.0.1' },
      ports: [{ name: 'mirror', containerPort: given, hostPort: given, hostIP: '127.0.0.1' }, {}, {}],
    }),
  })) as unknown as Cases<DfDaemonOptions>['mirrorPort'],
  peerPort: [7002, 7102].map((given) => ({
    given,
    arrives: within(DAEMON, {
      values: { peerPort: given },
      ports: [{}, { name: 'peer', containerPort: given, hostPort: given }, {}],
    }),
  })) as unknown as Cases<DfDaemonOptions>['peerPort'],
  opsPort: [7003, 7103].map((given) => ({
    given,
    arrives: within(DAEMON, {
      values: { opsListen: { host: '::', port: given } },
      ports: [{}, {}, { name: 'ops', containerPort: given, hostPort: given }],
    }),
  })) as unknown as Cases<DfDaemonOptions>['opsPort'],
  zone: [
    { given: 'eu-1', arrives: values(DAEMON, { zone: 'eu-1' }) },
    { given: 'eu-2', arrives: values(DAEMON, { zone: 'eu-2' }) },
  ],
  blobAuthorization: [
    { given: BlobAuthorization.NONE, arrives: values(DAEMON, { blobAuthorization: 'none' }) },
    { given: BlobAuthorization.ORIGIN, arrives: values(DAEMON, { blobAuthorization: 'origin' }) },
  ],
  tagPolicy: [
    { given: TagPolicy.STRICT, arrives: values(DAEMON, { tagPolicy: 'strict' }) },
    { given: TagPolicy.REVALIDATE, arrives: values(DAEMON, { tagPolicy: 'revalidate' }) },
    { given: TagPolicy.ttl(Duration.minutes(5)), arrives: values(DAEMON, { tagPolicy: 'ttl=300s' }) },
  ],
  rateLimit: [
    { given: Bandwidth.mebibytesPerSecond(20), arrives: values(DAEMON, { ratelimit: 20 * 2 ** 20 }) },
    { given: Bandwidth.megabitsPerSecond(100), arrives: values(DAEMON, { ratelimit: 12_500_000 }) },
  ],
  uploadLimit: [
    { given: Bandwidth.bytesPerSecond(1), arrives: values(DAEMON, { uploadLimit: 1 }) },
    { given: Bandwidth.gibibytesPerSecond(1), arrives: values(DAEMON, { uploadLimit: 2 ** 30 }) },
  ],
  drainTimeout: [
    { given: Duration.seconds(20), arrives: values(DAEMON, { drainTimeout: 20_000 }) },
    { given: Duration.seconds(0), arrives: values(DAEMON, { drainTimeout: 0 }) },
  ],
  timeouts: [
    {
      given: { connect: Duration.millis(250) },
      arrives: values(DAEMON, { connectTimeout: 250, originStallTimeout: 10_000 }),
    },
    {
      given: { originStall: Duration.seconds(3) },
      arrives: values(DAEMON, { connectTimeout: 1000, originStallTimeout: 3000 }),
    },
  ],
  proxy: [
    { given: {}, arrives: values(DAEMON, { proxies: [{ regx: 'blobs/sha256.*', use_https: false, direct: false }] }) },
    { given: { rules: [{ match: 'a' }] }, arrives: values(DAEMON, { proxies: [{ regx: 'a' }] }) },
  ],
  maxUnavailable: [
    {
      given: '3',
      arrives: object('DaemonSet df-daemon', { spec: { updateStrategy: { rollingUpdate: { maxUnavailable: 3 } } } }),
    },
    {
      given: '25%',
      arrives: object('DaemonSet df-daemon', {
        spec: { updateStrategy: { rollingUpdate: { maxUnavailable: '25%' } } },
      }),
    },
  ],
  configureRuntime: [
    { given: { image: 'a' }, arrives: values(RUNTIMES, { argument: 'watch', runtime: ['auto'] }) },
    {
      given: { image: 'a', runtimes: [ContainerRuntime.CRIO] },
      arrives: { ...values(RUNTIMES, { runtime: ['crio'] }) },
    },
  ],
};

export const DF_DAEMON_PROPS: Cases<Own<DfDaemonProps, DfDaemonOptions>> = {
  image: [
    { given: 'a:1', arrives: within(DAEMON, { image: 'a:1' }) },
    { given: 'b:1', arrives: within(DAEMON, { image: 'b:1' }) },
  ],
  supernodes: [
    {
      given: ['a'],
      arrives: object('ConfigMap df-daemon-config', { data: { 'dragonfly.conf': '[node]\naddress=a\n' } }),
    },
    {
      given: ['a', 'b:9000'],
      arrives: object('ConfigMap df-daemon-config', { data: { 'dragonfly.conf': '[node]\naddress=a,b:9000\n' } }),
    },
  ],
  registries: [
    {
      given: [{ url: 'http://127.0.0.1:5000' }],
      arrives: values(DAEMON, { registry: ['127.0.0.1:5000=http://127.0.0.1:5000'] }),
    },
    {
      given: [{ url: 'https://docker.io' }, { url: 'https://ghcr.io' }],
      arrives: values(DAEMON, { registry: ['https://registry-1.docker.io', 'ghcr.io=https://ghcr.io'] }),
    },
  ],
  ca: [
    {
      given: CertificateAuthority.fromConfigMap('one'),
      arrives: files([authority('one', 'ca.crt')], { originCa: [`${FILES}/ca.crt`] }),
    },
    {
      given: CertificateAuthority.fromConfigMap('two'),
      arrives: files([authority('two', 'ca.crt')], { originCa: [`${FILES}/ca.crt`] }),
    },
  ],
  namespace: [
    { given: 'p2p', arrives: object('DaemonSet df-daemon', { metadata: { namespace: 'p2p' } }) },
    { given: 'other', arrives: object('ConfigMap df-daemon-config', { metadata: { namespace: 'other' } }) },
  ],
  classic: [
    { given: true, arrives: pod(DAEMON, { template: { labels: { 'k8s-app': 'df-daemon' } } }) },
    { given: false, arrives: pod(DAEMON, { template: { labels: { 'app.kubernetes.io/name': 'df-daemon' } } }) },
  ],
};

export const DF_DAEMON_TIMEOUTS: Cases<Own<DfDaemonTimeouts, OriginTimeouts>> = {
  connect: [
    { given: Duration.millis(50), arrives: values(DAEMON, { connectTimeout: 50 }) },
    { given: Duration.minutes(1), arrives: values(DAEMON, { connectTimeout: 60_000 }) },
  ],
  peerStall: [
    { given: Duration.millis(100), arrives: values(DAEMON, { peerStallTimeout: 100 }) },
    { given: Duration.seconds(3), arrives: values(DAEMON, { peerStallTimeout: 3000 }) },
  ],
  supernodeSilence: [
    { given: Duration.millis(1100), arrives: values(DAEMON, { supernodeSilence: 1100 }) },
    { given: Duration.seconds(2), arrives: values(DAEMON, { supernodeSilence: 2000 }) },
  ],
};

const { env, imagePullPolicy, resources, securityContext } = workloadCases(RUNTIMES);

export const RUNTIME_CONFIGURATION: Cases<RuntimeConfiguration> = {
  image: [
    { given: 'a:1', arrives: within(RUNTIMES, { image: 'a:1' }) },
    { given: 'b:1', arrives: within(RUNTIMES, { image: 'b:1' }) },
  ],
  runtimes: [
    {
      given: [ContainerRuntime.CRIO, ContainerRuntime.PODMAN],
      arrives: values(RUNTIMES, { runtime: ['crio', 'podman'] }),
    },
    { given: [ContainerRuntime.of('docker')], arrives: values(RUNTIMES, { runtime: ['docker'] }) },
  ],
  restart: [
    { given: true, arrives: values(RUNTIMES, { restart: true }) },
    { given: false, arrives: values(RUNTIMES, { restart: false }) },
  ],
  reloadTimeout: [
    { given: Duration.millis(100), arrives: values(RUNTIMES, { reloadTimeout: 100 }) },
    { given: Duration.minutes(1), arrives: values(RUNTIMES, { reloadTimeout: 60_000 }) },
  ],
  paths: [
    { given: { dockerConfig: '/a.json' }, arrives: values(RUNTIMES, { dockerConfig: '/a.json' }) },
    { given: { dockerConfig: '/b.json' }, arrives: values(RUNTIMES, { dockerConfig: '/b.json' }) },
  ],
  docker: [
    { given: { insecureRegistries: ['a'] }, arrives: values(RUNTIMES, { dockerInsecureRegistry: ['a'] }) },
    { given: { insecureRegistries: ['b'] }, arrives: values(RUNTIMES, { dockerInsecureRegistry: ['b'] }) },
  ],
  interval: [
    { given: Duration.seconds(1), arrives: values(RUNTIMES, { interval: 1000 }) },
    { given: Duration.hours(1), arrives: values(RUNTIMES, { interval: 3_600_000 }) },
  ],
  startupTaint: [
    { given: 'a.b/not-ready', arrives: values(RUNTIMES, { removeTaint: 'a.b/not-ready', nodeName: 'w1' }) },
    { given: 'not-ready', arrives: values(RUNTIMES, { removeTaint: 'not-ready' }) },
  ],
  env,
  imagePullPolicy,
  resources,
  securityContext,
};

export const RUNTIME_CONFIGURATION_DOCKER = dockerCases(RUNTIMES);
export const RUNTIME_CONFIGURATION_PATHS = runtimePathsCases(RUNTIMES);
