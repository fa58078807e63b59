import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Dragonfly, Preset } from '../src';
import { podOf } from './support/pod';
import { normalised } from './support/semantic';
import { chart, manifestsOf, parseManifests } from './support/synth';
import type { Manifest } from './support/synth';

interface Workload {
  readonly spec: {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: { readonly spec: { readonly volumes: { readonly hostPath?: { readonly path: string } }[] } };
  };
}

function byKindAndName(manifests: Manifest[]): Record<string, unknown> {
  return Object.fromEntries(manifests.map((manifest) => [`${manifest.kind} ${manifest.metadata.name}`, manifest]));
}

function meanings(manifests: Manifest[]): Record<string, unknown> {
  return byKindAndName(manifests.map((manifest) => normalised(manifest) as Manifest));
}

const fixture = ['supernode.yaml', 'df-daemon.yaml'].flatMap((file) =>
  parseManifests(readFileSync(join(__dirname, 'fixtures', 'classic', file), 'utf8')),
);

describe('Preset.classic()', () => {
  it('means the same to the API server as the YAML of the classic installation', () => {
    const scope = chart();
    new Dragonfly(scope, 'dragonfly', Preset.classic());
    expect(manifestsOf(scope)).toHaveLength(4);
    expect(meanings(manifestsOf(scope))).toEqual(meanings(fixture));
  });

  it('works on with other images and another registry', () => {
    const scope = chart();
    new Dragonfly(scope, 'dragonfly', {
      ...Preset.classic(),
      supernodeImage: 'own/supernode:1',
      daemonImage: 'own/dfdaemon:1',
      registries: [{ url: 'https://registry.example.com' }],
    });
    const replaced = JSON.stringify(fixture)
      .replace('silenceshell/supernode:0.2.0', 'own/supernode:1')
      .replace('silenceshell/df-daemon:0.2.0', 'own/dfdaemon:1')
      .replace('https://registry.docker-cn.com', 'https://registry.example.com');
    expect(meanings(manifestsOf(scope))).toEqual(meanings(JSON.parse(replaced) as Manifest[]));
  });

  it('is left by deleting both workloads: names, folders and the Service stay, selectors change', () => {
    const [before, after] = [Preset.classic(), { ...Preset.classic(), classic: false }].map((props) => {
      const scope = chart();
      new Dragonfly(scope, 'dragonfly', props);
      return manifestsOf(scope);
    }) as [Manifest[], Manifest[]];
    expect(Object.keys(byKindAndName(after))).toEqual(Object.keys(byKindAndName(before)));
    for (const [kind, name] of [
      ['Deployment', 'supernode'],
      ['DaemonSet', 'df-daemon'],
    ] as const) {
      const workloads = [before, after].map((all) => all.find((one) => one.kind === kind) as unknown as Workload);
      expect(workloads.map(({ spec }) => spec.selector.matchLabels)).toEqual([
        kind === 'Deployment' ? { app: name } : { 'k8s-app': name },
        { 'app.kubernetes.io/name': name, 'app.kubernetes.io/instance': name },
      ]);
      const folders = workloads.map(({ spec }) =>
        spec.template.spec.volumes.flatMap(({ hostPath }) => hostPath?.path ?? []),
      );
      const folder = kind === 'Deployment' ? '/data/dragonfly' : '/data/dfdaemon';
      expect(folders).toEqual([[folder], [folder]]);
    }
  });

  it.each([
    ['of docker.io, which a registry without a name of its own is', {}, 'docker.io=https://registry.docker-cn.com'],
    [
      'of another',
      { registries: [{ url: 'https://m.example.com', host: 'quay.io' }] },
      'quay.io=https://m.example.com',
    ],
  ])('has node-mirrors make it the mirror %s', (_what, props, registry) => {
    const nodeMirror = { nodes: ['w1'], readyz: 'none' };
    const { nodeMirror: made } = new Dragonfly(chart(), 'dragonfly', {
      ...Preset.classic(),
      nodeMirrorImage: 'own/node-mirror:1',
      nodeMirror,
      ...props,
    });
    expect(podOf([made?.jobs[0]?.toJson() as Manifest], 'Job').containers[0].args).toEqual([
      'apply',
      ...['--runtime', 'auto', '--mirror', 'http://127.0.0.1:65001', '--registry', registry],
      ...['--host-root', '/host', '--readyz', 'none'],
    ]);
  });
});

describe('the comparison of meanings', () => {
  const service = (ports: unknown, more: object = {}): Manifest =>
    ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec: { ports, ...more } }) as Manifest;

  it('overlooks what the API server fills in, the order of keys and of lists', () => {
    const short = service([{ port: 1 }, { port: 2 }]);
    const long = service(
      [
        { targetPort: 2, protocol: 'TCP', port: 2 },
        { targetPort: 1, protocol: 'TCP', port: 1 },
      ],
      { sessionAffinity: 'None', type: 'ClusterIP' },
    );
    expect(normalised(short)).toEqual(normalised(long));
  });

  it.each([
    ['an extra field', service([{ port: 1 }], { clusterIP: 'None' })],
    ['a missing entry', service([])],
    ['another value', service([{ port: 2 }])],
    ['what is no default', service([{ port: 1, protocol: 'UDP' }])],
  ])('sees %s', (_what, other) => {
    expect(normalised(other)).not.toEqual(normalised(service([{ port: 1 }])));
  });

  it('reads the mode of the fixture as an octal number', () => {
    expect(JSON.stringify(fixture)).toContain('"defaultMode":384');
  });
});
