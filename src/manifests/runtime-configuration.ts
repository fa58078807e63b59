import { k8s } from 'cdk8s-plus-27';
import { NODE_MIRROR, PATHS } from '../contract/index';
import type { DfDaemonSpec } from '../spec/df-daemon';
import { renderArgs } from './args';
import { fieldEnv, objectLabels } from './common';
import { containerOf, envOf, metadataOf } from './workload';

const STATE = 'runtime-state';
const STATE_FOLDER = '/run/dragonfly';
const ON_FILE = `${STATE_FOLDER}/mirror-on`;
const TOKEN = 'token';
/** Ends when the runtimes no longer have the mirror, or who is to take it off (boot, namespace, PID and start, in the file) runs no more. */
const waitScript = (seconds: number): string =>
  `const{readFileSync:r}=require('fs'),end=Date.now()+${seconds}e3;` +
  `const on=()=>{try{const[,,pid,start]=r('${ON_FILE}','utf8').split(' ');` +
  `return r('/proc/'+pid+'/stat','utf8').split(') ').pop().split(' ')[19]===start}catch{return false}};` +
  `const t=setInterval(()=>{if(!on()||Date.now()>end)clearInterval(t)},100)`;

/** The container that points the node's runtimes at the df-daemon beside it. */
export function runtimeContainers(spec: DfDaemonSpec): k8s.Container[] {
  const { runtime } = spec;
  if (runtime === undefined) {
    return [];
  }
  const { startupTaint } = runtime;
  return [
    {
      name: 'node-mirror',
      ...containerOf(runtime.workload, true),
      command: [NODE_MIRROR.name],
      args: [
        'watch',
        ...renderArgs(NODE_MIRROR, {
          runtime: runtime.runtimes,
          mirror: `http://127.0.0.1:${spec.ports.mirror}`,
          registry: runtime.registries,
          hostRoot: PATHS.hostRoot,
          readyz: `http://127.0.0.1:${spec.ports.ops}/readyz`,
          ...(runtime.restart ? { restart: true } : {}),
          interval: runtime.interval,
          reloadTimeout: runtime.reloadTimeout,
          ...runtime.paths,
          ...runtime.docker,
          removeTaint: startupTaint,
          onFile: ON_FILE,
          logLevel: spec.logLevel,
        }),
      ],
      env: [fieldEnv(NODE_MIRROR.flags.nodeName.env, 'spec.nodeName'), ...envOf(runtime.workload)],
      terminationMessagePolicy: 'FallbackToLogsOnError',
      securityContext: {
        privileged: true,
        runAsUser: 0,
        runAsNonRoot: false,
        readOnlyRootFilesystem: true,
        ...runtime.workload.securityContext,
      },
      volumeMounts: [
        { name: 'host', mountPath: PATHS.hostRoot },
        { name: STATE, mountPath: STATE_FOLDER },
        ...(startupTaint === undefined ? [] : [{ name: TOKEN, mountPath: PATHS.serviceAccount, readOnly: true }]),
      ],
    },
  ];
}

/** What the pod needs for it: the node's processes, and an account where a taint has to be removed. */
export function runtimePod(spec: DfDaemonSpec): Pick<k8s.PodSpec, 'hostPid' | 'serviceAccountName'> {
  return {
    ...(spec.runtime === undefined ? {} : { hostPid: true }),
    ...(spec.runtime?.startupTaint === undefined ? {} : { serviceAccountName: spec.name }),
  };
}

/** Its volumes. The token is mounted by hand: the df-daemon beside it gets none. */
export function runtimeVolumes({ runtime }: DfDaemonSpec): k8s.Volume[] {
  return runtime === undefined
    ? []
    : [
        { name: 'host', hostPath: { path: '/', type: 'Directory' } },
        { name: STATE, emptyDir: { medium: 'Memory', sizeLimit: k8s.Quantity.fromString('1Mi') } },
        ...(runtime.startupTaint === undefined ? [] : [tokenVolume()]),
      ];
}

/** Where the df-daemon sees whether runtimes have the mirror. */
export function stateMounts({ runtime }: DfDaemonSpec): k8s.VolumeMount[] {
  return runtime === undefined ? [] : [{ name: STATE, mountPath: STATE_FOLDER, readOnly: true }];
}

/** Holds the df-daemon back, when its pod ends, until no runtime has the mirror: both containers are told to end at once. */
export function waitForRuntimes({ runtime, drain }: DfDaemonSpec): Pick<k8s.Container, 'lifecycle'> {
  if (runtime === undefined) {
    return {};
  }
  return { lifecycle: { preStop: { exec: { command: ['node', '-e', waitScript(drain.waitSeconds)] } } } };
}

/** Tolerates the taint that is to be removed. */
export function runtimeTolerations({ runtime }: DfDaemonSpec): k8s.Toleration[] {
  return runtime?.startupTaint === undefined ? [] : [{ key: runtime.startupTaint, operator: 'Exists' }];
}

/** The account of the pods. */
export function taintServiceAccount(spec: DfDaemonSpec): k8s.KubeServiceAccountProps {
  return { metadata: dfDaemonMetadata(spec), automountServiceAccountToken: false };
}

/** What it may do: read a node and change it. A rule cannot name one taint, nor one field. */
export function taintClusterRole(spec: DfDaemonSpec): k8s.KubeClusterRoleProps {
  return {
    metadata: clusterMetadata(spec),
    rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get', 'patch'] }],
  };
}

/** Gives it to the account. */
export function taintClusterRoleBinding(spec: DfDaemonSpec): k8s.KubeClusterRoleBindingProps {
  return {
    metadata: clusterMetadata(spec),
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: clusterName(spec) },
    subjects: [{ kind: 'ServiceAccount', name: spec.name, namespace: spec.namespace }],
  };
}

function dfDaemonMetadata(spec: DfDaemonSpec): k8s.ObjectMeta {
  return metadataOf(spec, objectLabels('df-daemon', spec.name));
}

/** Objects of the whole cluster, of which another installation may have one of the same name. */
function clusterName(spec: DfDaemonSpec): string {
  return `${spec.namespace}-${spec.name}`;
}

function clusterMetadata(spec: DfDaemonSpec): k8s.ObjectMeta {
  const { labels, annotations } = dfDaemonMetadata(spec);
  return { name: clusterName(spec), ...(labels && { labels }), ...(annotations && { annotations }) };
}

function tokenVolume(): k8s.Volume {
  return {
    name: TOKEN,
    projected: {
      sources: [
        { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      ],
    },
  };
}
