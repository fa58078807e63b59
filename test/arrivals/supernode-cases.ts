import { Duration, Size } from 'cdk8s';
import { Bandwidth, CertificateAuthority, Placement, Storage } from '../../src';
import type { OriginTimeouts, Registry, SupernodeOptions, SupernodeProps, WorkloadProps } from '../../src';
import type { Cases } from './case';
import { object, pod, SEED, values, within } from './places';

type Own<Props, Base> = Omit<Props, keyof Base>;

const MIB = 1024 * 1024;
const NODES = { nodeCidrs: ['10.0.0.0/16'] };
const policy = (part: object): object => object('NetworkPolicy supernode', { spec: part });
const from = (...networks: string[]): object =>
  policy({
    ingress: [
      {
        from: [
          ...networks.map((cidr) => ({ ipBlock: { cidr } })),
          { podSelector: { matchLabels: { 'app.kubernetes.io/name': 'supernode' } } },
          { podSelector: { matchLabels: { 'app.kubernetes.io/name': 'preheat' } } },
        ],
      },
    ],
  });
const toNodes = (...ports: number[]): object =>
  policy({
    policyTypes: ['Ingress', 'Egress'],
    egress: [
      { to: [{ ipBlock: { cidr: '10.0.0.0/16' } }], ports: ports.map((port) => ({ port, protocol: 'TCP' })) },
      { to: [{ podSelector: { matchLabels: { 'app.kubernetes.io/instance': 'supernode' } } }] },
      {
        ports: [
          { port: 53, protocol: 'TCP' },
          { port: 53, protocol: 'UDP' },
        ],
      },
      { ports: [{ port: 443 }] },
    ],
  });

