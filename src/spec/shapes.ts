import type { Cron, Duration, Size } from 'cdk8s';
import { ImagePullPolicy } from 'cdk8s-plus-27';
import type {
  ContainerResources,
  Cpu,
  CpuResources,
  EphemeralStorageResources,
  MemoryResources,
  k8s,
} from 'cdk8s-plus-27';
import type { Bandwidth } from '../bandwidth';
import { BlobAuthorization } from '../blob-authorization';
import type { ContainerRuntime } from '../container-runtime';
import type { DfDaemonConstruct } from '../df-daemon';
import type { DfDaemonOptions, DfDaemonProps } from '../df-daemon-props';
import type { DockerConfiguration } from '../docker-props';
import type { DragonflyProps } from '../dragonfly-props';
import { LogLevel } from '../log-level';
import type { DragonflyMonitoringProps, MonitoringOptions } from '../monitoring-props';
import type { NodeMirrorJobOptions, NodeMirrorJobProps } from '../node-mirror-job-props';
import { NodeMirrorMode } from '../node-mirror-mode';
import { Placement } from '../placement';
import type { PreheatJobProps } from '../preheat-job-props';
import type { ProxyConfiguration, ProxyRule, ProxyTlsHost } from '../proxy-props';
import type { CertificateAuthority, Registry } from '../registry';
import type { RuntimeConfiguration } from '../runtime-configuration-props';
import type { RuntimePaths } from '../runtime-paths';
import type { EmptyDirStorageOptions, PersistentVolumeClaimStorageOptions, Storage } from '../storage';
import type { SupernodeConstruct } from '../supernode';
import type { SupernodeOptions, SupernodeProps } from '../supernode-props';
import type { TagPolicy } from '../tag-policy';
import type { DfDaemonTimeouts, OriginTimeouts } from '../timeouts';
import type { WorkloadProps } from '../workload-props';
import { anObject, bool, id, listOf, number, oneOf, propsOf, text, texts, withMember } from './shape';
import type { Check, Checks } from './shape';

const size = withMember<Size>('toMebibytes', 'a Size of cdk8s, such as Size.gibibytes(20)');
const duration: Check<Duration> = (prop, value) => {
  withMember<Duration>('toMilliseconds', 'a Duration of cdk8s, such as Duration.seconds(30)')(prop, value);
  const milliseconds = (value as Duration).toMilliseconds({ integral: false });
  if (!Number.isInteger(milliseconds)) {
    throw new Error(`${prop} is ${milliseconds} ms: write whole milliseconds, such as Duration.millis(1500).`);
  }
};
const cron = withMember<Cron>('expressionString', 'a Cron of cdk8s, such as Cron.daily()');
const cpu = withMember<Cpu>('amount', 'a Cpu of cdk8s-plus-27, such as Cpu.millis(100)');
const bandwidth = withMember<Bandwidth>('toBytesPerSecond', 'a Bandwidth, such as Bandwidth.mebibytesPerSecond(100)');
const storage = withMember<Storage>('type', "a Storage, such as Storage.hostPath('/data/dragonfly')");
const authority = withMember<CertificateAuthority>(
  'kind',
  "a CertificateAuthority, such as CertificateAuthority.fromConfigMap('corporate-ca')",
);
const runtime = withMember<ContainerRuntime>('name', 'a ContainerRuntime, such as ContainerRuntime.CONTAINERD');
const tagPolicy = withMember<TagPolicy>('text', 'a TagPolicy, such as TagPolicy.REVALIDATE');
const imagePullPolicy = oneOf('ImagePullPolicy', ImagePullPolicy);

const resources = propsOf<ContainerResources>({
  cpu: propsOf<CpuResources>({ request: cpu, limit: cpu }),
  memory: propsOf<MemoryResources>({ request: size, limit: size }),
  ephemeralStorage: propsOf<EphemeralStorageResources>({ request: size, limit: size }),
});

