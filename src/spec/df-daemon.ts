import { DFDAEMON, PATHS, PORTS } from '../contract/index';
import type { Bandwidth } from '../bandwidth';
import type { DfDaemonProps } from '../df-daemon-props';
import { StorageType } from '../storage';
import { accessSpec, ownAccessSpec } from './access';
import type { AccessSpec, OwnAccessSpec } from './access';
import { checkAddresses, checkName, checkNamespace, checkPort } from './checks';
import { checkClassic } from './classic';
import { checkOwnProxy } from './docker';
import { drainSpec } from './drain';
import type { DrainSpec } from './drain';
import { durationText } from './durations';
import { FileSet } from './files';
import type { FileSpec } from './files';
import { checkImage } from './image';
import { checkImageIsNotMirrored, checkNoLoop } from './mirror-loop';
import { proxySpec } from './proxy';
import type { ProxySpec } from './proxy';
import { DOCKER_HUB, checkClassicRegistries, parseRegistries, renderRegistries } from './registry';
import { checkReloadTimeout, offSeconds, runtimeConfigurationSpec } from './runtime-configuration';
import type { RuntimeConfigurationSpec } from './runtime-configuration';
import { DF_DAEMON } from './shapes';
import { storeDefaults, storeSpec } from './storage';
import type { StoreSpec } from './storage';
import { LINUX, workloadSpec } from './workload';
import type { WorkloadSpec } from './workload';

/** Everything that decides what the objects of the df-daemons look like. */
export interface DfDaemonSpec extends WorkloadSpec {
  readonly name: string;
  readonly namespace: string;
  readonly image: string;
  /** `HOST[:PORT]` of the supernodes. */
  readonly supernodes: string[];
  /** The registries as `[HOST=]URL`, separated by commas. */
  readonly registry: string;
  readonly access: AccessSpec & OwnAccessSpec;
  readonly files: readonly FileSpec[];
  readonly proxy: ProxySpec | undefined;
  readonly store: StoreSpec;
  readonly ports: DfDaemonPorts;
  readonly zone: string | undefined;
  readonly blobAuthorization: string | undefined;
  readonly tagPolicy: string | undefined;
  /** Bytes a second. */
  readonly ratelimit: string | undefined;
  readonly uploadLimit: string | undefined;
  readonly drain: DrainSpec;
  readonly timeouts: TimeoutsSpec;
  readonly maxUnavailable: string;
  readonly runtime: RuntimeConfigurationSpec | undefined;
  readonly classic: boolean;
}

/** By the names of the flags. */
export interface TimeoutsSpec {
  readonly connectTimeout: string | undefined;
  readonly peerStallTimeout: string | undefined;
  readonly supernodeSilence: string | undefined;
  readonly originFirstByteTimeout: string | undefined;
  readonly originStallTimeout: string | undefined;
}

/** The ports of a df-daemon on its node. */
export interface DfDaemonPorts {
  readonly mirror: number;
  readonly peer: number;
  readonly ops: number;
}

const CLASSIC = ['image', 'supernodes', 'registries', 'name', 'namespace', 'storage', 'tolerations', 'classic'];

/**
 * Props with their defaults, checked.
 *
 * @throws Error naming the prop, the value and the fix.
 */
