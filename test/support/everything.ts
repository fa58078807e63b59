import { Cron, Duration, Size } from 'cdk8s';
import type { Chart } from 'cdk8s';
import { Cpu, ImagePullPolicy } from 'cdk8s-plus-27';
import {
  Bandwidth,
  BlobAuthorization,
  CertificateAuthority,
  ContainerRuntime,
  DfDaemonConstruct,
  Dragonfly,
  DragonflyMonitoring,
  LogLevel,
  NodeMirrorJob,
  NodeMirrorMode,
  Placement,
  PreheatJob,
  Storage,
  SupernodeConstruct,
  TagPolicy,
} from '../../src';
import type {
  DfDaemonOptions,
  DfDaemonProps,
  DfDaemonTimeouts,
  DockerConfiguration,
  DragonflyMonitoringProps,
  DragonflyProps,
  EmptyDirStorageOptions,
  MonitoringOptions,
  NodeMirrorJobOptions,
  NodeMirrorJobProps,
  OriginTimeouts,
  PersistentVolumeClaimStorageOptions,
  PreheatJobProps,
  ProxyConfiguration,
  ProxyRule,
  ProxyTlsHost,
  Registry,
  RuntimeConfiguration,
  RuntimePaths,
  SupernodeOptions,
  SupernodeProps,
  WorkloadProps,
} from '../../src';
import { chart } from './synth';

