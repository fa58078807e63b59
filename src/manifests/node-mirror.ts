import { k8s } from 'cdk8s-plus-27';
import { NODE_MIRROR, PATHS } from '../contract/index';
import { JOB_HASH_LENGTH } from '../spec/node-mirror';
import type { NodeMirrorSpec } from '../spec/node-mirror';
import { renderArgs } from './args';
import { objectLabels, sha256 } from './common';

const COMPONENT = 'node-mirror';

/** The Job for one node. Its name holds a hash of its content, because a Job's template cannot be changed. */
export function nodeMirrorJob(spec: NodeMirrorSpec, nodeName: string): k8s.KubeJobProps {
  const labels = objectLabels(COMPONENT, spec.name);
  const job: k8s.JobSpec = {
    backoffLimit: 3,
    activeDeadlineSeconds: 600,
    template: { metadata: { labels }, spec: podSpec(spec, nodeName) },
  };
  return {
    metadata: {
      name: `${spec.name}-${sha256(JSON.stringify(job)).slice(0, JOB_HASH_LENGTH)}`,
      namespace: spec.namespace,
      labels,
    },
    spec: job,
  };
}

function podSpec(spec: NodeMirrorSpec, nodeName: string): k8s.PodSpec {
  return {
    nodeName,
    // The scheduler is not asked, but a NoExecute taint would still end the pod.
    tolerations: [{ operator: 'Exists' }],
    // To send dockerd its signal.
    hostPid: true,
    // To ask the mirror, which listens on the node's loopback.
    hostNetwork: true,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    restartPolicy: 'Never',
    containers: [
      {
        name: 'node-mirror',
        image: spec.image,
        imagePullPolicy: 'IfNotPresent',
        command: [NODE_MIRROR.name],
        args: [spec.mode, ...renderArgs(NODE_MIRROR, { hostRoot: PATHS.hostRoot, mirror: spec.mirror })],
        resources: {
          requests: { cpu: k8s.Quantity.fromString('10m'), memory: k8s.Quantity.fromString('64Mi') },
          limits: { memory: k8s.Quantity.fromString('256Mi') },
        },
        securityContext: { privileged: true, runAsUser: 0, readOnlyRootFilesystem: true },
        volumeMounts: [{ name: 'host', mountPath: PATHS.hostRoot }],
      },
    ],
    volumes: [{ name: 'host', hostPath: { path: '/', type: 'Directory' } }],
  };
}
