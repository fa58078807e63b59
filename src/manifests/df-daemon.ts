import { k8s } from 'cdk8s-plus-27';
import { DFDAEMON, PATHS, PORTS } from '../contract/index';
import type { DfDaemonSpec } from '../spec/df-daemon';
import { renderArgs } from './args';
import {
  RESTRICTED,
  RUNTIME_DEFAULT,
  TOLERATE_CONTROL_PLANE,
  fieldEnv,
  objectLabels,
  selectorLabels,
  sha256,
} from './common';

const COMPONENT = 'df-daemon';

/** The key of the ConfigMap that holds the node file. */
export const NODE_CONFIG_KEY = 'dragonfly.conf';

/** The name of the df-daemons' ConfigMap. */
export function configMapName(spec: DfDaemonSpec): string {
  return `${spec.name}-config`;
}

/** The INI file that tells a df-daemon, and the original clients, where the supernodes are. */
export function nodeConfig(supernodes: string[]): string {
  return `[node]\naddress=${supernodes.join(',')}\n`;
}

/** The labels that select the df-daemons' pods. */
export function dfDaemonSelector(spec: DfDaemonSpec): Record<string, string> {
  return selectorLabels(COMPONENT, spec.name);
}

/** The df-daemons' ConfigMap. */
export function dfDaemonConfigMap(spec: DfDaemonSpec): k8s.KubeConfigMapProps {
  return {
    metadata: { name: configMapName(spec), namespace: spec.namespace, labels: objectLabels(COMPONENT, spec.name) },
    data: { [NODE_CONFIG_KEY]: nodeConfig(spec.supernodes) },
  };
}

/** The DaemonSet: one df-daemon a node, on the node's own network. */
export function dfDaemonSet(spec: DfDaemonSpec): k8s.KubeDaemonSetProps {
  const labels = objectLabels(COMPONENT, spec.name);
  return {
    metadata: { name: spec.name, namespace: spec.namespace, labels },
    spec: {
      selector: { matchLabels: dfDaemonSelector(spec) },
      updateStrategy: {
        type: 'RollingUpdate',
        rollingUpdate: { maxUnavailable: k8s.IntOrString.fromString('10%') },
      },
      template: {
        metadata: {
          labels,
          // A file mounted by subPath is never updated: a changed ConfigMap has to make new pods.
          annotations: { 'checksum/config': sha256(nodeConfig(spec.supernodes)) },
        },
        spec: {
          tolerations: [...TOLERATE_CONTROL_PLANE, ...spec.tolerations],
          hostNetwork: true,
          // With the host's network, only this policy still asks the cluster's DNS, which knows the supernode.
          dnsPolicy: 'ClusterFirstWithHostNet',
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          priorityClassName: 'system-node-critical',
          terminationGracePeriodSeconds: 30,
          securityContext: RUNTIME_DEFAULT,
          containers: [dfDaemonContainer(spec)],
          volumes: [
            { name: 'config', configMap: { name: configMapName(spec), defaultMode: 0o600 } },
            { name: 'data', hostPath: { path: spec.dataPath, type: 'DirectoryOrCreate' } },
          ],
        },
      },
    },
  };
}

function dfDaemonContainer(spec: DfDaemonSpec): k8s.Container {
  return {
    name: 'df-daemon',
    image: spec.image,
    imagePullPolicy: 'IfNotPresent',
    command: [DFDAEMON.name],
    args: renderArgs(DFDAEMON, {
      nodeConfig: PATHS.nodeConfig,
      advertiseIp: `$(${DFDAEMON.flags.advertiseIp.env})`,
      dataDir: PATHS.dfdaemonHome,
    }),
    env: [
      { name: DFDAEMON.flags.registry.env, value: spec.registry },
      fieldEnv(DFDAEMON.flags.advertiseIp.env, 'status.hostIP'),
    ],
    ports: [
      { name: 'mirror', containerPort: PORTS.mirror, hostPort: PORTS.mirror, hostIp: '127.0.0.1', protocol: 'TCP' },
      { name: 'peer', containerPort: PORTS.peer, hostPort: PORTS.peer, protocol: 'TCP' },
      { name: 'ops', containerPort: PORTS.ops, hostPort: PORTS.ops, protocol: 'TCP' },
    ],
    readinessProbe: {
      httpGet: { path: '/readyz', port: k8s.IntOrString.fromString('ops') },
      periodSeconds: 5,
      timeoutSeconds: 2,
    },
    livenessProbe: {
      httpGet: { path: '/livez', port: k8s.IntOrString.fromString('ops') },
      periodSeconds: 10,
      timeoutSeconds: 5,
      failureThreshold: 6,
    },
    resources: {
      requests: { cpu: k8s.Quantity.fromString('50m'), memory: k8s.Quantity.fromString('128Mi') },
      limits: { memory: k8s.Quantity.fromString('512Mi') },
    },
    securityContext: RESTRICTED,
    volumeMounts: [
      { name: 'config', mountPath: PATHS.nodeConfig, subPath: NODE_CONFIG_KEY, readOnly: true },
      { name: 'data', mountPath: PATHS.dfdaemonHome },
    ],
  };
}
