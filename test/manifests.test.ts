import { Cron, Duration, Size } from 'cdk8s';
import type { Chart } from 'cdk8s';
import { Cpu, ImagePullPolicy } from 'cdk8s-plus-27';
import {
  Bandwidth,
  BlobAuthorization,
  CertificateAuthority,
  ContainerRuntime,
  Dragonfly,
  LogLevel,
  NodeMirrorJob,
  NodeMirrorMode,
  Placement,
  PreheatJob,
  Preset,
  Storage,
  SupernodeConstruct,
} from '../src';
import type { WorkloadProps } from '../src';
import type { Manifest as PlainManifest } from '../src/policy/manifest';
import { faultsOf } from '../src/policy/rules';
import { golden } from './support/golden';
import { schemaFaults } from './support/strict';
import { chart, manifestsOf, yamlOf } from './support/synth';
import type { Manifest } from './support/synth';

const COMMON: WorkloadProps = {
  labels: { team: 'storage' },
  annotations: { 'example.com/owner': 'storage' },
  env: { HTTPS_PROXY: 'http://proxy.example.com:3128' },
  resources: {
    cpu: { request: Cpu.millis(20), limit: Cpu.units(2) },
    memory: { request: Size.mebibytes(200), limit: Size.mebibytes(400) },
    ephemeralStorage: { request: Size.gibibytes(1), limit: Size.gibibytes(11) },
  },
  tolerations: [{ key: 'gpu', operator: 'Exists' }],
  nodeSelector: { pool: 'a' },
  priorityClassName: 'important',
  imagePullSecrets: ['registry-credentials'],
  imagePullPolicy: ImagePullPolicy.ALWAYS,
  securityContext: { runAsGroup: 3000 },
  podSecurityContext: { supplementalGroups: [4000] },
  terminationGracePeriod: Duration.minutes(2),
  logLevel: LogLevel.WARN,
};
const IMAGES = { supernodeImage: 'example/supernode:1', daemonImage: 'example/dfdaemon:1' };

function defaults(): Chart {
  const scope = chart();
  new Dragonfly(scope, 'dragonfly', IMAGES);
  return scope;
}

function everything(): Chart {
  const scope = chart({ namespace: 'p2p', labels: { team: 'platform' } });
  new Dragonfly(scope, 'dragonfly', {
    ...IMAGES,
    registries: [
      { url: 'http://127.0.0.1:5000' },
      { url: 'https://registry-1.docker.io' },
      {
        url: 'https://mirror.example.com:8443/',
        host: 'ghcr.io',
        ca: CertificateAuthority.fromConfigMap('corporate-ca'),
      },
    ],
    createNamespace: true,
    supernode: {
      ...COMMON,
      name: 'seed',
      replicas: 3,
      placement: Placement.ANY,
      storage: Storage.persistentVolumeClaim({ size: Size.gibibytes(40), storageClassName: 'fast' }),
      diskQuota: Size.gibibytes(30),
      minFree: Size.gibibytes(2),
      maxBandwidth: Bandwidth.mebibytesPerSecond(100),
      systemBandwidth: Bandwidth.mebibytesPerSecond(10),
      signingKeySecret: 'dragonfly-signing-key',
      nodeCidrs: ['10.0.0.0/16', 'fd00::/64'],
    },
    daemon: {
      ...COMMON,
      name: 'mirror',
      storage: Storage.emptyDir({ sizeLimit: Size.gibibytes(10) }),
      diskQuota: Size.gibibytes(8),
      minFree: Size.gibibytes(1),
      mirrorPort: 65101,
      peerPort: 15101,
      opsPort: 65103,
      zone: 'eu-1',
      blobAuthorization: BlobAuthorization.NONE,
      maxUnavailable: '3',
      configureRuntime: {
        image: 'example/node-mirror:1',
        runtimes: [ContainerRuntime.CRIO, ContainerRuntime.PODMAN],
        restart: true,
        interval: Duration.minutes(5),
        startupTaint: 'dragonfly.io/not-ready',
        resources: { memory: { limit: Size.mebibytes(128) } },
      },
    },
    nodeMirror: {
      ...COMMON,
      name: 'runtime',
      nodes: ['w1', 'ip-10-0-0-1.example.com'],
      mode: NodeMirrorMode.CHECK,
      runtimes: [ContainerRuntime.DOCKER, ContainerRuntime.CONTAINERD],
      restart: true,
      wait: Duration.seconds(30),
      deadline: Duration.minutes(2),
      backoffLimit: 1,
      ttlAfterFinished: Duration.hours(1),
    },
    nodeMirrorImage: `example/node-mirror@sha256:${'0'.repeat(64)}`,
  });
  new NodeMirrorJob(scope, 'elsewhere', {
    image: 'example/node-mirror:1',
    nodes: ['w3'],
    mirror: 'http://127.0.0.1:7001',
    readyz: 'http://127.0.0.1:7003/readyz',
  });
  new SupernodeConstruct(scope, 'second', {
    image: 'example/supernode:1',
    name: 'second',
    storage: Storage.persistentVolumeClaim({ claimName: 'second-data', size: Size.gibibytes(10) }),
  });
  for (const schedule of [undefined, Cron.daily()]) {
    new PreheatJob(scope, schedule === undefined ? 'preheat' : 'nightly', {
      ...COMMON,
      image: 'example/dfdaemon:1',
      images: ['docker.io/library/nginx:1.25', 'registry.example.com/app:2'],
      supernodes: ['seed'],
      platforms: ['linux/amd64', 'linux/arm/v7'],
      credentialsSecret: 'registry-user',
      ...(schedule === undefined ? {} : { schedule, name: 'nightly' }),
      timeout: Duration.minutes(20),
      backoffLimit: 2,
      ttlAfterFinished: Duration.days(1),
    });
  }
  return scope;
}

function classic(): Chart {
  const scope = chart();
  new Dragonfly(scope, 'dragonfly', Preset.classic());
  return scope;
}

const CHARTS: [string, () => Chart][] = [
  ['defaults', defaults],
  ['everything', everything],
  ['classic', classic],
];

describe.each(CHARTS)('the manifests of %s', (name, make) => {
  it('are the text in test/golden', () => {
    const text = yamlOf(make());
    expect(text).toBe(golden(name, text));
  });

  it('are the same bytes when synthesized again', () => {
    const scope = make();
    expect(yamlOf(scope)).toBe(yamlOf(scope));
    expect(yamlOf(make())).toBe(yamlOf(scope));
  });
});

it('all of them keep to the schema of Kubernetes 1.27, without unknown keys', () => {
  expect(schemaFaults(CHARTS.flatMap(([, make]) => manifestsOf(make())))).toEqual([]);
});

it('all of them keep to what no schema says', () => {
  for (const [, make] of CHARTS) {
    expect(manifestsOf(make()).flatMap((manifest) => faultsOf(manifest as PlainManifest))).toEqual([]);
  }
});

it('the schema check finds an unknown key, a missing selector, a wrong type and a removed version', () => {
  const deployment = manifestsOf(defaults()).find(({ kind }) => kind === 'Deployment')!;
  const faulty = [
    { ...deployment, spec2: {} },
    { ...deployment, spec: { template: {} } },
    { ...deployment, metadata: { name: 7 } },
    { ...deployment, apiVersion: 'extensions/v1beta1' },
  ];
  const faults = schemaFaults(faulty as unknown as Manifest[]).join('\n');
  expect(faults).toMatch(/spec2.* does not exist/);
  expect(faults).toMatch(/must have required property selector/);
  expect(faults).toMatch(/must be string/);
  expect(faults).toMatch(/not among the known kinds/);
});
