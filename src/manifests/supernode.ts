import { k8s } from 'cdk8s-plus-27';
import { PATHS, PORTS, SUPERNODE } from '../contract/index';
import { Placement } from '../placement';
import { sizeText } from '../spec/storage';
import type { SupernodeSpec } from '../spec/supernode';
import { StorageType } from '../storage';
import { renderArgs } from './args';
import {
  CONTROL_PLANE_KEY,
  MASTER_KEY,
  TOLERATE_CONTROL_PLANE,
  fieldEnv,
  objectLabels,
  onNodesWith,
  selectorLabels,
} from './common';
import { DATA, claimSpec, dataVolume, needsRoot } from './storage';
import { containerOf, envOf, filesVolume, metadataOf, podMetadataOf, podOf } from './workload';

const COMPONENT = 'supernode';
const SIGNING_KEY_FOLDER = '/etc/dragonfly/signing';

/** The key of the Secret that holds the signing key. */
const SIGNING_KEY = 'signing-key.pem';

/** The labels that select the supernode's pods. */
export function supernodeSelector(spec: SupernodeSpec): Record<string, string> {
  return selectorLabels(COMPONENT, spec.name);
}

/** The name of the Service that gives each replica a name of its own. */
export function headlessName(spec: SupernodeSpec): string {
  return `${spec.name}-replicas`;
}

/** The host names of the replicas in their own namespace. */
export function replicaNames(spec: SupernodeSpec): string[] {
  return Array.from({ length: spec.replicas }, (_, i) => `${spec.name}-${i}.${headlessName(spec)}`);
}

/** One supernode: a Deployment. */
export function supernodeDeployment(spec: SupernodeSpec): k8s.KubeDeploymentProps {
  return {
    metadata: supernodeMetadata(spec),
    spec: {
      replicas: 1,
      // Two pods must never write to one folder.
      strategy: { type: 'Recreate' },
      selector: { matchLabels: supernodeSelector(spec) },
      template: template(spec),
    },
  };
}

/** Several supernodes: a StatefulSet, since each has a name that the others know, and a store of its own. */
export function supernodeStatefulSet(spec: SupernodeSpec): k8s.KubeStatefulSetProps {
  const claim = claimSpec(spec.store.storage);
  return {
    metadata: supernodeMetadata(spec),
    spec: {
      replicas: spec.replicas,
      serviceName: headlessName(spec),
      // They look for each other: none waits for the one before it.
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'RollingUpdate' },
      selector: { matchLabels: supernodeSelector(spec) },
      template: template(spec),
      ...(claim === undefined ? {} : { volumeClaimTemplates: [{ metadata: { name: DATA }, spec: claim }] }),
    },
  };
}

/** The metadata of the supernode's objects. */
export function supernodeMetadata(spec: SupernodeSpec, name?: string): k8s.ObjectMeta {
  return metadataOf(spec, objectLabels(COMPONENT, spec.name), name);
}

function template(spec: SupernodeSpec): k8s.PodTemplateSpec {
  const { storage } = spec.store;
  const perReplica = spec.replicas > 1 && claimSpec(storage) !== undefined;
  return {
    metadata: podMetadataOf(spec, objectLabels(COMPONENT, spec.name)),
    spec: {
      ...placementOf(spec),
      ...podOf(spec, needsRoot(storage)),
      ...spreadOf(spec),
      containers: [supernodeContainer(spec)],
      volumes: [
        ...(perReplica ? [] : [dataVolume(storage, claimName(spec))]),
        ...(spec.signingKeySecret === undefined
          ? []
          : [{ name: 'signing-key', secret: { secretName: spec.signingKeySecret, defaultMode: 0o440 } }]),
        ...filesVolume(spec.files).volumes,
      ],
    },
  };
}

/** The name of the claim that is made for a single supernode. */
export function claimName(spec: SupernodeSpec): string {
  return `${spec.name}-data`;
}

function supernodeContainer(spec: SupernodeSpec): k8s.Container {
  const port = k8s.IntOrString.fromString('api');
  return {
    name: 'supernode',
    ...containerOf(spec, needsRoot(spec.store.storage)),
    command: [SUPERNODE.name],
    args: renderArgs(SUPERNODE, {
      homeDir: PATHS.supernodeHome,
      advertiseIp: '$(POD_IP)',
      allowOrigin: spec.origins,
      tokenServer: spec.tokenServer,
      diskQuota: sizeText(spec.store.diskQuota),
      minFree: sizeText(spec.store.minFree),
      maxBandwidth: spec.maxBandwidth,
      systemBandwidth: spec.systemBandwidth,
      ...(spec.replicas > 1 ? { peers: replicaNames(spec) } : {}),
      ...(spec.signingKeySecret === undefined ? {} : { signingKey: `${SIGNING_KEY_FOLDER}/${SIGNING_KEY}` }),
      failAccessInterval: spec.failAccessInterval,
      originFirstByteTimeout: spec.originFirstByteTimeout,
      originStallTimeout: spec.originStallTimeout,
      ...spec.access,
      logLevel: spec.logLevel,
    }),
    env: [fieldEnv('POD_IP', 'status.podIP'), ...envOf(spec)],
    ports: [
      { name: 'api', containerPort: PORTS.supernodeApi, protocol: 'TCP' },
      { name: 'pieces', containerPort: PORTS.supernodePieces, protocol: 'TCP' },
      { name: 'pulse', containerPort: PORTS.supernodePulse, protocol: 'UDP' },
    ],
    // The first start after a crash may read a large store; the other probes wait for it.
    startupProbe: { httpGet: { path: '/livez', port }, periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 60 },
    readinessProbe: { httpGet: { path: '/readyz', port }, periodSeconds: 5, timeoutSeconds: 2 },
    livenessProbe: { httpGet: { path: '/livez', port }, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
    volumeMounts: [
      { name: DATA, mountPath: PATHS.supernodeHome },
      ...(spec.signingKeySecret === undefined
        ? []
        : [{ name: 'signing-key', mountPath: SIGNING_KEY_FOLDER, readOnly: true }]),
      ...filesVolume(spec.files).mounts,
    ],
  };
}

function placementOf(spec: SupernodeSpec): Pick<k8s.PodSpec, 'affinity' | 'tolerations'> {
  const onControlPlane = spec.placement === Placement.CONTROL_PLANE;
  const tolerations = [...(onControlPlane ? TOLERATE_CONTROL_PLANE : []), ...spec.tolerations];
  const affinity: k8s.Affinity = {
    ...(onControlPlane ? onNodesWith([CONTROL_PLANE_KEY, MASTER_KEY]) : {}),
    ...(spec.replicas > 1 && spec.store.storage.type === StorageType.HOST_PATH ? apart(spec) : {}),
  };
  return {
    ...(Object.keys(affinity).length === 0 ? {} : { affinity }),
    ...(tolerations.length === 0 ? {} : { tolerations }),
  };
}

/** Replicas whose data is in the same folder of their nodes must never meet. */
function apart(spec: SupernodeSpec): k8s.Affinity {
  return {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: supernodeSelector(spec) } },
      ],
    },
  };
}

function spreadOf(spec: SupernodeSpec): Pick<k8s.PodSpec, 'topologySpreadConstraints'> {
  return spec.replicas === 1
    ? {}
    : {
        topologySpreadConstraints: ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].map((topologyKey) => ({
          topologyKey,
          maxSkew: 1,
          whenUnsatisfiable: 'ScheduleAnyway',
          labelSelector: { matchLabels: supernodeSelector(spec) },
        })),
      };
}
