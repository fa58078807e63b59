import { k8s } from 'cdk8s-plus-27';
import { PATHS, PORTS, SUPERNODE } from '../contract/index';
import { Placement } from '../placement';
import type { SupernodeSpec } from '../spec/supernode';
import { renderArgs } from './args';
import {
  CONTROL_PLANE_KEY,
  MASTER_KEY,
  RESTRICTED,
  RUNTIME_DEFAULT,
  TOLERATE_CONTROL_PLANE,
  fieldEnv,
  objectLabels,
  onNodesWith,
  selectorLabels,
} from './common';

const COMPONENT = 'supernode';

/** The labels that select the supernode's pods. */
export function supernodeSelector(spec: SupernodeSpec): Record<string, string> {
  return selectorLabels(COMPONENT, spec.name);
}

/** The supernode's Deployment: one pod, its data in a folder of its node. */
export function supernodeDeployment(spec: SupernodeSpec): k8s.KubeDeploymentProps {
  const labels = objectLabels(COMPONENT, spec.name);
  return {
    metadata: { name: spec.name, namespace: spec.namespace, labels },
    spec: {
      replicas: 1,
      // Two pods must never write to one folder.
      strategy: { type: 'Recreate' },
      selector: { matchLabels: supernodeSelector(spec) },
      template: {
        metadata: { labels },
        spec: {
          ...placementOf(spec.placement),
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          priorityClassName: 'system-cluster-critical',
          terminationGracePeriodSeconds: 30,
          securityContext: RUNTIME_DEFAULT,
          containers: [supernodeContainer(spec)],
          volumes: [{ name: 'data', hostPath: { path: spec.dataPath, type: 'DirectoryOrCreate' } }],
        },
      },
    },
  };
}

/** The supernode's Service: its API and its piece server. */
export function supernodeService(spec: SupernodeSpec): k8s.KubeServiceProps {
  return {
    metadata: { name: spec.name, namespace: spec.namespace, labels: objectLabels(COMPONENT, spec.name) },
    spec: {
      selector: supernodeSelector(spec),
      ports: [
        { name: 'api', port: PORTS.supernodeApi, targetPort: k8s.IntOrString.fromString('api'), protocol: 'TCP' },
        {
          name: 'pieces',
          port: PORTS.supernodePieces,
          targetPort: k8s.IntOrString.fromString('pieces'),
          protocol: 'TCP',
        },
      ],
    },
  };
}

function supernodeContainer(spec: SupernodeSpec): k8s.Container {
  const port = k8s.IntOrString.fromString('api');
  return {
    name: 'supernode',
    image: spec.image,
    imagePullPolicy: 'IfNotPresent',
    command: [SUPERNODE.name],
    args: renderArgs(SUPERNODE, {
      homeDir: PATHS.supernodeHome,
      advertiseIp: '$(POD_IP)',
      allowOrigin: spec.origins,
    }),
    env: [fieldEnv('POD_IP', 'status.podIP')],
    ports: [
      { name: 'api', containerPort: PORTS.supernodeApi, protocol: 'TCP' },
      { name: 'pieces', containerPort: PORTS.supernodePieces, protocol: 'TCP' },
    ],
    readinessProbe: { httpGet: { path: '/readyz', port }, periodSeconds: 5, timeoutSeconds: 2 },
    livenessProbe: { httpGet: { path: '/livez', port }, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
    resources: {
      requests: { cpu: k8s.Quantity.fromString('100m'), memory: k8s.Quantity.fromString('256Mi') },
      limits: { memory: k8s.Quantity.fromString('1Gi') },
    },
    securityContext: RESTRICTED,
    volumeMounts: [{ name: 'data', mountPath: PATHS.supernodeHome }],
  };
}

function placementOf(placement: Placement): Pick<k8s.PodSpec, 'affinity' | 'tolerations'> {
  switch (placement) {
    case Placement.ANY:
      return {};
    case Placement.CONTROL_PLANE:
      return { affinity: onNodesWith([CONTROL_PLANE_KEY, MASTER_KEY]), tolerations: TOLERATE_CONTROL_PLANE };
  }
}
