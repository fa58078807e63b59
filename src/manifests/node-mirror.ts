import { k8s } from 'cdk8s-plus-27';
import { NODE_MIRROR, PATHS } from '../contract/index';
import type { NodeMirrorSpec } from '../spec/node-mirror';
import { renderArgs } from './args';
import { nameByContent, objectLabels } from './common';
import { containerOf, envOf, metadataOf, podMetadataOf, podOf } from './workload';

const COMPONENT = 'node-mirror';

/** The Job for one node. Its name holds a hash of its content, because a Job's template cannot be changed. */
export function nodeMirrorJob(spec: NodeMirrorSpec, nodeName: string): k8s.KubeJobProps {
  const labels = objectLabels(COMPONENT, spec.name);
  const job: k8s.JobSpec = {
    backoffLimit: spec.backoffLimit,
    activeDeadlineSeconds: spec.deadlineSeconds,
    ...(spec.ttlSeconds === undefined ? {} : { ttlSecondsAfterFinished: spec.ttlSeconds }),
    template: { metadata: podMetadataOf(spec, labels), spec: podSpec(spec, nodeName) },
  };
  return {
    metadata: metadataOf(spec, labels, nameByContent(spec.name, job)),
    spec: job,
  };
}

function podSpec(spec: NodeMirrorSpec, nodeName: string): k8s.PodSpec {
  return {
    nodeName,
    // The scheduler is not asked, but a NoExecute taint would still end the pod.
    tolerations: [{ operator: 'Exists' }, ...spec.tolerations],
    // To send runtimes their signals, and to reach the node's systemd.
    hostPid: true,
    // To ask the mirror, which listens on the node's loopback.
    hostNetwork: true,
    restartPolicy: 'Never',
    ...podOf(spec, true),
    // A privileged container has no seccomp profile.
    securityContext: spec.podSecurityContext,
    containers: [
      {
        name: 'node-mirror',
        ...containerOf(spec, true),
        command: [NODE_MIRROR.name],
        args: [
          spec.mode,
          ...renderArgs(NODE_MIRROR, {
            runtime: spec.runtimes,
            mirror: spec.mirror,
            registry: spec.registries,
            hostRoot: PATHS.hostRoot,
            readyz: spec.readyz,
            wait: spec.wait,
            reloadTimeout: spec.reloadTimeout,
            ...spec.paths,
            ...spec.docker,
            ...(spec.restart ? { restart: true } : {}),
            logLevel: spec.logLevel,
          }),
        ],
        env: envOf(spec),
        // The outcome, or the end of the log where the command could not write it.
        terminationMessagePolicy: 'FallbackToLogsOnError',
        securityContext: { privileged: true, runAsUser: 0, readOnlyRootFilesystem: true, ...spec.securityContext },
        volumeMounts: [{ name: 'host', mountPath: PATHS.hostRoot }],
      },
    ],
    volumes: [{ name: 'host', hostPath: { path: '/', type: 'Directory' } }],
  };
}
