import type { AlertScope } from './alerts';

interface Panel {
  readonly title: string;
  readonly description: string;
  readonly unit: string;
  /** PromQL by legend. */
  readonly queries: Readonly<Record<string, string>>;
  readonly stacked?: boolean;
  readonly stat?: boolean;
}

const WIDTH = 8;
const HEIGHT = 8;
const COLUMNS = 3;
const SOURCE = { type: 'prometheus', uid: '${datasource}' };

/** A dashboard for Grafana 9 and newer: its JSON, a panel a line. */
export function dashboard(title: string, uid: string, scope: AlertScope): string {
  const head = JSON.stringify(headOf(title, uid));
  const panels = panelsOf(scope).map((panel, i) => JSON.stringify(panelOf(panel, i)));
  return `${head.slice(0, -1)},"panels":[\n${panels.join(',\n')}\n]}\n`;
}

function headOf(title: string, uid: string): object {
  return {
    uid,
    title,
    tags: ['dragonfly'],
    schemaVersion: 38,
    editable: false,
    refresh: '1m',
    time: { from: 'now-6h', to: 'now' },
    templating: {
      list: [{ name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus' }],
    },
  };
}

function panelOf(panel: Panel, i: number): object {
  return {
    id: i + 1,
    type: panel.stat === true ? 'stat' : 'timeseries',
    title: panel.title,
    description: panel.description,
    datasource: SOURCE,
    gridPos: { x: (i % COLUMNS) * WIDTH, y: Math.floor(i / COLUMNS) * HEIGHT, w: WIDTH, h: HEIGHT },
    fieldConfig: {
      defaults: {
        unit: panel.unit,
        min: 0,
        ...(panel.stacked === true ? { custom: { stacking: { mode: 'normal' }, fillOpacity: 40 } } : {}),
      },
      overrides: [],
    },
    targets: Object.entries(panel.queries).map(([legendFormat, expr], n) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + n),
      datasource: SOURCE,
      expr,
      legendFormat,
    })),
  };
}

function panelsOf({ supernode: s, daemon: d }: AlertScope): readonly Panel[] {
  const rate = (metric: string, matchers: string): string => `rate(${metric}{${matchers}}[$__rate_interval])`;
  return [
    {
      title: 'Where the nodes have their bytes from',
      description: 'Bytes of blobs a second: own disk, other nodes, supernode, registry.',
      unit: 'Bps',
      stacked: true,
      queries: { '{{source}}': `sum by (source) (${rate('dragonfly_dfdaemon_bytes_total', d)})` },
    },
    {
      title: 'From registries',
      description: 'Bytes a second that leave the registries: fetched by supernodes, and by nodes themselves.',
      unit: 'Bps',
      stacked: true,
      queries: {
        supernodes: `sum(${rate('dragonfly_supernode_origin_bytes_total', s)})`,
        nodes: `sum(${rate('dragonfly_dfdaemon_bytes_total', `${d},source="origin"`)})`,
      },
    },
    {
      title: 'Copies from registries',
      description: 'Bytes from registries for each byte of the last 1,000 blobs: 1 is one copy.',
      unit: 'none',
      stat: true,
      queries: { '{{pod}}': `dragonfly_supernode_origin_copies{${s}}` },
    },
    {
      title: 'Time to the first byte of a blob',
      description: 'Through the swarm, over all nodes.',
      unit: 's',
      queries: Object.fromEntries(
        [0.5, 0.9, 0.99].map((quantile) => [
          `${quantile}`,
          `histogram_quantile(${quantile}, sum by (le) (${rate('dragonfly_dfdaemon_first_byte_seconds_bucket', d)}))`,
        ]),
      ),
    },
    {
      title: 'Answers of the mirrors',
      description: 'Requests of container runtimes a second, by status; 0: the client left.',
      unit: 'reqps',
      stacked: true,
      queries: { '{{code}}': `sum by (code) (${rate('dragonfly_dfdaemon_responses_total', d)})` },
    },
    {
      title: 'Blobs that the registry gave because the swarm did not',
      description: 'A second, by reason.',
      unit: 'reqps',
      queries: { '{{reason}}': `sum by (reason) (${rate('dragonfly_dfdaemon_fallbacks_total', d)})` },
    },
    {
      title: 'Df-daemons',
      description: 'That answer, and that do not.',
      unit: 'none',
      queries: { up: `count(up{${d}} == 1)`, down: `count(up{${d}} == 0)` },
    },
    {
      title: 'Supernodes',
      description: 'That answer, and the sessions of daemons at each.',
      unit: 'none',
      queries: { up: `count(up{${s}} == 1)`, 'sessions {{pod}}': `dragonfly_supernode_sessions{${s}}` },
    },
    {
      title: 'Tasks of the supernodes',
      description: 'By the state of their download.',
      unit: 'none',
      queries: { '{{cdnstatus}}': `sum by (cdnstatus) (dragonfly_supernode_tasks{${s}})` },
    },
    {
      title: 'Downloads of the supernodes',
      description: 'A second: begun, whole, failed.',
      unit: 'ops',
      queries: {
        begun: `sum(${rate('dragonfly_supernode_cdn_trigger_total', s)})`,
        whole: `sum(${rate('dragonfly_supernode_cdn_download_total', s)})`,
        failed: `sum(${rate('dragonfly_supernode_cdn_download_failed_total', s)})`,
      },
    },
    {
      title: 'Stores of the supernodes',
      description: 'Bytes of blobs, the quota, and what is free on the disk.',
      unit: 'bytes',
      queries: {
        'blobs {{pod}}': `dragonfly_supernode_store_bytes{${s}}`,
        'quota {{pod}}': `dragonfly_supernode_store_quota_bytes{${s}}`,
        'free {{pod}}': `dragonfly_supernode_store_free_bytes{${s}}`,
      },
    },
    {
      title: 'Stores of the nodes',
      description: 'Bytes of blobs: the most, the middle, the least.',
      unit: 'bytes',
      queries: Object.fromEntries(
        [1, 0.5, 0].map((quantile) => [`${quantile}`, `quantile(${quantile}, dragonfly_dfdaemon_store_bytes{${d}})`]),
      ),
    },
    {
      title: 'Load of the supernodes',
      description: 'Seconds of CPU a second; how late timers are, 99 of 100.',
      unit: 's',
      queries: {
        'CPU {{pod}}': rate('process_cpu_seconds_total', s),
        'late {{pod}}': `dragonfly_supernode_event_loop_lag_seconds{${s},quantile="0.99"}`,
      },
    },
    {
      title: 'Memory of the supernodes',
      description: 'Resident.',
      unit: 'bytes',
      queries: { '{{pod}}': `process_resident_memory_bytes{${s}}` },
    },
    {
      title: 'Connections of the supernodes',
      description: 'By port; the limits are 20,000 at api and 10,000 at pieces.',
      unit: 'none',
      queries: { '{{port}} {{pod}}': `dragonfly_supernode_connections{${s}}` },
    },
  ];
}
