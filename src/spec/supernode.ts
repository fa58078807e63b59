import { Size } from 'cdk8s';
import { PATHS, PORTS, SUPERNODE } from '../contract/index';
import { Placement } from '../placement';
import { StorageType } from '../storage';
import type { SupernodeProps } from '../supernode-props';
import { accessSpec, tokenServersOf } from './access';
import type { AccessSpec } from './access';
import { bandwidths } from './bandwidths';
import { checkCidr, checkName, checkNamespace, checkPort, checkReference } from './checks';
import { checkClassic } from './classic';
import { durationText } from './durations';
import { egressPorts } from './egress';
import { FileSet } from './files';
import type { FileSpec } from './files';
import { checkImage } from './image';
import { DOCKER_HUB, checkClassicRegistries, originsOf, parseRegistries } from './registry';
import { SUPERNODE as SHAPE } from './shapes';
import { storeDefaults, storeSpec } from './storage';
import type { StoreSpec } from './storage';
import { LINUX, workloadSpec } from './workload';
import type { WorkloadSpec } from './workload';

/** Everything that decides what the objects of a supernode look like. */
export interface SupernodeSpec extends WorkloadSpec {
  readonly name: string;
  readonly namespace: string;
  readonly image: string;
  /** `HOST[:PORT]` of the registries that may be fetched from. */
  readonly origins: string[];
  /** As {@link tokenServersOf}. */
  readonly tokenServer: string[];
  readonly access: AccessSpec;
  readonly files: readonly FileSpec[];
  readonly replicas: number;
  readonly placement: Placement;
  readonly store: StoreSpec;
  /** What the daemon leaves free, its own default included. */
  readonly minFree: Size;
  /** MiB a second. */
  readonly maxBandwidth: number | undefined;
  readonly systemBandwidth: number | undefined;
  readonly signingKeySecret: string | undefined;
  /** Minutes. */
  readonly failAccessInterval: number | undefined;
  readonly originFirstByteTimeout: string | undefined;
  readonly originStallTimeout: string | undefined;
  readonly nodeCidrs: string[];
  /** Where it may go to; absent: anywhere. */
  readonly egress: EgressSpec | undefined;
  readonly classic: boolean;
}

/** What a supernode may reach. */
export interface EgressSpec {
  /** Of df-daemons, on the nodes. */
  readonly peerPorts: number[];
  /** Of registries, token servers and proxies, anywhere. */
  readonly originPorts: number[];
}

/** The label `controller-revision-hash` of a StatefulSet's pods holds its name, a dash and ten digits. */
const MAX_STATEFUL_SET_NAME = 52;
const MAX_REPLICAS = 9;
const CLASSIC = ['image', 'registries', 'name', 'namespace', 'storage', 'classic'];

/**
 * Props with their defaults, checked.
 *
 * @throws Error naming the prop, the value and the fix.
 */
