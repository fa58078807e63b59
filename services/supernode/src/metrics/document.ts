import { METRICS } from './table';
import type { MetricSpec } from './table';

const HEAD = ['Name', 'Labels', 'Type', 'Dragonfly 0.4.3', 'What'] as const;

const INTRODUCTION = `# Metrics

\`GET /metrics\` on port 8002 of a supernode answers in the text format of Prometheus. Names that the original supernode 0.4.3 has are kept,
with its meaning; where labels differ, the description says how.

## Supernode
`;

/** The text of \`docs/metrics.md\`. */
export function metricsDocument(): string {
  const rows = Object.entries<MetricSpec>(METRICS).map(([name, { labels, type, original, help }]) => [
    `\`${name}\``,
    labels.map((label) => `\`${label}\``).join(', '),
    type,
    original ? 'yes' : '',
    help,
  ]);
  return `${INTRODUCTION}\n${table([[...HEAD], ...rows])}`;
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`);
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |\n`;
  return [lines[0], rule, ...lines.slice(1)].join('');
}
