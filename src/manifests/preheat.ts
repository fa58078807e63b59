import type { k8s } from 'cdk8s-plus-27';
import { DFGET_PREHEAT } from '../contract/index';
import type { PreheatSpec } from '../spec/preheat';
import { renderArgs } from './args';
import { nameByContent, objectLabels } from './common';
import { containerOf, envOf, metadataOf, podMetadataOf, podOf } from './workload';

const COMPONENT = 'preheat';
const CREDENTIALS = 'credentials';
const CREDENTIALS_FOLDER = '/etc/dragonfly/credentials';
const USER = 'REGISTRY_USER';

/** The labels of the pods of every preheat, which ask a supernode. */
export const PREHEAT_PODS = { 'app.kubernetes.io/name': COMPONENT, 'app.kubernetes.io/part-of': 'dragonfly' };

/** A preheat at once. Its name holds a hash of its content, because a Job's template cannot be changed. */
export function preheatJob(spec: PreheatSpec): k8s.KubeJobProps {
  const job = jobSpec(spec);
  return {
    metadata: metadataOf(spec, objectLabels(COMPONENT, spec.name), nameByContent(spec.name, job)),
    spec: job,
  };
}

/** A preheat again and again; one that is not over is not joined by the next. */
export function preheatCronJob(spec: PreheatSpec, schedule: string): k8s.KubeCronJobProps {
  return {
    metadata: metadataOf(spec, objectLabels(COMPONENT, spec.name)),
    spec: { schedule, concurrencyPolicy: 'Forbid', jobTemplate: { spec: jobSpec(spec) } },
  };
}

function jobSpec(spec: PreheatSpec): k8s.JobSpec {
  return {
    backoffLimit: spec.backoffLimit,
    ...(spec.ttlSeconds === undefined ? {} : { ttlSecondsAfterFinished: spec.ttlSeconds }),
    template: {
      metadata: podMetadataOf(spec, objectLabels(COMPONENT, spec.name)),
      spec: {
        ...podOf(spec, false),
        ...(spec.tolerations.length === 0 ? {} : { tolerations: spec.tolerations }),
        // Only the container of an image that failed starts again.
        restartPolicy: 'OnFailure',
        containers: spec.images.map((image, i) => preheatContainer(spec, image, i)),
        ...(spec.credentialsSecret === undefined
          ? {}
          : {
              volumes: [{ name: CREDENTIALS, secret: { secretName: spec.credentialsSecret, defaultMode: 0o440 } }],
            }),
      },
    },
  };
}

function preheatContainer(spec: PreheatSpec, image: string, i: number): k8s.Container {
  const credentials = spec.credentialsSecret !== undefined;
  return {
    name: `image-${i}`,
    ...containerOf(spec, false),
    command: DFGET_PREHEAT.name.split(' '),
    args: [
      image,
      ...renderArgs(DFGET_PREHEAT, {
        platform: spec.platforms,
        node: spec.supernodes,
        ...(credentials ? { username: `$(${USER})`, passwordFile: `${CREDENTIALS_FOLDER}/password` } : {}),
        timeout: spec.timeout,
        logLevel: spec.logLevel,
      }),
    ],
    env: [
      ...(spec.credentialsSecret === undefined
        ? []
        : [{ name: USER, valueFrom: { secretKeyRef: { name: spec.credentialsSecret, key: 'username' } } }]),
      ...envOf(spec),
    ],
    terminationMessagePolicy: 'FallbackToLogsOnError',
    ...(credentials ? { volumeMounts: [{ name: CREDENTIALS, mountPath: CREDENTIALS_FOLDER, readOnly: true }] } : {}),
  };
}
