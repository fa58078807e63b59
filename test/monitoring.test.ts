import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Metrics } from '@cdk8s-dragonfly/dfdaemon';
import type { ResponseRecord } from '@cdk8s-dragonfly/dfdaemon';
import { Duration } from 'cdk8s';
import { DfDaemonConstruct, Dragonfly, DragonflyMonitoring, Preset, SupernodeConstruct } from '../src';
import type { MonitoringOptions } from '../src';
import { ALERTS } from '../src/monitoring/alerts';
import { alertsDocument } from './support/alerts-document';
import { selectorsOf } from './support/promql';
import { chart, manifestsOf, yamlOf } from './support/synth';
import { readAll, Swarm } from './swarm/swarm';

const IMAGES = { supernodeImage: 'example/supernode:1', daemonImage: 'example/dfdaemon:1' };

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly summary: string; readonly description: string };
}

/** All queries of an installation of three supernodes, by where they stand. */
function queries(): [string, string][] {
  const scope = chart();
  new Dragonfly(scope, 'it', { ...IMAGES, monitoring: {}, supernode: { replicas: 3, signingKeySecret: 'key' } });
  const manifests = manifestsOf(scope) as unknown as {
    kind: string;
    metadata: { name: string };
    spec: { groups: { rules: Rule[] }[] };
    data: Record<string, string>;
  }[];
  const rules = manifests.find(({ kind }) => kind === 'PrometheusRule')!.spec.groups.flatMap((group) => group.rules);
  const { data } = manifests.find(({ metadata }) => metadata.name === 'dragonfly-dashboard')!;
  const { panels } = JSON.parse(data['kube-system.dragonfly.json']!) as {
    panels: { title: string; targets: { expr: string }[] }[];
  };
  return [
    ...rules.map(({ alert, expr }): [string, string] => [alert, expr]),
    ...panels.flatMap(({ title, targets }) => targets.map(({ expr }): [string, string] => [title, expr])),
  ];
}

describe('the queries of alerts and dashboard', () => {
  /** What the daemons expose, a line a series. */
  let exposed: string[] = [];

  beforeAll(async () => {
    const swarm = await Swarm.start(1, { diskQuota: 2 ** 30 });
    const node = await swarm.addNode();
    await readAll(node, swarm.origin.add(Buffer.from('a layer')));
    // The node may have all of it before the supernode has it safe.
    await swarm.fetched(1);
    const metrics = new Metrics(node);
    metrics.record(RECORD);
    const supernode = await fetch(`http://127.0.0.1:${swarm.supernodePort}/metrics`);
    exposed = `${await supernode.text()}\n${await metrics.text()}`.split('\n').filter((line) => /^[a-z]/.test(line));
    await swarm.stop();
  });

  it.each(queries())('%s asks only for series that the daemons have: %s', (_where, query) => {
    const selectors = selectorsOf(query);
    expect(selectors).not.toEqual([]);
    for (const { metric, matchers } of selectors) {
      // Prometheus itself tells whether it could ask, and of whom.
      expect(matchers.map(({ label }) => label).slice(0, 2)).toEqual(['namespace', 'job']);
      if (metric === 'up') continue;
      const own = matchers.slice(2);
      const series = exposed.filter((line) => line.startsWith(`${metric} `) || line.startsWith(`${metric}{`));
      const found = series.filter((line) =>
        own.every(({ label, operator, value }) =>
          line.includes(operator === '=' ? `${label}="${value}"` : `${label}="`),
        ),
      );
      expect({ metric, own, found: found.length > 0 }).toEqual({ metric, own, found: true });
    }
  });
});

