import { METRICS as DFDAEMON_METRICS } from '@cdk8s-dragonfly/dfdaemon';
import { METRICS as SUPERNODE_METRICS } from '@cdk8s-dragonfly/supernode';

/** A metric, as both daemons have them. */
interface MetricSpec {
  readonly type: string;
  readonly labels: readonly string[];
  readonly help: string;
  readonly original?: boolean;
}

const INTRODUCTION = `# Metrics

In the text format of Prometheus, as \`GET /metrics\` answers. [alerts.md](alerts.md) is made of them.

## Supernode

At port 8002. Names that the original supernode 0.4.3 has are kept, with its meaning; where labels differ, the description says how.
`;

const OF_DAEMONS = `## df-daemon

At port 65003 (\`--ops-listen\`). The original has none.
`;

/** The text of `docs/metrics.md`. */
export function metricsDocument(): string {
  const supernode = rowsOf(SUPERNODE_METRICS, ({ original }) => [original === true ? 'yes' : '']);
  const daemon = rowsOf(DFDAEMON_METRICS, () => []);
  return [
    INTRODUCTION,
    table([['Name', 'Labels', 'Type', 'Dragonfly 0.4.3', 'What'], ...supernode]),
    OF_DAEMONS,
    table([['Name', 'Labels', 'Type', 'What'], ...daemon]),
  ].join('\n');
}

function rowsOf(metrics: Readonly<Record<string, MetricSpec>>, more: (metric: MetricSpec) => string[]): string[][] {
  return Object.entries(metrics).map(([name, metric]) => [
    `\`${name}\``,
    metric.labels.map((label) => `\`${label}\``).join(', '),
    metric.type,
    ...more(metric),
    metric.help,
  ]);
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`);
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |\n`;
  return [lines[0], rule, ...lines.slice(1)].join('');
}
