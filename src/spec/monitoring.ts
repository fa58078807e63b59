import type { MonitoringOptions } from '../monitoring-props';
import { checkName, checkNamespace } from './checks';
import { durationText, written } from './durations';
import { checkAnnotations, checkLabels } from './metadata';

/** Everything about monitoring that its props say. */
export interface MonitoringSpec {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** As Prometheus writes durations. */
  readonly interval: string;
  readonly alerts: boolean;
  readonly alertLabels: Readonly<Record<string, string>>;
  /** Without a slash at its end. */
  readonly runbookUrl: string | undefined;
  readonly dashboard: boolean;
  readonly dashboardLabels: Readonly<Record<string, string>>;
  readonly prometheusNamespace: string;
}

/** An answer may be lost, and two are still within 5 minutes. */
const MAX_ALERTED_INTERVAL_MS = 120_000;

const ALERT_LABEL = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** What the rules say of each alert. */
const OWN_ALERT_LABELS = ['severity', 'alertname'];

/**
 * Props with their defaults, checked.
 *
 * @throws Error naming the prop, the value and the fix.
 */
export function monitoringSpec(props: MonitoringOptions): MonitoringSpec {
  return {
    name: checkName('name', props.name ?? 'dragonfly', 53),
    labels: checkLabels('labels', props.labels ?? {}),
    annotations: checkAnnotations('annotations', props.annotations ?? {}),
    interval: intervalText(props),
    alerts: props.alerts ?? true,
    alertLabels: checkAlertLabels(props),
    runbookUrl: props.runbookUrl === undefined ? undefined : checkRunbookUrl(props.runbookUrl),
    dashboard: props.dashboard ?? true,
    dashboardLabels: checkLabels('dashboardLabels', props.dashboardLabels ?? { grafana_dashboard: '1' }),
    prometheusNamespace: checkNamespace('prometheusNamespace', props.prometheusNamespace ?? 'monitoring'),
  };
}

function intervalText({ interval, alerts = true }: MonitoringOptions): string {
  const text = durationText('interval', interval, { min: 1000, max: 300_000 }) ?? '30s';
  if (alerts && interval !== undefined && interval.toMilliseconds() > MAX_ALERTED_INTERVAL_MS) {
    throw new Error(
      `interval is ${text}, and alerts look at what came within 5 minutes, two answers at least: ` +
        `use at most ${written(MAX_ALERTED_INTERVAL_MS)}, or set alerts to false.`,
    );
  }
  return text;
}

function checkAlertLabels({ alertLabels = {}, alerts = true }: MonitoringOptions): Readonly<Record<string, string>> {
  const names = Object.keys(alertLabels);
  if (!alerts && names.length > 0) {
    throw new Error('alertLabels is given, and alerts is false: leave one of the two out.');
  }
  for (const name of names) {
    if (!ALERT_LABEL.test(name)) {
      throw new Error(
        `alertLabels has "${name}", which is no label of Prometheus: use letters, digits and underscores.`,
      );
    }
    if (OWN_ALERT_LABELS.includes(name)) {
      throw new Error(`alertLabels has "${name}", which each alert has already: use another label.`);
    }
  }
  return { ...alertLabels };
}

function checkRunbookUrl(url: string): string {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url) || url.includes('#')) {
    throw new Error(
      `runbookUrl "${url}" is no http or https URL without a fragment: write where docs/alerts.md is, such as https://example.com/docs/alerts.md.`,
    );
  }
  return url;
}