const WORKLOAD: Required<WorkloadProps> = {
  labels: { team: 'storage' },
  annotations: { 'example.com/owner': 'storage' },
  env: { HTTPS_PROXY: 'http://proxy.example.com:3128' },
  resources: {
    cpu: { request: Cpu.millis(20), limit: Cpu.units(2) },
    memory: { request: Size.mebibytes(200), limit: Size.mebibytes(400) },
    ephemeralStorage: { request: Size.gibibytes(1), limit: Size.gibibytes(11) },
  },
  tolerations: [{ key: 'gpu', operator: 'Exists' }],
  nodeSelector: { pool: 'a' },
  priorityClassName: 'important',
  imagePullSecrets: ['registry-credentials'],
  imagePullPolicy: ImagePullPolicy.ALWAYS,
  securityContext: { runAsGroup: 3000 },
  podSecurityContext: { supplementalGroups: [4000] },
  terminationGracePeriod: Duration.minutes(2),
  logLevel: LogLevel.WARN,
};
const PATHS: Required<RuntimePaths> = {
  dockerConfig: '/srv/docker/daemon.json',
  dockerSocket: '/run/docker.sock',
  dockerPidFile: '/run/docker.pid',
  containerdConfig: '/var/lib/rancher/k3s/agent/etc/containerd/config.toml',
  containerdSocket: '/run/k3s/containerd/containerd.sock',
  containerdHosts: '/var/lib/rancher/k3s/agent/etc/containerd/certs.d',
  registriesConf: '/srv/containers/registries.conf',
};
const DOCKER: Required<DockerConfiguration> = {
  insecureRegistries: ['mirror.example.com:8443', '10.0.0.0/8'],
  proxy: 'http://proxy.example.com:3128',
};
const REGISTRY: Required<Registry> = {
  url: 'https://mirror.example.com:8443/',
  host: 'ghcr.io',
  ca: CertificateAuthority.fromConfigMap('corporate-ca'),
  clientCertificateSecret: 'mirror-client',
  credentialsSecret: 'mirror-credentials',
  tokenServers: ['auth.example.com', 'sso.example.com:8443'],
};
const ORIGIN_TIMEOUTS: Required<OriginTimeouts> = {
  originFirstByte: Duration.seconds(30),
  originStall: Duration.seconds(20),
};
const TIMEOUTS: Required<DfDaemonTimeouts> = {
  ...ORIGIN_TIMEOUTS,
  connect: Duration.millis(500),
  peerStall: Duration.seconds(4),
  supernodeSilence: Duration.seconds(3),
};
const EMPTY_DIR: Required<EmptyDirStorageOptions> = { sizeLimit: Size.gibibytes(10) };
const CLAIM: PersistentVolumeClaimStorageOptions = { size: Size.gibibytes(40), storageClassName: 'fast' };
const NAMED_CLAIM: PersistentVolumeClaimStorageOptions = { claimName: 'second-data', size: Size.gibibytes(10) };
const SUPERNODE: Required<SupernodeOptions> = {
  ...WORKLOAD,
  name: 'seed',
  replicas: 3,
  placement: Placement.ANY,
  storage: Storage.persistentVolumeClaim(CLAIM),
  diskQuota: Size.gibibytes(30),
  minFree: Size.gibibytes(2),
  maxBandwidth: Bandwidth.mebibytesPerSecond(100),
  systemBandwidth: Bandwidth.mebibytesPerSecond(10),
  signingKeySecret: 'dragonfly-signing-key',
  failAccessInterval: Duration.minutes(3),
  timeouts: ORIGIN_TIMEOUTS,
  nodeCidrs: ['10.0.0.0/16', 'fd00::/64'],
  egressPolicy: true,
};
const RUNTIME: Required<RuntimeConfiguration> = {
  image: 'example/node-mirror:1',
  runtimes: [ContainerRuntime.DOCKER, ContainerRuntime.CRIO, ContainerRuntime.PODMAN],
  restart: true,
  reloadTimeout: Duration.seconds(20),
  paths: PATHS,
  docker: DOCKER,
  interval: Duration.minutes(5),
  startupTaint: 'dragonfly.io/not-ready',
  resources: { memory: { limit: Size.mebibytes(128) } },
  env: { TZ: 'Europe/Berlin' },
  imagePullPolicy: ImagePullPolicy.IF_NOT_PRESENT,
  securityContext: { runAsGroup: 0 },
};
const RULE: Required<ProxyRule> = { match: 'blobs/sha256.*', useHttps: true, direct: false };
const TLS_HOST: Required<ProxyTlsHost> = {
  match: '^registry\\.example\\.com:443$',
  ca: CertificateAuthority.fromSecret('registry-ca', 'ca.pem'),
};
const PROXY: Required<ProxyConfiguration> = {
  rules: [RULE],
  tlsHosts: [TLS_HOST],
  certificateSecret: 'proxy-authority',
  allow: ['127.0.0.1:5000'],
};
const DAEMON: Required<DfDaemonOptions> = {
  ...WORKLOAD,
  name: 'mirror',
  storage: Storage.emptyDir(EMPTY_DIR),
  diskQuota: Size.gibibytes(8),
  minFree: Size.gibibytes(1),
  mirrorPort: 65101,
  peerPort: 15101,
  opsPort: 65103,
  zone: 'eu-1',
  blobAuthorization: BlobAuthorization.NONE,
  tagPolicy: TagPolicy.ttl(Duration.minutes(5)),
  rateLimit: Bandwidth.mebibytesPerSecond(200),
  uploadLimit: Bandwidth.megabitsPerSecond(400),
  drainTimeout: Duration.seconds(25),
  timeouts: TIMEOUTS,
  proxy: PROXY,
  maxUnavailable: '3',
  configureRuntime: RUNTIME,
};
const NODE_MIRROR: Required<NodeMirrorJobOptions> = {
  ...WORKLOAD,
  name: 'runtime',
  nodes: ['w1', 'ip-10-0-0-1.example.com'],
  mode: NodeMirrorMode.CHECK,
  runtimes: [ContainerRuntime.DOCKER, ContainerRuntime.CONTAINERD],
  restart: true,
  reloadTimeout: Duration.seconds(40),
  paths: PATHS,
  docker: DOCKER,
  readyz: 'none',
  wait: Duration.seconds(30),
  deadline: Duration.minutes(2),
  backoffLimit: 1,
  ttlAfterFinished: Duration.hours(1),
};
const MONITORING: Required<MonitoringOptions> = {
  name: 'p2p',
  labels: { release: 'kube-prometheus-stack' },
  annotations: { 'example.com/owner': 'storage' },
  interval: Duration.seconds(15),
  alerts: true,
  alertLabels: { team: 'storage' },
  runbookUrl: 'https://example.com/docs/alerts.md',
  dashboard: true,
  dashboardLabels: { grafana_dashboard: '1', folder: 'platform' },
  prometheusNamespace: 'observability',
};
const INSTALLATION: Required<Omit<DragonflyProps, 'namespace' | 'classic'>> = {
  supernodeImage: 'example/supernode:1',
  daemonImage: 'example/dfdaemon:1',
  nodeMirrorImage: `example/node-mirror@sha256:${'0'.repeat(64)}`,
  registries: [{ url: 'http://127.0.0.1:5000' }, { url: 'https://registry-1.docker.io' }, REGISTRY],
  ca: CertificateAuthority.fromConfigMap('corporate-ca', 'all.pem'),
  createNamespace: true,
  supernode: SUPERNODE,
  daemon: DAEMON,
  nodeMirror: NODE_MIRROR,
  monitoring: MONITORING,
};
const ELSEWHERE: NodeMirrorJobProps = {
  image: 'example/node-mirror:1',
  namespace: 'p2p',
  nodes: ['w3'],
  mirror: 'http://127.0.0.1:7001',
  readyz: 'http://127.0.0.1:7003/readyz',
  registries: [{ url: 'https://ghcr.io' }],
};
const SECOND: SupernodeProps = {
  image: 'example/supernode:1',
  name: 'second',
  namespace: 'p2p',
  registries: [{ url: 'https://ghcr.io' }],
  ca: CertificateAuthority.fromSecret('other-ca'),
  storage: Storage.persistentVolumeClaim(NAMED_CLAIM),
  nodeCidrs: ['10.0.0.0/16'],
  egressPolicy: true,
  peerPorts: [15201],
};
const SECOND_DAEMON: DfDaemonProps = {
  image: 'example/dfdaemon:1',
  name: 'second-mirror',
  namespace: 'p2p',
  supernodes: ['second'],
  registries: [{ url: 'https://ghcr.io' }],
  ca: CertificateAuthority.fromSecret('other-ca'),
  mirrorPort: 65201,
  peerPort: 15201,
  opsPort: 65203,
};
const PREHEAT: Omit<Required<PreheatJobProps>, 'schedule' | 'name' | 'namespace'> = {
  ...WORKLOAD,
  image: 'example/dfdaemon:1',
  images: ['docker.io/library/nginx:1.25', 'registry.example.com/app:2'],
  supernodes: ['seed'],
  platforms: ['linux/amd64', 'linux/arm/v7'],
  credentialsSecret: 'registry-user',
  timeout: Duration.minutes(20),
  backoffLimit: 2,
  ttlAfterFinished: Duration.days(1),
};
const NIGHTLY = { ...PREHEAT, schedule: Cron.daily(), name: 'nightly', namespace: 'p2p' };

