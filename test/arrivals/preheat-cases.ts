import { Cron, Duration } from 'cdk8s';
import type { PreheatJobProps, WorkloadProps } from '../../src';
import type { Cases } from './case';
import { object, PREHEAT, pod, values, within } from './places';

export const PREHEAT_PROPS: Cases<Omit<PreheatJobProps, keyof WorkloadProps>> = {
  image: [
    { given: 'a:1', arrives: within(PREHEAT, { image: 'a:1' }) },
    { given: 'b:1', arrives: within(PREHEAT, { image: 'b:1' }) },
  ],
  images: [
    { given: ['nginx:1'], arrives: values(PREHEAT, { argument: 'nginx:1' }) },
    {
      given: ['redis:7', 'nginx:1'],
      arrives: pod(PREHEAT, {
        by: { 'image-0': { values: { argument: 'redis:7' } }, 'image-1': { values: { argument: 'nginx:1' } } },
      }),
    },
  ],
  supernodes: [
    { given: ['seed'], arrives: values(PREHEAT, { node: [{ host: 'seed' }] }) },
    { given: ['a:9000', '[::1]'], arrives: values(PREHEAT, { node: [{ host: 'a', port: 9000 }, { host: '::1' }] }) },
  ],
  platforms: [
    { given: ['linux/arm64'], arrives: values(PREHEAT, { platform: ['linux/arm64'] }) },
    { given: ['linux/amd64', 'linux/arm/v7'], arrives: values(PREHEAT, { platform: ['linux/amd64', 'linux/arm/v7'] }) },
  ],
  credentialsSecret: ['one', 'two'].map((given) => ({
    given,
    arrives: {
      pods: {
        [PREHEAT.object]: {
          volumes: [{ secret: { secretName: given } }],
          by: {
            'image-0': {
              env: [{ name: 'REGISTRY_USER', valueFrom: { secretKeyRef: { name: given, key: 'username' } } }, {}],
              values: { username: 'username', passwordFile: '/etc/dragonfly/credentials/password' },
            },
          },
        },
      },
    },
  })) as unknown as Cases<PreheatJobProps>['credentialsSecret'],
  schedule: [
    { given: Cron.daily(), arrives: object('CronJob preheat', { spec: { schedule: '0 0 * * *' } }) },
    { given: Cron.hourly(), arrives: object('CronJob preheat', { spec: { schedule: '0 * * * *' } }) },
  ],
  name: [
    { given: 'warm', arrives: object('Job warm', {}) },
    { given: 'early', arrives: object('Job early', {}) },
  ],
  namespace: [
    { given: 'p2p', arrives: object('Job preheat', { metadata: { namespace: 'p2p' } }) },
    { given: 'other', arrives: object('Job preheat', { metadata: { namespace: 'other' } }) },
  ],
  timeout: [
    { given: Duration.minutes(90), arrives: values(PREHEAT, { timeout: 5_400_000 }) },
    { given: Duration.seconds(1), arrives: values(PREHEAT, { timeout: 1000 }) },
  ],
  backoffLimit: [
    { given: 0, arrives: object('Job preheat', { spec: { backoffLimit: 0 } }) },
    { given: 9, arrives: object('Job preheat', { spec: { backoffLimit: 9 } }) },
  ],
  ttlAfterFinished: [
    { given: Duration.days(1), arrives: object('Job preheat', { spec: { ttlSecondsAfterFinished: 86_400 } }) },
    { given: Duration.hours(1), arrives: object('Job preheat', { spec: { ttlSecondsAfterFinished: 3600 } }) },
  ],
};
