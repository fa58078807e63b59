import { Duration, Size } from 'cdk8s';
import { Cpu, ImagePullPolicy } from 'cdk8s-plus-27';
import { LogLevel } from '../../src';
import type { WorkloadProps } from '../../src';
import type { Cases } from './case';
import { pod, values, within } from './places';
import type { Place } from './places';

/** What every workload takes; `kept` are the tolerations that a workload has by itself. */
export function workloadCases(place: Place, kept: readonly object[] = []): Cases<WorkloadProps> {
  const gpu = { key: 'gpu', operator: 'Exists' };
  const spot = { key: 'spot', operator: 'Equal', value: 'true', effect: 'NoSchedule' };
  return {
    labels: [
      {
        given: { team: 'a' },
        arrives: { everywhere: { labels: { team: 'a' } }, ...pod(place, { template: { labels: { team: 'a' } } }) },
      },
      {
        given: { team: 'b' },
        arrives: { everywhere: { labels: { team: 'b' } }, ...pod(place, { template: { labels: { team: 'b' } } }) },
      },
    ],
    annotations: [
      {
        given: { 'a.b/c': 'd' },
        arrives: {
          everywhere: { annotations: { 'a.b/c': 'd' } },
          ...pod(place, { template: { annotations: { 'a.b/c': 'd' } } }),
        },
      },
      {
        given: { 'a.b/c': '' },
        arrives: {
          everywhere: { annotations: { 'a.b/c': '' } },
          ...pod(place, { template: { annotations: { 'a.b/c': '' } } }),
        },
      },
    ],
    env: [
      {
        given: { HTTPS_PROXY: 'http://p:3128' },
        arrives: within(place, { variables: { HTTPS_PROXY: 'http://p:3128' } }),
      },
      {
        given: { NODE_OPTIONS: '--max-old-space-size=99' },
        arrives: within(place, { variables: { NODE_OPTIONS: '--max-old-space-size=99' } }),
      },
    ],
    resources: [
      {
        given: {
          cpu: { request: Cpu.millis(20), limit: Cpu.units(2) },
          memory: { request: Size.mebibytes(200), limit: Size.mebibytes(400) },
          ephemeralStorage: { request: Size.gibibytes(1), limit: Size.gibibytes(2) },
        },
        arrives: within(place, {
          resources: {
            requests: { cpu: '20m', memory: '200Mi', 'ephemeral-storage': '1024Mi' },
            limits: { cpu: '2', memory: '400Mi', 'ephemeral-storage': '2048Mi' },
          },
          variables: { NODE_OPTIONS: '--max-old-space-size=200' },
        }),
      },
      {
        given: { memory: { limit: Size.mebibytes(300) } },
        arrives: within(place, {
          resources: { limits: { memory: '300Mi' } },
          variables: { NODE_OPTIONS: '--max-old-space-size=150' },
        }),
      },
    ],
    tolerations: [
      { given: [gpu], arrives: pod(place, { tolerations: [...kept, gpu] }) },
      { given: [spot, gpu], arrives: pod(place, { tolerations: [...kept, spot, gpu] }) },
    ],
    nodeSelector: [
      { given: { pool: 'a' }, arrives: pod(place, { nodeSelector: { pool: 'a' } }) },
      { given: { pool: 'b' }, arrives: pod(place, { nodeSelector: { pool: 'b' } }) },
    ],
    priorityClassName: [
      { given: 'high', arrives: pod(place, { priorityClassName: 'high' }) },
      { given: 'low', arrives: pod(place, { priorityClassName: 'low' }) },
    ],
    imagePullSecrets: [
      { given: ['a'], arrives: pod(place, { imagePullSecrets: [{ name: 'a' }] }) },
      { given: ['b', 'c'], arrives: pod(place, { imagePullSecrets: [{ name: 'b' }, { name: 'c' }] }) },
    ],
    imagePullPolicy: [
      { given: ImagePullPolicy.ALWAYS, arrives: within(place, { imagePullPolicy: 'Always' }) },
      { given: ImagePullPolicy.NEVER, arrives: within(place, { imagePullPolicy: 'Never' }) },
    ],
    securityContext: [
      { given: { runAsGroup: 3000 }, arrives: within(place, { securityContext: { runAsGroup: 3000 } }) },
      {
        given: { readOnlyRootFilesystem: false },
        arrives: within(place, { securityContext: { readOnlyRootFilesystem: false } }),
      },
    ],
    podSecurityContext: [
      {
        given: { supplementalGroups: [4000] },
        arrives: pod(place, { securityContext: { supplementalGroups: [4000] } }),
      },
      {
        given: { seccompProfile: { type: 'Unconfined' } },
        arrives: pod(place, { securityContext: { seccompProfile: { type: 'Unconfined' } } }),
      },
    ],
    terminationGracePeriod: [
      { given: Duration.minutes(10), arrives: pod(place, { terminationGracePeriodSeconds: 600 }) },
      { given: Duration.seconds(45), arrives: pod(place, { terminationGracePeriodSeconds: 45 }) },
    ],
    logLevel: [
      { given: LogLevel.DEBUG, arrives: values(place, { logLevel: 'debug' }) },
      { given: LogLevel.WARN, arrives: values(place, { logLevel: 'warn' }) },
    ],
  };
}
