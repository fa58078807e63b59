import { k8s } from 'cdk8s-plus-27';
import { PORTS } from '../contract/index';
import type { SupernodeSpec } from '../spec/supernode';
import { claimSpec } from './storage';
import { claimName, headlessName, supernodeMetadata, supernodeSelector } from './supernode';

const SERVICE_PORTS: k8s.ServicePort[] = [
  { name: 'api', port: PORTS.supernodeApi, targetPort: k8s.IntOrString.fromString('api'), protocol: 'TCP' },
  { name: 'pieces', port: PORTS.supernodePieces, targetPort: k8s.IntOrString.fromString('pieces'), protocol: 'TCP' },
];

/** The Service in front of all replicas: its API and its piece server. */
export function supernodeService(spec: SupernodeSpec): k8s.KubeServiceProps {
  return { metadata: supernodeMetadata(spec), spec: { selector: supernodeSelector(spec), ports: SERVICE_PORTS } };
}

/** The headless Service, by which each replica has a name, before it is ready too: the others look for it. */
export function supernodeHeadlessService(spec: SupernodeSpec): k8s.KubeServiceProps {
  return {
    metadata: supernodeMetadata(spec, headlessName(spec)),
    spec: {
      clusterIp: 'None',
      publishNotReadyAddresses: true,
      selector: supernodeSelector(spec),
      ports: SERVICE_PORTS,
    },
  };
}

/** Lets at most one replica be evicted at a time. */
export function supernodeDisruptionBudget(spec: SupernodeSpec): k8s.KubePodDisruptionBudgetProps {
  return {
    metadata: supernodeMetadata(spec),
    spec: { maxUnavailable: k8s.IntOrString.fromNumber(1), selector: { matchLabels: supernodeSelector(spec) } },
  };
}

/** Admits the nodes and the other replicas, to both ports. */
export function supernodeNetworkPolicy(spec: SupernodeSpec): k8s.KubeNetworkPolicyProps {
  return {
    metadata: supernodeMetadata(spec),
    spec: {
      podSelector: { matchLabels: supernodeSelector(spec) },
      policyTypes: ['Ingress'],
      ingress: [
        {
          from: [
            ...spec.nodeCidrs.map((cidr) => ({ ipBlock: { cidr } })),
            { podSelector: { matchLabels: supernodeSelector(spec) } },
          ],
          ports: [PORTS.supernodeApi, PORTS.supernodePieces].map((port) => ({
            port: k8s.IntOrString.fromNumber(port),
            protocol: 'TCP',
          })),
        },
      ],
    },
  };
}

/** The claim of a single supernode; absent where none has to be made. */
export function supernodeClaim(spec: SupernodeSpec): k8s.KubePersistentVolumeClaimProps | undefined {
  const claim = claimSpec(spec.store.storage);
  return claim === undefined || spec.replicas > 1
    ? undefined
    : { metadata: supernodeMetadata(spec, claimName(spec)), spec: claim };
}
