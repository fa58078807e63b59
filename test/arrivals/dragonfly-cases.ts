import { CertificateAuthority } from '../../src';
import type { DragonflyProps } from '../../src';
import type { Cases } from './case';
import { DAEMON, object, pod, SEED, values, within } from './places';

const CA = '/etc/dragonfly/registries/ca.crt';
/** A bundle is at both daemons. */
const bundle = (source: object, part: object): object => ({
  pods: {
    [SEED.object]: { volumes: [{}, { projected: { sources: [source] } }], by: { [SEED.container]: { values: part } } },
    [DAEMON.object]: {
      volumes: [{}, {}, { projected: { sources: [source] } }],
      by: { [DAEMON.container]: { values: part } },
    },
  },
});

export const DRAGONFLY_PROPS: Cases<DragonflyProps> = {
  supernodeImage: [
    { given: 'a:1', arrives: within(SEED, { image: 'a:1' }) },
    { given: 'b:1', arrives: within(SEED, { image: 'b:1' }) },
  ],
  daemonImage: [
    { given: 'a:1', arrives: within(DAEMON, { image: 'a:1' }) },
    { given: 'b:1', arrives: within(DAEMON, { image: 'b:1' }) },
  ],
  nodeMirrorImage: [
    {
      given: 'a:1',
      beside: { nodeMirror: { nodes: ['w1'] } },
      arrives: within({ object: 'Job node-mirror', container: 'node-mirror' }, { image: 'a:1' }),
    },
    {
      given: 'b:1',
      beside: { nodeMirror: { nodes: ['w1'] } },
      arrives: within({ object: 'Job node-mirror', container: 'node-mirror' }, { image: 'b:1' }),
    },
  ],
  registries: [
    {
      given: [{ url: 'https://a.example.com' }],
      arrives: {
        pods: {
          [SEED.object]: { by: { supernode: { values: { allowOrigin: [{ host: 'a.example.com', port: 443 }] } } } },
          [DAEMON.object]: { by: { 'df-daemon': { values: { registry: ['a.example.com=https://a.example.com'] } } } },
        },
      },
    },
    {
      given: [{ url: 'http://b:5000' }],
      arrives: {
        pods: {
          [SEED.object]: { by: { supernode: { values: { allowOrigin: [{ host: 'b', port: 5000 }] } } } },
          [DAEMON.object]: { by: { 'df-daemon': { values: { registry: ['b:5000=http://b:5000'] } } } },
        },
      },
    },
  ],
  ca: [
    {
      given: CertificateAuthority.fromConfigMap('one'),
      arrives: bundle({ configMap: { name: 'one', items: [{ key: 'ca.crt', path: 'ca.crt' }] } }, { originCa: [CA] }),
    },
    {
      given: CertificateAuthority.fromSecret('two', 'a.pem'),
      arrives: bundle({ secret: { name: 'two', items: [{ key: 'a.pem', path: 'ca.crt' }] } }, { originCa: [CA] }),
    },
  ],
  namespace: [
    {
      given: 'p2p',
      arrives: {
        everywhere: { labels: { 'app.kubernetes.io/part-of': 'dragonfly' } },
        objects: {
          'Deployment supernode': { metadata: { namespace: 'p2p' } },
          'DaemonSet df-daemon': { metadata: { namespace: 'p2p' } },
        },
      },
    },
    { given: 'other', arrives: object('ConfigMap df-daemon-config', { metadata: { namespace: 'other' } }) },
  ],
  createNamespace: [
    {
      given: true,
      beside: { namespace: 'p2p' },
      arrives: object('Namespace p2p', {
        metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } },
      }),
    },
    { given: false, beside: { namespace: 'p2p' }, arrives: { namespaces: [] } },
  ],
  supernode: [
    {
      given: { name: 'seed' },
      arrives: object('ConfigMap df-daemon-config', { data: { 'dragonfly.conf': '[node]\naddress=seed\n' } }),
    },
    {
      given: { nodeCidrs: ['10.0.0.0/16'], egressPolicy: true },
      arrives: object('NetworkPolicy supernode', { spec: { egress: [{ ports: [{ port: 15001 }] }, {}, {}, {}] } }),
    },
  ],
  daemon: [
    {
      given: { peerPort: 7002 },
      beside: { supernode: { nodeCidrs: ['10.0.0.0/16'], egressPolicy: true } },
      arrives: {
        ...values(DAEMON, { peerPort: 7002 }),
        ...object('NetworkPolicy supernode', { spec: { egress: [{ ports: [{ port: 7002 }] }, {}, {}, {}] } }),
      },
    },
    {
      given: { mirrorPort: 7001 },
      beside: { nodeMirror: { nodes: ['w1'] }, nodeMirrorImage: 'a:1' },
      arrives: values({ object: 'Job node-mirror', container: 'node-mirror' }, { mirror: 'http://127.0.0.1:7001/' }),
    },
  ],
  nodeMirror: [
    {
      given: { nodes: ['w1'] },
      beside: { nodeMirrorImage: 'a:1' },
      arrives: pod({ object: 'Job node-mirror', container: '' }, { nodeName: 'w1' }),
    },
    {
      given: { nodes: ['w2'] },
      beside: { nodeMirrorImage: 'a:1' },
      arrives: pod({ object: 'Job node-mirror', container: '' }, { nodeName: 'w2' }),
    },
  ],
  monitoring: [
    { given: {}, arrives: object('PrometheusRule dragonfly-alerts', {}) },
    { given: { alerts: false }, arrives: { kinds: expect.not.arrayContaining(['PrometheusRule']) as string[] } },
  ],
  classic: [
    {
      given: true,
      arrives: {
        pods: {
          [SEED.object]: { template: { labels: { app: 'supernode' } } },
          [DAEMON.object]: { template: { labels: { 'k8s-app': 'df-daemon' } } },
        },
      },
    },
    { given: false, arrives: pod(SEED, { template: { labels: { 'app.kubernetes.io/name': 'supernode' } } }) },
  ],
};
