import { k8s } from 'cdk8s-plus-27';
import { ALL_ADDRESSES, DFDAEMON, PATHS, PORTS } from '../contract/index';
import type { DfDaemonSpec } from '../spec/df-daemon';
import { sizeText } from '../spec/storage';
import { renderArgs } from './args';
import { TOLERATE_CONTROL_PLANE, fieldEnv, objectLabels, selectorLabels } from './common';
import {
  runtimeContainers,
  runtimePod,
  runtimeTolerations,
  runtimeVolumes,
  stateMounts,
  waitForRuntimes,
} from './runtime-configuration';
import { DATA, dataVolume, needsRoot } from './storage';
import { containerOf, envOf, filesVolume, metadataOf, podMetadataOf, podOf } from './workload';

const COMPONENT = 'df-daemon';

/** The key of the ConfigMap that holds the node file. */
export const NODE_CONFIG_KEY = 'dragonfly.conf';

/** The key of the ConfigMap that holds what no flag can say. */
const CONFIG_KEY = 'dfdaemon.yml';

/** The name of the df-daemons' ConfigMap. */
export function configMapName(spec: DfDaemonSpec): string {
  return `${spec.name}-config`;
}

/** The INI file that tells a df-daemon, and the original clients, where the supernodes are. */
export function nodeConfig(supernodes: string[]): string {
  return `[node]\naddress=${supernodes.join(',')}\n`;
}

/** The files of the df-daemons' ConfigMap. */
function configOf({ supernodes, proxy }: DfDaemonSpec): Record<string, string> {
  return {
    [NODE_CONFIG_KEY]: nodeConfig(supernodes),
    ...(proxy === undefined ? {} : { [CONFIG_KEY]: proxy.config }),
  };
}

/** The labels that select the df-daemons' pods. */
export function dfDaemonSelector(spec: DfDaemonSpec): Record<string, string> {
  return selectorLabels(COMPONENT, spec.name);
}

/** The df-daemons' ConfigMap. */
export function dfDaemonConfigMap(spec: DfDaemonSpec): k8s.KubeConfigMapProps {
  return {
    metadata: metadataOf(spec, objectLabels(COMPONENT, spec.name), configMapName(spec)),
    data: configOf(spec),
  };
}

/** The DaemonSet: one df-daemon a node, on the node's own network. */
export function dfDaemonSet(spec: DfDaemonSpec): k8s.KubeDaemonSetProps {
  const labels = objectLabels(COMPONENT, spec.name);
  const { storage } = spec.store;
  return {
    metadata: metadataOf(spec, labels),
    spec: {
      selector: { matchLabels: dfDaemonSelector(spec) },
      updateStrategy: {
        type: 'RollingUpdate',
        rollingUpdate: { maxUnavailable: intOrPercent(spec.maxUnavailable) },
      },
      template: {
        // A file mounted by subPath is never updated: a changed ConfigMap has to make new pods.
        metadata: podMetadataOf(spec, labels, Object.values(configOf(spec)).join('\n')),
        spec: {
          tolerations: [...TOLERATE_CONTROL_PLANE, ...runtimeTolerations(spec), ...spec.tolerations],
          hostNetwork: true,
          // With the host's network, only this policy still asks the cluster's DNS, which knows the supernode.
          dnsPolicy: 'ClusterFirstWithHostNet',
          ...podOf(spec, needsRoot(storage)),
          ...runtimePod(spec),
          containers: [dfDaemonContainer(spec), ...runtimeContainers(spec)],
          volumes: [
            { name: 'config', configMap: { name: configMapName(spec) } },
            dataVolume(storage, ''),
            ...filesVolume(spec.files).volumes,
            ...runtimeVolumes(spec),
          ],
        },
      },
    },
  };
}

function dfDaemonContainer(spec: DfDaemonSpec): k8s.Container {
  const root = needsRoot(spec.store.storage);
  // root's home is closed to others.
  const home = root ? PATHS.dfdaemonHome : PATHS.dfdaemonUnprivilegedHome;
  const { mirror, peer, ops } = spec.ports;
  // Without a host the kubelet asks the node's address, which a firewall of the node may close to it.
  const probe = (path: string): k8s.HttpGetAction => ({
    path,
    host: LOOPBACK,
    port: k8s.IntOrString.fromString('ops'),
  });
  return {
    name: 'df-daemon',
    ...containerOf(spec, root),
    command: [DFDAEMON.name],
    args: renderArgs(DFDAEMON, {
      nodeConfig: PATHS.nodeConfig,
      ...(mirror === PORTS.mirror ? {} : { port: mirror }),
      ...(peer === PORTS.peer ? {} : { peerPort: peer }),
      ...(ops === PORTS.ops ? {} : { opsListen: `[${ALL_ADDRESSES}]:${ops}` }),
      advertiseIp: `$(${DFDAEMON.flags.advertiseIp.env})`,
      zone: spec.zone,
      dataDir: home,
      diskQuota: sizeText(spec.store.diskQuota),
      minFree: sizeText(spec.store.minFree),
      blobAuthorization: spec.blobAuthorization,
      tagPolicy: spec.tagPolicy,
      ratelimit: spec.ratelimit,
      uploadLimit: spec.uploadLimit,
      drainTimeout: spec.drain.drainTimeout,
      hijackCert: spec.proxy?.hijackCert,
      hijackKey: spec.proxy?.hijackKey,
      proxyAllow: spec.proxy?.proxyAllow,
      ...spec.access,
      ...spec.timeouts,
      logLevel: spec.logLevel,
    }),
    env: [
      { name: DFDAEMON.flags.registry.env, value: spec.registry },
      fieldEnv(DFDAEMON.flags.advertiseIp.env, 'status.hostIP'),
      ...envOf(spec),
    ],
    ports: [
      { name: 'mirror', containerPort: mirror, hostPort: mirror, hostIp: LOOPBACK, protocol: 'TCP' },
      { name: 'peer', containerPort: peer, hostPort: peer, protocol: 'TCP' },
      { name: 'ops', containerPort: ops, hostPort: ops, protocol: 'TCP' },
    ],
    startupProbe: { httpGet: probe('/livez'), periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 60 },
    readinessProbe: { httpGet: probe('/readyz'), periodSeconds: 5, timeoutSeconds: 2 },
    // No runtime falls back from a mirror that hangs: one that does not answer for 15 s is killed, and its pulls go on elsewhere within
    // 30 s. The grace of the pod is for pulls that are under way; a daemon that hangs has none that would end. One that is merely short of
    // CPU answers in time: the event loop has to turn once in 3 s, in one of three tries.
    livenessProbe: {
      httpGet: probe('/livez'),
      periodSeconds: 5,
      timeoutSeconds: 3,
      failureThreshold: 3,
      terminationGracePeriodSeconds: 5,
    },
    volumeMounts: [
      { name: 'config', mountPath: PATHS.nodeConfig, subPath: NODE_CONFIG_KEY, readOnly: true },
      ...(spec.proxy === undefined
        ? []
        : [{ name: 'config', mountPath: PATHS.dfdaemonConfig, subPath: CONFIG_KEY, readOnly: true }]),
      { name: DATA, mountPath: home },
      ...filesVolume(spec.files).mounts,
      ...stateMounts(spec),
    ],
    ...waitForRuntimes(spec),
  };
}

const LOOPBACK = '127.0.0.1';

function intOrPercent(value: string): k8s.IntOrString {
  return value.endsWith('%') ? k8s.IntOrString.fromString(value) : k8s.IntOrString.fromNumber(Number(value));
}