/** An answer that leaves no series out. */
const RECORD: ResponseRecord = {
  kind: 'blob',
  method: 'GET',
  registry: 'docker.io',
  repository: 'library/nginx',
  reference: undefined,
  digest: undefined,
  names: undefined,
  manifest: 'stale',
  from: 'registry',
  sources: undefined,
  firstByteMs: 3,
  reason: 'origin-status',
  status: 502,
  bytes: 1,
  ms: 5,
  userAgent: 'containerd',
  passedOnBecause: 'the origin answered 500',
  error: 'it ended early',
};

it('docs/alerts.md tells each alert with what to do; UPDATE_DOCS=1 writes it anew', () => {
  const file = join(__dirname, '..', 'docs', 'alerts.md');
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(file, alertsDocument());
  expect(readFileSync(file, 'utf8')).toBe(alertsDocument());
  expect(new Set(ALERTS.map(({ name }) => name)).size).toBe(ALERTS.length);
});

describe('monitoring', () => {
  it('has alerts whose first step says where the pods are, in all namespaces where they are in several', () => {
    const scope = chart();
    const supernode = new SupernodeConstruct(scope, 's', { image: 'a', namespace: 'seeds' });
    const daemon = (namespace: string, nodeSelector: Record<string, string>): DfDaemonConstruct =>
      new DfDaemonConstruct(scope, namespace, { image: 'a', supernodes: ['s.seeds'], namespace, nodeSelector });
    const pools = [daemon('a', { pool: 'a' }), daemon('b', { pool: 'b' })];
    const steps = (daemons: DfDaemonConstruct[]): string => {
      const { prometheusRule } = new DragonflyMonitoring(chart(), 'm', { supernode, daemons });
      return JSON.stringify(prometheusRule?.toJson());
    };
    expect(ALERTS.filter(({ runbook }) => runbook[0]?.includes('NAMESPACE') === true)).toHaveLength(4);
    expect(steps(pools)).not.toContain('NAMESPACE');
    expect(steps(pools)).toContain('`kubectl -n seeds get pods -l app.kubernetes.io/name=supernode');
    expect(steps(pools)).toContain('`kubectl -n seeds logs --previous POD`');
    expect(steps(pools)).toContain('`kubectl --all-namespaces get daemonset');
    expect(steps(pools.slice(0, 1))).toContain('`kubectl -n a get daemonset');
  });

  it('of one supernode has no alert about a missing replica, and none about a floor of nothing', () => {
    const scope = chart();
    new Dragonfly(scope, 'it', { ...IMAGES, monitoring: {} });
    expect(yamlOf(scope)).not.toContain('DragonflySupernodeMissing');
    expect(yamlOf(scope)).toContain(
      `dragonfly_supernode_store_free_bytes{namespace="kube-system",job="supernode"} < ${5 * 2 ** 30}`,
    );
  });

  it('asks as seldom as every 5 minutes where no alert looks at what came within them', () => {
    const scope = chart();
    new Dragonfly(scope, 'it', { ...IMAGES, monitoring: { interval: Duration.minutes(5), alerts: false } });
    expect(yamlOf(scope)).toContain('interval: 300s\n');
  });

  it('of two installations has alerts and dashboards that nobody takes for one', () => {
    const seen = (namespace: string, monitoring: MonitoringOptions) => {
      const scope = chart();
      new Dragonfly(scope, 'it', { ...IMAGES, namespace, monitoring });
      const [rule, map] = ['PrometheusRule', 'ConfigMap'].map((kind) =>
        manifestsOf(scope)
          .filter((manifest) => manifest.kind === kind)
          .at(-1),
      ) as unknown as [{ spec: { groups: { rules: { labels: object }[] }[] } }, { data: Record<string, string> }];
      const labels = rule.spec.groups.flatMap(({ rules }) => rules.map((one) => JSON.stringify(one.labels)));
      const [file = '', text = ''] = Object.entries(map.data).flat();
      const { title, uid } = JSON.parse(text) as { title: string; uid: string };
      return { labels: new Set(labels), file, title, uid };
    };
    const here = seen('p2p', {});
    expect(here).toMatchObject({
      file: 'p2p.dragonfly.json',
      title: 'Dragonfly: p2p/dragonfly',
      uid: 'p2p-dragonfly',
    });
    expect([...here.labels]).toEqual(
      ['critical', 'warning'].map((severity) =>
        JSON.stringify({ installation: 'dragonfly', namespace: 'p2p', severity }),
      ),
    );
    const long = 'a'.repeat(40);
    const all = [here, seen('other', {}), seen('p2p', { name: 'b' }), seen(long, {}), seen(long, { name: 'b' })];
    for (const each of ['file', 'title', 'uid'] as const) {
      expect(new Set(all.map((one) => one[each])).size).toBe(all.length);
    }
    expect(all.flatMap(({ labels }) => [...labels])).toHaveLength(
      new Set(all.flatMap(({ labels }) => [...labels])).size,
    );
    for (const { uid } of all) expect(uid).toMatch(/^[-a-z0-9]{1,40}$/);
  });

  it('has alerts with the labels that are given, though they are ours', () => {
    const scope = chart();
    new Dragonfly(scope, 'it', { ...IMAGES, monitoring: { alertLabels: { namespace: 'team-a' } } });
    expect(yamlOf(scope)).toContain('installation: dragonfly\n            namespace: team-a\n');
  });

  it('asks pods at ports that they have, once each, though a Service of replicas has the same labels', () => {
    const scope = chart();
    new Dragonfly(scope, 'it', { ...IMAGES, monitoring: {}, supernode: { replicas: 2, signingKeySecret: 'key' } });
    const kinds = manifestsOf(scope).map(({ kind }) => kind);
    expect(kinds.filter((kind) => /Monitor$/.test(kind))).toEqual(['PodMonitor', 'PodMonitor']);
  });

  it.each<[object, string]>([
    [{ interval: { toMilliseconds: () => 10 } }, 'interval is 10ms: use 1s to 300s.'],
    [
      { interval: Duration.seconds(121) },
      'interval is 121s, and alerts look at what came within 5 minutes, two answers at least: use at most 120s, or set alerts to false.',
    ],
    [{ interval: Duration.seconds(301), alerts: false }, 'interval is 301s: use 1s to 300s.'],
    [{ labels: { 'a b': 'c' } }, 'labels has the key "a b": use [DOMAIN/]NAME'],
    [{ alertLabels: { 'a-b': 'c' } }, 'alertLabels has "a-b", which is no label of Prometheus'],
    [{ alertLabels: { severity: 'page' } }, 'alertLabels has "severity", which each alert has already'],
    [{ alertLabels: { team: 'a' }, alerts: false }, 'alertLabels is given, and alerts is false'],
    [{ runbookUrl: 'docs/alerts.md' }, 'runbookUrl "docs/alerts.md" is no http or https URL'],
    [{ runbookUrl: 'https://a/b#c' }, 'is no http or https URL without a fragment'],
    [{ prometheusNamespace: 'Mon' }, 'prometheusNamespace "Mon" is no namespace'],
    [{ name: 'a'.repeat(54) }, 'is no name for an object: use 1 to 53'],
  ])('with %j is refused', (monitoring, message) => {
    const make = (): unknown => new Dragonfly(chart(), 'it', { ...IMAGES, monitoring });
    expect(make).toThrow(message);
    expect(make).toThrow('test/it/monitoring: ');
  });

  it('of the classic installation, or of nothing, is refused', () => {
    expect(() => new Dragonfly(chart(), 'it', { ...Preset.classic(), monitoring: {} })).toThrow(
      'test/it/monitoring: test/it/df-daemon is of the classic installation, whose ports have no names',
    );
    const { supernode } = new Dragonfly(chart(), 'it', IMAGES);
    expect(() => new DragonflyMonitoring(chart(), 'it', { supernode, daemons: [] })).toThrow(
      'test/it: daemons is empty',
    );
  });
});
