import { DFDAEMON, DFGET_PREHEAT } from '../contract/index';
import type { PreheatJobProps } from '../preheat-job-props';
import { checkAddresses, checkCount, checkName, checkNamespace, checkReference } from './checks';
import { durationText, wholeSeconds } from './durations';
import { checkImage, checkImageName } from './image';
import { JOB_HASH_LENGTH } from './node-mirror';
import { checkSchedule } from './schedule';
import { PREHEAT } from './shapes';
import { LINUX, workloadSpec } from './workload';
import type { WorkloadSpec } from './workload';

/** Everything that decides what a preheat looks like. */
export interface PreheatSpec extends WorkloadSpec {
  readonly name: string;
  readonly namespace: string;
  readonly image: string;
  readonly images: string[];
  readonly supernodes: string[];
  readonly platforms: string[];
  readonly credentialsSecret: string | undefined;
  /** As crontab(5) writes it. */
  readonly schedule: string | undefined;
  readonly timeout: string | undefined;
  readonly backoffLimit: number;
  readonly ttlSeconds: number | undefined;
}

const PLATFORM = /^[a-z0-9]+\/[a-z0-9_]+(\/[a-z0-9.]+)?$/;
const MAX_IMAGES = 50;

/**
 * Props with their defaults, checked.
 *
 * @throws Error naming the prop, the value and the fix.
 */
export function preheatSpec(props: PreheatJobProps, defaultNamespace: string): PreheatSpec {
  PREHEAT('', props);
  const image = checkImage('image', props.image, DFDAEMON.name);
  return {
    ...workloadSpec(props, {
      image,
      resources: { cpuRequest: '10m', memoryRequest: '64Mi', memoryLimit: 256 },
      priorityClassName: undefined,
      gracePeriodSeconds: 30,
      nodeSelector: LINUX,
      takenEnv: { REGISTRY_USER: 'credentialsSecret' },
    }),
    name: checkName('name', props.name ?? 'preheat', props.schedule === undefined ? 62 - JOB_HASH_LENGTH : 52),
    namespace: checkNamespace('namespace', props.namespace ?? defaultNamespace),
    image,
    images: checkImages(props.images),
    supernodes: checkAddresses('supernodes', props.supernodes),
    platforms: checkPlatforms(props),
    credentialsSecret:
      props.credentialsSecret === undefined ? undefined : checkReference('credentialsSecret', props.credentialsSecret),
    schedule: props.schedule === undefined ? undefined : checkSchedule('schedule', props.schedule.expressionString),
    timeout: durationText('timeout', props.timeout, DFGET_PREHEAT.flags.timeout),
    backoffLimit: checkCount('backoffLimit', props.backoffLimit ?? 3),
    ttlSeconds: wholeSeconds('ttlAfterFinished', props.ttlAfterFinished),
  };
}

function checkImages(images: string[]): string[] {
  if (images.length === 0 || images.length > MAX_IMAGES) {
    throw new Error(
      `images has ${images.length} entries: name 1 to ${MAX_IMAGES} images; each is a container of one pod.`,
    );
  }
  return images.map((image, i) => {
    if (images.indexOf(image) !== i) {
      throw new Error(`images names "${image}" twice, at ${images.indexOf(image)} and ${i}: name it once.`);
    }
    return checkImageName(`images[${i}]`, image, 'docker.io/library/nginx:1.25');
  });
}

function checkPlatforms({ platforms }: PreheatJobProps): string[] {
  if (platforms?.length === 0) {
    throw new Error('platforms is empty, which would fetch all: name one such as linux/arm64, or leave it out.');
  }
  return (platforms ?? []).map(checkPlatform);
}

function checkPlatform(platform: string, i: number): string {
  if (!PLATFORM.test(platform)) {
    throw new Error(`platforms[${i}] "${platform}" is none: write OS/ARCH[/VARIANT], such as linux/arm64.`);
  }
  return platform;
}