export function dfDaemonSpec(props: DfDaemonProps, defaultNamespace: string): DfDaemonSpec {
  DF_DAEMON('', props);
  const classic = props.classic ?? false;
  if (classic) {
    checkClassic(props, CLASSIC);
    checkClassicRegistries('registries', props.registries ?? []);
  }
  const image = checkImage('image', props.image, DFDAEMON.name);
  const registries = parseRegistries('registries', props.registries ?? [DOCKER_HUB]);
  if (classic && registries.length > 1) {
    throw new Error(
      `registries has ${registries.length} entries, and the classic installation mirrors one: leave out the others, or classic.`,
    );
  }
  const ports = portsOf(props);
  checkNoLoop(image, registries, ports.mirror);
  checkImageIsNotMirrored('configureRuntime.image', props.configureRuntime?.image, ports.mirror);
  const files = new FileSet();
  const access = { ...accessSpec(registries, props.ca, files), ...ownAccessSpec(registries, files) };
  const proxy = props.proxy === undefined ? undefined : proxySpec(props.proxy, files);
  const store = storeSpec(props, storeDefaults(DFDAEMON.flags), PATHS.dfdaemonHostPath);
  if (store.storage.type === StorageType.PERSISTENT_VOLUME_CLAIM) {
    throw new Error('storage is a claim, which all nodes would share: use Storage.hostPath() or Storage.emptyDir().');
  }
  if (classic && store.storage.type !== StorageType.HOST_PATH) {
    throw new Error(
      'storage is no folder of the node, as in the classic installation: use Storage.hostPath() or leave out classic.',
    );
  }
  const workload = workloadSpec(props, {
    image,
    resources: { cpuRequest: '50m', memoryRequest: '128Mi', memoryLimit: 512 },
    priorityClassName: 'system-node-critical',
    gracePeriodSeconds: 300 + (props.configureRuntime === undefined ? 0 : offSeconds(props.configureRuntime)),
    nodeSelector: LINUX,
    takenEnv: { REGISTRY: 'registries', HOST_IP: 'WirePatch', ZONE: 'zone' },
  });
  const runtime =
    props.configureRuntime === undefined ? undefined : runtimeConfigurationSpec(props.configureRuntime, registries);
  if (props.configureRuntime !== undefined) {
    checkReloadTimeout(props.configureRuntime, workload.gracePeriodSeconds);
  }
  checkOwnProxy('configureRuntime.docker.proxy', runtime?.docker.dockerProxy, {
    mirrorPort: ports.mirror,
    isProxy: proxy !== undefined,
    images: { image: { ...workload, image }, ...(runtime && { 'configureRuntime.image': runtime.workload }) },
  });
  return {
    ...workload,
    name: checkName('name', props.name ?? 'df-daemon'),
    namespace: checkNamespace('namespace', props.namespace ?? defaultNamespace),
    image,
    supernodes: checkAddresses('supernodes', props.supernodes),
    registry: renderRegistries(registries, classic),
    access,
    files: files.files,
    proxy,
    store,
    ports,
    zone: props.zone === undefined ? undefined : checkZone(props.zone),
    blobAuthorization: props.blobAuthorization,
    tagPolicy: props.tagPolicy?.text,
    ratelimit: bytesText(props.rateLimit),
    uploadLimit: bytesText(props.uploadLimit),
    drain: drainSpec(props, workload.gracePeriodSeconds),
    timeouts: timeoutsOf(props),
    maxUnavailable: checkMaxUnavailable(props.maxUnavailable ?? '10%'),
    runtime,
    classic,
  };
}

function portsOf(props: DfDaemonProps): DfDaemonPorts {
  const ports = {
    mirror: checkPort('mirrorPort', props.mirrorPort ?? PORTS.mirror),
    peer: checkPort('peerPort', props.peerPort ?? PORTS.peer),
    ops: checkPort('opsPort', props.opsPort ?? PORTS.ops),
  };
  const [first, second] = Object.entries(ports).flatMap(([name, port], i, all) => {
    const twin = all.slice(i + 1).find(([, other]) => other === port);
    return twin === undefined ? [] : [name, twin[0]];
  });
  if (first !== undefined && second !== undefined) {
    throw new Error(`${first}Port and ${second}Port are the same, on one network: give each its own.`);
  }
  return ports;
}

function timeoutsOf({ timeouts = {} }: DfDaemonProps): TimeoutsSpec {
  const { flags } = DFDAEMON;
  const text = (name: keyof typeof timeouts, flag: { readonly min: number; readonly max: number }) =>
    durationText(`timeouts.${name}`, timeouts[name], flag);
  return {
    connectTimeout: text('connect', flags.connectTimeout),
    peerStallTimeout: text('peerStall', flags.peerStallTimeout),
    supernodeSilence: text('supernodeSilence', flags.supernodeSilence),
    originFirstByteTimeout: text('originFirstByte', flags.originFirstByteTimeout),
    originStallTimeout: text('originStall', flags.originStallTimeout),
  };
}

function bytesText(bandwidth: Bandwidth | undefined): string | undefined {
  return bandwidth === undefined ? undefined : `${bandwidth.toBytesPerSecond()}`;
}

function checkZone(zone: string): string {
  if (!/^[\x21-\x7e]{1,63}$/.test(zone)) {
    throw new Error(`zone "${zone}" is no zone: use 1 to 63 letters, digits and signs without blanks.`);
  }
  return zone;
}

function checkMaxUnavailable(value: string): string {
  const [, digits, percent] = /^([0-9]{1,9})(%?)$/.exec(value) ?? [];
  const amount = Number(digits);
  if (digits === undefined || amount === 0 || (percent === '%' && amount > 100)) {
    throw new Error(
      `maxUnavailable "${value}" lets no update happen or is no number: use a number of nodes such as "3", or 1% to 100%.`,
    );
  }
  return value;
}
