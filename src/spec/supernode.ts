import { PATHS } from '../contract/index';
import { Placement } from '../placement';
import type { CertificateAuthority } from '../registry';
import { StorageType } from '../storage';
import type { SupernodeProps } from '../supernode-props';
import { checkCidr, checkImage, checkName, checkNamespace } from './checks';
import { checkClassic } from './classic';
import { DOCKER_HUB, bundleOf, originsOf, parseRegistries } from './registry';
import { storeSpec } from './storage';
import type { StoreSpec } from './storage';
import { workloadSpec } from './workload';
import type { WorkloadSpec } from './workload';

/** Everything that decides what the objects of a supernode look like. */
export interface SupernodeSpec extends WorkloadSpec {
  readonly name: string;
  readonly namespace: string;
  readonly image: string;
  /** `HOST[:PORT]` of the registries that may be fetched from. */
  readonly origins: string[];
  readonly ca: CertificateAuthority | undefined;
  readonly replicas: number;
  readonly placement: Placement;
  readonly store: StoreSpec;
  /** MiB a second. */
  readonly maxBandwidth: number | undefined;
  readonly systemBandwidth: number | undefined;
  readonly signingKeySecret: string | undefined;
  readonly nodeCidrs: string[];
  readonly classic: boolean;
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
  const classic = props.classic ?? false;
  if (classic) {
    checkClassic(props, CLASSIC);
  }
  const replicas = checkReplicas(props);
  const image = checkImage('image', props.image);
  const registries = parseRegistries('registries', props.registries ?? [DOCKER_HUB]);
  const store = storeSpec(props, { diskQuota: 50 * 1024, minFree: 5 * 1024 }, PATHS.supernodeHostPath);
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
      takenEnv: { POD_IP: 'WirePatch', NODE_EXTRA_CA_CERTS: 'ca of a registry' },
    }),
    name: checkName('name', props.name ?? 'supernode', replicas > 1 ? MAX_STATEFUL_SET_NAME : 63),
    namespace: checkNamespace('namespace', props.namespace ?? defaultNamespace),
    image,
    origins: originsOf(registries),
    ca: bundleOf('registries', registries),
    replicas,
    placement: props.placement ?? Placement.CONTROL_PLANE,
    store,
    ...bandwidths(props),
    signingKeySecret:
      props.signingKeySecret === undefined ? undefined : checkName('signingKeySecret', props.signingKeySecret, 253),
    nodeCidrs: (props.nodeCidrs ?? []).map((cidr, i) => checkCidr(`nodeCidrs[${i}]`, cidr)),
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

function bandwidths(props: SupernodeProps): Pick<SupernodeSpec, 'maxBandwidth' | 'systemBandwidth'> {
  const maxBandwidth = props.maxBandwidth?.toMebibytesPerSecond();
  const systemBandwidth = props.systemBandwidth?.toMebibytesPerSecond();
  if (systemBandwidth !== undefined && maxBandwidth === undefined) {
    throw new Error('systemBandwidth says nothing without maxBandwidth, of which it is a part: give both, or neither.');
  }
  const kept = systemBandwidth ?? DEFAULT_SYSTEM_BANDWIDTH;
  if (maxBandwidth !== undefined && maxBandwidth <= kept) {
    throw new Error(
      `maxBandwidth is ${maxBandwidth} MiB/s, of which systemBandwidth keeps ${kept}: nothing is left for downloads; ` +
        'raise the first, or lower the second.',
    );
  }
  return { maxBandwidth, systemBandwidth };
}

/** MiB a second, as the flag's own default. */
const DEFAULT_SYSTEM_BANDWIDTH = 20;