export function supernodeSpec(props: SupernodeProps, defaultNamespace: string): SupernodeSpec {
  SHAPE('', props);
  const classic = props.classic ?? false;
  if (classic) {
    checkClassic(props, CLASSIC);
    checkClassicRegistries('registries', props.registries ?? []);
  }
  const replicas = checkReplicas(props);
  const image = checkImage('image', props.image, SUPERNODE.name);
  const registries = parseRegistries('registries', props.registries ?? [DOCKER_HUB]);
  const files = new FileSet();
  const access = accessSpec(registries, props.ca, files);
  const origins = originsOf(registries);
  const tokenServer = tokenServersOf(registries);
  const defaults = storeDefaults(SUPERNODE.flags);
  const store = storeSpec(props, defaults, PATHS.supernodeHostPath);
  if (classic && store.storage.type !== StorageType.HOST_PATH) {
    throw new Error(
      'storage is no folder of the node, as in the classic installation: use Storage.hostPath() or leave out classic.',
    );
  }
  return {
    ...workloadSpec(props, {
      image,
      resources: { cpuRequest: '100m', memoryRequest: '256Mi', memoryLimit: 1024 },
      priorityClassName: 'system-cluster-critical',
      gracePeriodSeconds: 300,
      nodeSelector: LINUX,
      takenEnv: { POD_IP: 'WirePatch' },
    }),
    name: checkName('name', props.name ?? 'supernode', replicas > 1 ? MAX_STATEFUL_SET_NAME : 63),
    namespace: checkNamespace('namespace', props.namespace ?? defaultNamespace),
    image,
    origins,
    tokenServer,
    access,
    files: files.files,
    replicas,
    placement: props.placement ?? Placement.CONTROL_PLANE,
    store,
    minFree: Size.mebibytes(store.minFree ?? defaults.minFree),
    ...bandwidths(props),
    signingKeySecret:
      props.signingKeySecret === undefined ? undefined : checkReference('signingKeySecret', props.signingKeySecret),
    failAccessInterval: failAccessMinutes(props),
    originFirstByteTimeout: durationText(
      'timeouts.originFirstByte',
      props.timeouts?.originFirstByte,
      SUPERNODE.flags.originFirstByteTimeout,
    ),
    originStallTimeout: durationText(
      'timeouts.originStall',
      props.timeouts?.originStall,
      SUPERNODE.flags.originStallTimeout,
    ),
    nodeCidrs: nodeCidrsOf(props),
    egress: egressOf(props, origins, tokenServer),
    classic,
  };
}

function checkReplicas({ replicas = 1, signingKeySecret, storage }: SupernodeProps): number {
  if (!Number.isInteger(replicas) || replicas < 1 || replicas > MAX_REPLICAS) {
    throw new Error(`replicas is ${replicas}: use 1 to ${MAX_REPLICAS}.`);
  }
  if (replicas > 1 && signingKeySecret === undefined) {
    throw new Error(
      `replicas is ${replicas} and signingKeySecret is missing, without which each replica would sign with a key of its own: ` +
        'openssl genpkey -algorithm ed25519 -out signing-key.pem, put it into a Secret under that name, and name the Secret.',
    );
  }
  if (replicas > 1 && storage?.claimName !== undefined) {
    throw new Error(
      `replicas is ${replicas} and storage the one claim "${storage.claimName}": ` +
        'give Storage.persistentVolumeClaim() a size instead, so that each replica gets a claim of its own.',
    );
  }
  return replicas;
}

function failAccessMinutes({ failAccessInterval }: SupernodeProps): number | undefined {
  if (failAccessInterval === undefined) {
    return undefined;
  }
  const minutes = failAccessInterval.toMilliseconds() / 60_000;
  const max = SUPERNODE.flags.failAccessInterval.max / 60_000;
  if (!Number.isInteger(minutes) || minutes > max) {
    throw new Error(`failAccessInterval is ${minutes} minutes: use a whole number of minutes, at most ${max}.`);
  }
  return minutes;
}

/** An empty list, as of a filter that found nothing, would leave the supernode open to all, silently. */
function nodeCidrsOf({ nodeCidrs }: SupernodeProps): string[] {
  if (nodeCidrs?.length === 0) {
    throw new Error('nodeCidrs is empty, which would admit no node: name the networks of the nodes, or leave it out.');
  }
  return (nodeCidrs ?? []).map((cidr, i) => checkCidr(`nodeCidrs[${i}]`, cidr));
}

function egressOf(props: SupernodeProps, origins: string[], tokenServers: string[]): EgressSpec | undefined {
  const { egressPolicy = false, nodeCidrs = [], peerPorts, env = {} } = props;
  if (!egressPolicy) {
    if (peerPorts !== undefined) {
      throw new Error('peerPorts says nothing without egressPolicy, which is to admit them: give both, or neither.');
    }
    return undefined;
  }
  if (nodeCidrs.length === 0) {
    throw new Error(
      'egressPolicy is true and nodeCidrs is missing, where the df-daemons are: name the networks of the nodes.',
    );
  }
  return {
    peerPorts: (peerPorts ?? [PORTS.peer]).map((port, i) => checkPort(`peerPorts[${i}]`, port)),
    originPorts: egressPorts(origins, tokenServers, env),
  };
}
