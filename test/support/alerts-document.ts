import { ALERTS } from '../../src/monitoring/alerts';
import type { Alert, AlertScope } from '../../src/monitoring/alerts';

const SCOPE: AlertScope = {
  supernode: 'job="supernode"',
  daemon: 'job="df-daemon"',
  replicas: 3,
  minFreeBytes: 5 * 2 ** 30,
};

/** The text of docs/alerts.md. */
export function alertsDocument(): string {
  return [
    '# Alerts',
    '',
    'What `DragonflyMonitoring` (or `monitoring` of `Dragonfly`) alerts about, the most urgent first, with what to do. Every series has the labels',
    '`namespace` and `job`, the name of the construct; they are left out below except `job`.',
    '',
    ...ALERTS.flatMap(section),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}

function section({ name, severity, lasting, summary, impact, runbook, expression }: Alert): string[] {
  return [
    `## ${name}`,
    '',
    `_${severity}${lasting === '0m' ? ', at once' : `, after ${lasting}`}._ ${summary.replace(/\{\{(.*?)\}\}/g, '`{{$1}}`')}`,
    '',
    `What it means for pulls: ${impact}`,
    '',
    ...runbook.map((step, i) => `${i + 1}. ${step}`),
    '',
    '```promql',
    expression(SCOPE) ?? '',
    '```',
    '',
  ];
}