const toleration = propsOf<k8s.Toleration>({
  key: text,
  operator: text,
  value: text,
  effect: text,
  tolerationSeconds: number,
});

const securityContext = propsOf<k8s.SecurityContext>({
  allowPrivilegeEscalation: bool,
  capabilities: anObject,
  privileged: bool,
  procMount: text,
  readOnlyRootFilesystem: bool,
  runAsGroup: id,
  runAsNonRoot: bool,
  runAsUser: id,
  seLinuxOptions: anObject,
  seccompProfile: anObject,
  windowsOptions: anObject,
});

const podSecurityContext = propsOf<k8s.PodSecurityContext>({
  fsGroup: id,
  fsGroupChangePolicy: text,
  runAsGroup: id,
  runAsNonRoot: bool,
  runAsUser: id,
  seLinuxOptions: anObject,
  seccompProfile: anObject,
  supplementalGroups: listOf(id),
  sysctls: listOf(anObject),
  windowsOptions: anObject,
});

const WORKLOAD: Checks<WorkloadProps> = {
  labels: texts,
  annotations: texts,
  env: texts,
  resources,
  tolerations: listOf(toleration),
  nodeSelector: texts,
  priorityClassName: text,
  imagePullSecrets: listOf(text),
  imagePullPolicy,
  securityContext,
  podSecurityContext,
  terminationGracePeriod: duration,
  logLevel: oneOf('LogLevel', LogLevel),
};

const registries = listOf(
  propsOf<Registry>(
    {
      url: text,
      host: text,
      ca: authority,
      clientCertificateSecret: text,
      credentialsSecret: text,
      tokenServers: listOf(text),
    },
    ['url'],
  ),
);

const ORIGIN_TIMEOUTS: Checks<OriginTimeouts> = { originFirstByte: duration, originStall: duration };

const SUPERNODE_OPTIONS: Checks<SupernodeOptions> = {
  ...WORKLOAD,
  name: text,
  replicas: number,
  placement: oneOf('Placement', Placement),
  storage,
  diskQuota: size,
  minFree: size,
  maxBandwidth: bandwidth,
  systemBandwidth: bandwidth,
  signingKeySecret: text,
  failAccessInterval: duration,
  timeouts: propsOf(ORIGIN_TIMEOUTS),
  nodeCidrs: listOf(text),
  egressPolicy: bool,
};

/** Of a supernode. */
export const SUPERNODE = propsOf<SupernodeProps>({
  ...SUPERNODE_OPTIONS,
  image: text,
  registries,
  ca: authority,
  peerPorts: listOf(number),
  namespace: text,
  classic: bool,
});

const runtimePaths = propsOf<RuntimePaths>({
  dockerConfig: text,
  dockerSocket: text,
  dockerPidFile: text,
  containerdConfig: text,
  containerdSocket: text,
  containerdHosts: text,
  registriesConf: text,
});

const docker = propsOf<DockerConfiguration>({ insecureRegistries: listOf(text), proxy: text });

const DF_DAEMON_OPTIONS: Checks<DfDaemonOptions> = {
  ...WORKLOAD,
  name: text,
  storage,
  diskQuota: size,
  minFree: size,
  mirrorPort: number,
  peerPort: number,
  opsPort: number,
  zone: text,
  blobAuthorization: oneOf('BlobAuthorization', BlobAuthorization),
  tagPolicy,
  rateLimit: bandwidth,
  uploadLimit: bandwidth,
  drainTimeout: duration,
  timeouts: propsOf<DfDaemonTimeouts>({
    ...ORIGIN_TIMEOUTS,
    connect: duration,
    peerStall: duration,
    supernodeSilence: duration,
  }),
  proxy: propsOf<ProxyConfiguration>({
    rules: listOf(propsOf<ProxyRule>({ match: text, useHttps: bool, direct: bool }, ['match'])),
    tlsHosts: listOf(propsOf<ProxyTlsHost>({ match: text, ca: authority }, ['match'])),
    certificateSecret: text,
    allow: listOf(text),
  }),
  maxUnavailable: text,
  configureRuntime: propsOf<RuntimeConfiguration>({
    image: text,
    runtimes: listOf(runtime),
    restart: bool,
    reloadTimeout: duration,
    paths: runtimePaths,
    docker,
    interval: duration,
    startupTaint: text,
    resources,
    env: texts,
    imagePullPolicy,
    securityContext,
  }),
};