/** By interface of the API: the props that stand in the snapshots `everything` and `classic`. */
export const SNAPSHOT_PROPS: Readonly<Record<string, readonly object[]>> = {
  DfDaemonOptions: [DAEMON],
  DfDaemonProps: [SECOND_DAEMON, { classic: true }],
  DfDaemonTimeouts: [TIMEOUTS],
  DockerConfiguration: [DOCKER],
  DragonflyMonitoringProps: [{ supernode: SECOND, daemons: [SECOND_DAEMON] }],
  DragonflyProps: [INSTALLATION, { classic: true, namespace: 'kube-system' }],
  EmptyDirStorageOptions: [EMPTY_DIR],
  MonitoringOptions: [MONITORING],
  NodeMirrorJobOptions: [NODE_MIRROR],
  NodeMirrorJobProps: [ELSEWHERE],
  OriginTimeouts: [ORIGIN_TIMEOUTS],
  PersistentVolumeClaimStorageOptions: [CLAIM, NAMED_CLAIM],
  PreheatJobProps: [NIGHTLY],
  ProxyConfiguration: [PROXY],
  ProxyRule: [RULE],
  ProxyTlsHost: [TLS_HOST],
  Registry: [REGISTRY],
  RuntimeConfiguration: [RUNTIME],
  RuntimePaths: [PATHS],
  SupernodeOptions: [SUPERNODE],
  SupernodeProps: [SECOND, { classic: true }],
  WorkloadProps: [WORKLOAD],
};

/** A chart in which every prop has a value that is not its default. */
export function everything(): Chart {
  const scope = chart({ namespace: 'p2p', labels: { team: 'platform' } });
  new Dragonfly(scope, 'dragonfly', INSTALLATION);
  new NodeMirrorJob(scope, 'elsewhere', ELSEWHERE);
  const monitored: DragonflyMonitoringProps = {
    name: 'second',
    supernode: new SupernodeConstruct(scope, 'second', SECOND),
    daemons: [new DfDaemonConstruct(scope, 'second-mirror', SECOND_DAEMON)],
  };
  new DragonflyMonitoring(scope, 'second-monitoring', monitored);
  new PreheatJob(scope, 'preheat', PREHEAT);
  new PreheatJob(scope, 'nightly', NIGHTLY);
  return scope;
}
