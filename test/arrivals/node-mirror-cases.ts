import { Duration } from 'cdk8s';
import { ContainerRuntime, NodeMirrorMode } from '../../src';
import type {
  DockerConfiguration,
  NodeMirrorJobOptions,
  NodeMirrorJobProps,
  RuntimePaths,
  WorkloadProps,
} from '../../src';
import type { Cases } from './case';
import { MIRROR_JOB, object, pod, values, within } from './places';
import type { Place } from './places';

type Own<Props, Base> = Omit<Props, keyof Base>;

export const NODE_MIRROR_OPTIONS: Cases<Own<NodeMirrorJobOptions, WorkloadProps>> = {
  nodes: [
    { given: ['w1'], arrives: pod(MIRROR_JOB, { nodeName: 'w1' }) },
    { given: ['w2.example.com'], arrives: pod(MIRROR_JOB, { nodeName: 'w2.example.com' }) },
  ],
  name: [
    { given: 'runtime', arrives: object('Job runtime', {}) },
    { given: 'other', arrives: object('Job other', {}) },
  ],
  mode: Object.values(NodeMirrorMode).map((given) => ({
    given,
    arrives: values(MIRROR_JOB, { argument: given }),
  })) as unknown as Cases<NodeMirrorJobOptions>['mode'],
  runtimes: [
    {
      given: [ContainerRuntime.DOCKER, ContainerRuntime.CONTAINERD],
      arrives: values(MIRROR_JOB, { runtime: ['docker', 'containerd'] }),
    },
    { given: [ContainerRuntime.AUTO], arrives: values(MIRROR_JOB, { runtime: ['auto'] }) },
  ],
  restart: [
    { given: true, arrives: values(MIRROR_JOB, { restart: true }) },
    { given: false, arrives: values(MIRROR_JOB, { restart: false }) },
  ],
  reloadTimeout: [
    { given: Duration.millis(1500), arrives: values(MIRROR_JOB, { reloadTimeout: 1500 }) },
    { given: Duration.minutes(10), arrives: values(MIRROR_JOB, { reloadTimeout: 600_000 }) },
  ],
  paths: [
    { given: { dockerPidFile: '/run/a.pid' }, arrives: values(MIRROR_JOB, { dockerPidFile: '/run/a.pid' }) },
    { given: { dockerPidFile: '/run/b.pid' }, arrives: values(MIRROR_JOB, { dockerPidFile: '/run/b.pid' }) },
  ],
  docker: [
    { given: { insecureRegistries: ['a'] }, arrives: values(MIRROR_JOB, { dockerInsecureRegistry: ['a'] }) },
    { given: { insecureRegistries: ['b'] }, arrives: values(MIRROR_JOB, { dockerInsecureRegistry: ['b'] }) },
  ],
  readyz: [
    { given: 'http://127.0.0.1:7003/readyz', arrives: values(MIRROR_JOB, { readyz: 'http://127.0.0.1:7003/readyz' }) },
    { given: 'none', arrives: values(MIRROR_JOB, { readyz: 'none' }) },
  ],
  wait: [
    { given: Duration.seconds(0), arrives: values(MIRROR_JOB, { wait: 0 }) },
    { given: Duration.minutes(2), arrives: values(MIRROR_JOB, { wait: 120_000 }) },
  ],
  deadline: [
    { given: Duration.minutes(2), arrives: object('Job node-mirror', { spec: { activeDeadlineSeconds: 120 } }) },
    { given: Duration.hours(1), arrives: object('Job node-mirror', { spec: { activeDeadlineSeconds: 3600 } }) },
  ],
  backoffLimit: [
    { given: 0, arrives: object('Job node-mirror', { spec: { backoffLimit: 0 } }) },
    { given: 7, arrives: object('Job node-mirror', { spec: { backoffLimit: 7 } }) },
  ],
  ttlAfterFinished: [
    { given: Duration.hours(1), arrives: object('Job node-mirror', { spec: { ttlSecondsAfterFinished: 3600 } }) },
    { given: Duration.seconds(0), arrives: object('Job node-mirror', { spec: { ttlSecondsAfterFinished: 0 } }) },
  ],
};

export const NODE_MIRROR_PROPS: Cases<Own<NodeMirrorJobProps, NodeMirrorJobOptions>> = {
  image: [
    { given: 'a:1', arrives: within(MIRROR_JOB, { image: 'a:1' }) },
    { given: 'b:1', arrives: within(MIRROR_JOB, { image: 'b:1' }) },
  ],
  namespace: [
    { given: 'p2p', arrives: object('Job node-mirror', { metadata: { namespace: 'p2p' } }) },
    { given: 'other', arrives: object('Job node-mirror', { metadata: { namespace: 'other' } }) },
  ],
  mirror: [
    { given: 'http://127.0.0.1:7001', arrives: values(MIRROR_JOB, { mirror: 'http://127.0.0.1:7001/' }) },
    {
      given: 'https://mirror.example.com',
      arrives: values(MIRROR_JOB, { mirror: 'https://mirror.example.com/' }),
    },
  ],
  registries: [
    { given: [{ url: 'https://ghcr.io' }], arrives: values(MIRROR_JOB, { registry: ['ghcr.io=https://ghcr.io'] }) },
    {
      given: [{ url: 'https://docker.io' }, { host: 'quay.io', url: 'https://m.example.com' }],
      arrives: values(MIRROR_JOB, {
        registry: ['docker.io=https://registry-1.docker.io', 'quay.io=https://m.example.com'],
      }),
    },
  ],
};

/** Of the container beside a df-daemon, and of Jobs. */
export function runtimePathsCases(place: Place): Cases<RuntimePaths> {
  const of = (prop: keyof RuntimePaths) =>
    ['/a', '/b/c'].map((given) => ({
      given,
      arrives: values(place, { [prop]: given }),
    })) as unknown as Cases<RuntimePaths>[typeof prop];
  return {
    dockerConfig: of('dockerConfig'),
    dockerSocket: of('dockerSocket'),
    dockerPidFile: of('dockerPidFile'),
    containerdConfig: of('containerdConfig'),
    containerdSocket: of('containerdSocket'),
    containerdHosts: of('containerdHosts'),
    registriesConf: of('registriesConf'),
  };
}

/** The same. */
export function dockerCases(place: Place): Cases<DockerConfiguration> {
  return {
    insecureRegistries: [
      {
        given: ['Registry.example.com:5000', '[fd00::1]:5000'],
        arrives: values(place, { dockerInsecureRegistry: ['registry.example.com:5000', '[fd00::1]:5000'] }),
      },
      { given: ['10.0.0.0/8'], arrives: values(place, { dockerInsecureRegistry: ['10.0.0.0/8'] }) },
    ],
    proxy: [
      { given: 'http://10.0.0.1:3128', arrives: values(place, { dockerProxy: 'http://10.0.0.1:3128/' }) },
      { given: 'https://proxy.example.com/', arrives: values(place, { dockerProxy: 'https://proxy.example.com/' }) },
    ],
  };
}