const supernodes = listOf(
  text,
  "addressesFrom(namespace) of a SupernodeConstruct, or a list such as ['supernode.dragonfly-system']",
);

/** Of df-daemons. */
export const DF_DAEMON = propsOf<DfDaemonProps>(
  {
    ...DF_DAEMON_OPTIONS,
    image: text,
    supernodes,
    registries,
    ca: authority,
    namespace: text,
    classic: bool,
  },
  ['supernodes'],
);

const NODE_MIRROR_OPTIONS: Checks<NodeMirrorJobOptions> = {
  ...WORKLOAD,
  nodes: listOf(text),
  name: text,
  mode: oneOf('NodeMirrorMode', NodeMirrorMode),
  runtimes: listOf(runtime),
  restart: bool,
  reloadTimeout: duration,
  paths: runtimePaths,
  docker,
  readyz: text,
  wait: duration,
  deadline: duration,
  backoffLimit: number,
  ttlAfterFinished: duration,
};

/** Of node-mirror Jobs. */
export const NODE_MIRROR = propsOf<NodeMirrorJobProps>(
  { ...NODE_MIRROR_OPTIONS, image: text, namespace: text, mirror: text, registries },
  ['nodes'],
);

/** Of a preheat. */
export const PREHEAT = propsOf<PreheatJobProps>(
  {
    ...WORKLOAD,
    image: text,
    images: listOf(text),
    supernodes,
    platforms: listOf(text),
    credentialsSecret: text,
    schedule: cron,
    name: text,
    namespace: text,
    timeout: duration,
    backoffLimit: number,
    ttlAfterFinished: duration,
  },
  ['images', 'supernodes'],
);

const MONITORING_OPTIONS: Checks<MonitoringOptions> = {
  name: text,
  labels: texts,
  annotations: texts,
  interval: duration,
  alerts: bool,
  alertLabels: texts,
  runbookUrl: text,
  dashboard: bool,
  dashboardLabels: texts,
  prometheusNamespace: text,
};

/** Of the monitoring of parts. */
export const MONITORING = propsOf<DragonflyMonitoringProps>(
  {
    ...MONITORING_OPTIONS,
    supernode: withMember<SupernodeConstruct>('addressesFrom', 'a SupernodeConstruct'),
    daemons: listOf(withMember<DfDaemonConstruct>('daemonSet', 'a DfDaemonConstruct')),
  },
  ['supernode', 'daemons'],
);

/** Of an installation. */
export const DRAGONFLY = propsOf<DragonflyProps>({
  supernodeImage: text,
  daemonImage: text,
  nodeMirrorImage: text,
  registries,
  ca: authority,
  namespace: text,
  createNamespace: bool,
  supernode: propsOf(SUPERNODE_OPTIONS),
  daemon: propsOf(DF_DAEMON_OPTIONS),
  nodeMirror: propsOf(NODE_MIRROR_OPTIONS, ['nodes']),
  monitoring: propsOf(MONITORING_OPTIONS),
  classic: bool,
});

/** Of a folder that ends with the pod. */
export const EMPTY_DIR = propsOf<EmptyDirStorageOptions>({ sizeLimit: size });

/** Of a persistent volume. */
export const CLAIM = propsOf<PersistentVolumeClaimStorageOptions>({ claimName: text, size, storageClassName: text });

/** Of a length of time. */
export const DURATION = duration;
