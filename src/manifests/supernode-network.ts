import { k8s } from 'cdk8s-plus-27';
import { PORTS } from '../contract/index';
import type { SupernodeSpec } from '../spec/supernode';
import { PREHEAT_PODS } from './preheat';
import { claimSpec } from './storage';
import { claimName, headlessName, supernodeMetadata, supernodeSelector } from './supernode';

const SERVICE_PORTS: k8s.ServicePort[] = [
  { name: 'api', port: PORTS.supernodeApi, targetPort: k8s.IntOrString.fromString('api'), protocol: 'TCP' },
  { name: 'pieces', port: PORTS.supernodePieces, targetPort: k8s.IntOrString.fromString('pieces'), protocol: 'TCP' },
  { name: 'pulse', port: PORTS.supernodePulse, targetPort: k8s.IntOrString.fromString('pulse'), protocol: 'UDP' },
];

/** The Service in front of all replicas: its API, its piece server and its pulse. */
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

/** Admits the nodes, preheats and the other replicas, to its ports; where the supernode may go to is said when it is asked for. */
export function supernodeNetworkPolicy(spec: SupernodeSpec): k8s.KubeNetworkPolicyProps {
  const replicas = { podSelector: { matchLabels: supernodeSelector(spec) } };
  const nodes = spec.nodeCidrs.map((cidr) => ({ ipBlock: { cidr } }));
  return {
    metadata: supernodeMetadata(spec),
    spec: {
      podSelector: { matchLabels: supernodeSelector(spec) },
      policyTypes: ['Ingress', ...(spec.egress === undefined ? [] : ['Egress'])],
      ingress: [
        {
          from: [...nodes, replicas, { podSelector: { matchLabels: PREHEAT_PODS } }],
          ports: SUPERNODE_PORTS,
        },
      ],
      ...(spec.egress === undefined
        ? {}
        : {
            egress: [
              // A supernode that starts anew, or takes over, fetches from df-daemons what they have; and it follows what they have for originals.
              { to: nodes, ports: tcp(spec.egress.peerPorts) },
              { to: [replicas], ports: SUPERNODE_PORTS },
              { ports: [...tcp([DNS]), udp(DNS)] },
              { ports: tcp(spec.egress.originPorts) },
            ],
          }),
    },
  };
}

const DNS = 53;

const SUPERNODE_PORTS = [...tcp([PORTS.supernodeApi, PORTS.supernodePieces]), udp(PORTS.supernodePulse)];

function udp(port: number): k8s.NetworkPolicyPort {
  return { port: k8s.IntOrString.fromNumber(port), protocol: 'UDP' };
}

function tcp(ports: number[]): k8s.NetworkPolicyPort[] {
  return ports.map((port) => ({ port: k8s.IntOrString.fromNumber(port), protocol: 'TCP' }));
}

/** The claim of a single supernode; absent where none has to be made. */
export function supernodeClaim(spec: SupernodeSpec): k8s.KubePersistentVolumeClaimProps | undefined {
  const claim = claimSpec(spec.store.storage);
  return claim === undefined || spec.replicas > 1
    ? undefined
    : { metadata: supernodeMetadata(spec, claimName(spec)), spec: claim };
}