export const SUPERNODE_OPTIONS: Cases<Own<SupernodeOptions, WorkloadProps>> = {
  name: [
    { given: 'seed', arrives: { objects: { 'Deployment seed': { metadata: { name: 'seed' } }, 'Service seed': {} } } },
    { given: 'other', arrives: { objects: { 'Deployment other': {}, 'Service other': {} } } },
  ],
  replicas: [
    { given: 1, arrives: object('Deployment supernode', { spec: { replicas: 1 } }) },
    {
      given: 2,
      beside: { signingKeySecret: 'key' },
      arrives: {
        ...object('StatefulSet supernode', { spec: { replicas: 2 } }),
        ...values(
          { object: 'StatefulSet supernode', container: 'supernode' },
          { peers: [{ host: 'supernode-0.supernode-replicas' }, { host: 'supernode-1.supernode-replicas' }] },
        ),
      },
    },
    {
      given: 3,
      beside: { signingKeySecret: 'key' },
      arrives: values(
        { object: 'StatefulSet supernode', container: 'supernode' },
        {
          peers: [0, 1, 2].map((i) => ({ host: `supernode-${i}.supernode-replicas` })),
        },
      ),
    },
  ],
  placement: [
    {
      given: Placement.CONTROL_PLANE,
      arrives: pod(SEED, { affinity: { nodeAffinity: expect.any(Object) as object } }),
    },
    // Of the placements, only ANY leaves the pod without tolerations.
    { given: Placement.ANY, arrives: pod(SEED, { affinity: null, tolerations: [] }) },
  ],
  storage: [
    {
      given: Storage.hostPath('/srv/dragonfly'),
      arrives: pod(SEED, {
        volumes: [{ name: 'data', hostPath: { path: '/srv/dragonfly', type: 'DirectoryOrCreate' } }],
      }),
    },
    {
      given: Storage.emptyDir(),
      arrives: { ...pod(SEED, { volumes: [{ emptyDir: {} }], securityContext: { runAsNonRoot: true } }) },
    },
  ],
  diskQuota: [
    { given: Size.gibibytes(3), arrives: values(SEED, { diskQuota: 3 * 2 ** 30 }) },
    { given: Size.mebibytes(700), arrives: values(SEED, { diskQuota: 700 * 2 ** 20 }) },
  ],
  minFree: [
    { given: Size.gibibytes(2), arrives: values(SEED, { minFree: 2 * 2 ** 30 }) },
    { given: Size.mebibytes(0), beside: { storage: Storage.emptyDir() }, arrives: values(SEED, { minFree: 0 }) },
  ],
  maxBandwidth: [
    {
      given: Bandwidth.gibibytesPerSecond(1),
      arrives: values(SEED, { maxBandwidth: 1024 * MIB, systemBandwidth: 20 * MIB }),
    },
    { given: Bandwidth.mebibytesPerSecond(30), arrives: values(SEED, { maxBandwidth: 30 * MIB }) },
  ],
  systemBandwidth: [
    {
      given: Bandwidth.mebibytesPerSecond(6),
      beside: { maxBandwidth: Bandwidth.mebibytesPerSecond(9) },
      arrives: values(SEED, { maxBandwidth: 9 * MIB, systemBandwidth: 6 * MIB }),
    },
    {
      given: Bandwidth.mebibytesPerSecond(7),
      beside: { maxBandwidth: Bandwidth.mebibytesPerSecond(9) },
      arrives: values(SEED, { maxBandwidth: 9 * MIB, systemBandwidth: 7 * MIB }),
    },
  ],
  signingKeySecret: ['key', 'other'].map((given) => ({
    given,
    arrives: {
      pods: {
        [SEED.object]: {
          volumes: [{}, { name: 'signing-key', secret: { secretName: given } }],
          by: { [SEED.container]: { values: { signingKey: '/etc/dragonfly/signing/signing-key.pem' } } },
        },
      },
    },
  })) as unknown as Cases<SupernodeOptions>['signingKeySecret'],
  failAccessInterval: [
    { given: Duration.minutes(3), arrives: values(SEED, { failAccessInterval: 180_000 }) },
    { given: Duration.hours(1), arrives: values(SEED, { failAccessInterval: 3_600_000 }) },
  ],
  timeouts: [
    {
      given: { originStall: Duration.seconds(3) },
      arrives: values(SEED, { originStallTimeout: 3000, originFirstByteTimeout: 15_000 }),
    },
    {
      given: { originFirstByte: Duration.seconds(4) },
      arrives: values(SEED, { originStallTimeout: 10_000, originFirstByteTimeout: 4000 }),
    },
  ],
  nodeCidrs: [
    { given: ['10.0.0.0/16'], arrives: from('10.0.0.0/16') },
    { given: ['10.1.0.0/16', 'fd00::/64'], arrives: from('10.1.0.0/16', 'fd00::/64') },
  ],
  egressPolicy: [
    { given: true, beside: NODES, arrives: toNodes(15001) },
    { given: false, beside: NODES, arrives: policy({ policyTypes: ['Ingress'] }) },
  ],
};

