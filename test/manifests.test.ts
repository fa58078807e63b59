import { Chart } from 'cdk8s';
import { Dragonfly, Placement, Preset } from '../src';
import { golden } from './support/golden';
import { schemaFaults } from './support/strict';
import { chart, manifestsOf, yamlOf } from './support/synth';
import type { Manifest } from './support/synth';

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
    registries: ['http://127.0.0.1:5000', 'https://registry-1.docker.io', 'ghcr.io=https://mirror.example.com:8443/'],
    supernodeName: 'seed',
    supernodePlacement: Placement.ANY,
    supernodeDataPath: '/mnt/seed',
    daemonName: 'mirror',
    daemonDataPath: '/mnt/mirror',
    daemonTolerations: [{ key: 'gpu', operator: 'Exists' }],
    mirrorNodes: ['w1', 'ip-10-0-0-1.example.com'],
    nodeMirrorImage: 'example/node-mirror:1',
  });
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

  it('keep to the schema of Kubernetes 1.27, without unknown keys', () => {
    expect(schemaFaults(manifestsOf(make()))).toEqual([]);
  });

  it('are the same bytes when synthesized again', () => {
    const scope = make();
    expect(yamlOf(scope)).toBe(yamlOf(scope));
    expect(yamlOf(make())).toBe(yamlOf(scope));
  });
});

describe('the schema check', () => {
  it.each<[string, (manifest: Manifest) => object, RegExp]>([
    ['an unknown key', (manifest) => ({ ...manifest, spec2: {} }), /spec2.* does not exist/],
    [
      'a missing selector',
      (manifest) => ({ ...manifest, spec: { template: {} } }),
      /must have required property selector/,
    ],
    ['a wrong type', (manifest) => ({ ...manifest, metadata: { name: 7 } }), /must be string/],
    [
      'a removed version',
      (manifest) => ({ ...manifest, apiVersion: 'extensions/v1beta1' }),
      /not among the known kinds/,
    ],
  ])('finds %s', (_what, change, message) => {
    const deployment = manifestsOf(defaults()).find(({ kind }) => kind === 'Deployment')!;
    expect(schemaFaults([change(deployment) as Manifest]).join('\n')).toMatch(message);
  });
});
