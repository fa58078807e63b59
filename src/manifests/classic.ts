import type { k8s } from 'cdk8s-plus-27';
import { DFDAEMON, PATHS, PORTS } from '../contract/index';
import type { DfDaemonSpec } from '../spec/df-daemon';
import type { SupernodeSpec } from '../spec/supernode';
import { MASTER_KEY, TOLERATE_MASTER, onNodesWith } from './common';
import { NODE_CONFIG_KEY, configMapName, nodeConfig } from './df-daemon';

/** The labels that select the supernode's pods in the classic installation. */
export function classicSupernodeSelector(spec: SupernodeSpec): Record<string, string> {
  return { app: spec.name };
}

/** The labels that select the df-daemons' pods in the classic installation. */
export function classicDfDaemonSelector(spec: DfDaemonSpec): Record<string, string> {
  return { 'k8s-app': spec.name };
}

/** The supernode's Deployment of the classic installation: on a `master`, in a folder that exists there. */
export function classicSupernodeDeployment(spec: SupernodeSpec): k8s.KubeDeploymentProps {
  const labels = classicSupernodeSelector(spec);
  return {
    metadata: { name: spec.name, namespace: spec.namespace, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          affinity: onNodesWith([MASTER_KEY]),
          tolerations: [TOLERATE_MASTER],
          containers: [
            {
              name: 'supernode',
              image: spec.image,
              imagePullPolicy: 'Always',
              ports: [{ containerPort: PORTS.supernodePieces }, { containerPort: PORTS.supernodeApi }],
              volumeMounts: [{ name: 'data', mountPath: PATHS.supernodeHome }],
            },
          ],
          volumes: [{ name: 'data', hostPath: { path: `${spec.store.storage.path}`, type: 'Directory' } }],
        },
      },
    },
  };
}

/** The supernode's Service of the classic installation. */
export function classicSupernodeService(spec: SupernodeSpec): k8s.KubeServiceProps {
  return {
    metadata: { name: spec.name, namespace: spec.namespace, labels: { svc: spec.name } },
    spec: {
      selector: classicSupernodeSelector(spec),
      sessionAffinity: 'None',
      ports: [
        { name: 'port1', port: PORTS.supernodePieces, protocol: 'TCP' },
        { name: 'port2', port: PORTS.supernodeApi, protocol: 'TCP' },
      ],
    },
  };
}

/** The df-daemons' ConfigMap of the classic installation. */
export function classicDfDaemonConfigMap(spec: DfDaemonSpec): k8s.KubeConfigMapProps {
  return {
    metadata: { name: configMapName(spec), namespace: spec.namespace },
    data: { [NODE_CONFIG_KEY]: nodeConfig(spec.supernodes) },
  };
}

/** The DaemonSet of the classic installation. */
export function classicDfDaemonSet(spec: DfDaemonSpec): k8s.KubeDaemonSetProps {
  const labels = classicDfDaemonSelector(spec);
  return {
    metadata: { name: spec.name, namespace: spec.namespace, labels },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          tolerations: [
            TOLERATE_MASTER,
            { key: 'external', operator: 'Equal', value: 'ingress', effect: 'NoSchedule' },
            ...spec.tolerations,
          ],
          hostNetwork: true,
          dnsPolicy: 'ClusterFirstWithHostNet',
          restartPolicy: 'Always',
          containers: [
            {
              name: 'df-daemon',
              image: spec.image,
              imagePullPolicy: 'Always',
              env: [{ name: DFDAEMON.flags.registry.env, value: spec.registry }],
              volumeMounts: [
                { name: 'config', mountPath: PATHS.nodeConfig, subPath: NODE_CONFIG_KEY, readOnly: true },
                { name: 'data', mountPath: `${PATHS.dfdaemonHome}/` },
              ],
            },
          ],
          volumes: [
            { name: 'config', configMap: { name: configMapName(spec), defaultMode: 0o600 } },
            { name: 'data', hostPath: { path: `${spec.store.storage.path}` } },
          ],
        },
      },
    },
  };
}