export const SUPERNODE_PROPS: Cases<Own<SupernodeProps, SupernodeOptions>> = {
  image: [
    { given: 'a:1', arrives: within(SEED, { image: 'a:1', imagePullPolicy: 'IfNotPresent' }) },
    { given: 'b', arrives: within(SEED, { image: 'b', imagePullPolicy: 'Always' }) },
  ],
  registries: [
    {
      given: [{ url: 'http://127.0.0.1:5000' }],
      arrives: values(SEED, { allowOrigin: [{ host: '127.0.0.1', port: 5000 }] }),
    },
    {
      given: [{ url: 'https://docker.io' }, { url: 'https://ghcr.io' }],
      arrives: values(SEED, {
        allowOrigin: [
          { host: 'registry-1.docker.io', port: 443 },
          { host: 'ghcr.io', port: 443 },
        ],
      }),
    },
  ],
  ca: [
    {
      given: CertificateAuthority.fromSecret('ca'),
      arrives: {
        pods: {
          [SEED.object]: {
            volumes: [
              {},
              { projected: { sources: [{ secret: { name: 'ca', items: [{ key: 'ca.crt', path: 'ca.crt' }] } }] } },
            ],
            by: { [SEED.container]: { values: { originCa: ['/etc/dragonfly/registries/ca.crt'] } } },
          },
        },
      },
    },
    {
      given: CertificateAuthority.fromConfigMap('cas', 'all.pem'),
      arrives: {
        pods: {
          [SEED.object]: {
            volumes: [
              {},
              { projected: { sources: [{ configMap: { name: 'cas', items: [{ key: 'all.pem', path: 'ca.crt' }] } }] } },
            ],
            by: { [SEED.container]: { values: { originCa: ['/etc/dragonfly/registries/ca.crt'] } } },
          },
        },
      },
    },
  ],
  peerPorts: [
    { given: [15002], beside: { ...NODES, egressPolicy: true }, arrives: toNodes(15002) },
    { given: [15001, 15003], beside: { ...NODES, egressPolicy: true }, arrives: toNodes(15001, 15003) },
  ],
  namespace: [
    { given: 'p2p', arrives: object('Deployment supernode', { metadata: { namespace: 'p2p' } }) },
    { given: 'other', arrives: object('Service supernode', { metadata: { namespace: 'other' } }) },
  ],
  classic: [
    {
      given: true,
      arrives: pod(SEED, { template: { labels: { app: 'supernode' } }, by: { supernode: { args: [] } } }),
    },
    { given: false, arrives: pod(SEED, { template: { labels: { 'app.kubernetes.io/name': 'supernode' } } }) },
  ],
};

/** Of both daemons. */
export const ORIGIN_TIMEOUTS = (place = SEED): Cases<OriginTimeouts> => ({
  originFirstByte: [
    { given: Duration.millis(1500), arrives: values(place, { originFirstByteTimeout: 1500 }) },
    { given: Duration.minutes(5), arrives: values(place, { originFirstByteTimeout: 300_000 }) },
  ],
  originStall: [
    { given: Duration.seconds(2), arrives: values(place, { originStallTimeout: 2000 }) },
    { given: Duration.minutes(1), arrives: values(place, { originStallTimeout: 60_000 }) },
  ],
});

/** Of the registry `https://registry.example.com:5000`, what the supernode needs of it. */
export const REGISTRY_AT_SUPERNODE: Pick<Cases<Registry>, 'url' | 'ca' | 'clientCertificateSecret' | 'tokenServers'> = {
  tokenServers: [['auth.example.com'], ['a.example.com:8443', 'b.example.com']].map((given) => ({
    given,
    arrives: values(SEED, { tokenServer: given.map((host) => `registry.example.com:5000=${host}`) }),
  })) as unknown as Cases<Registry>['tokenServers'],
  url: [
    { given: 'https://a.example.com', arrives: values(SEED, { allowOrigin: [{ host: 'a.example.com', port: 443 }] }) },
    { given: 'http://b:8080', arrives: values(SEED, { allowOrigin: [{ host: 'b', port: 8080 }] }) },
  ],
  ca: ['one', 'two'].map((name) => ({
    given: CertificateAuthority.fromSecret(name),
    arrives: certificates(
      { secret: { name, items: [{ key: 'ca.crt', path: '0.ca.crt' }] } },
      {
        originCa: ['registry.example.com:5000=/etc/dragonfly/registries/0.ca.crt'],
      },
    ),
  })) as unknown as Cases<Registry>['ca'],
  clientCertificateSecret: ['one', 'two'].map((given) => ({
    given,
    arrives: certificates(
      { secret: { name: given } },
      {
        originCert: ['registry.example.com:5000=/etc/dragonfly/registries/0.client.crt'],
        originKey: ['registry.example.com:5000=/etc/dragonfly/registries/0.client.key'],
      },
    ),
  })) as unknown as Cases<Registry>['clientCertificateSecret'],
};

function certificates(source: object, part: object): object {
  return {
    pods: {
      [SEED.object]: {
        volumes: [{}, { projected: { sources: [source] } }],
        by: { [SEED.container]: { values: part } },
      },
    },
  };
}
