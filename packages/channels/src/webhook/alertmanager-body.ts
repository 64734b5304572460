import { createHash } from 'node:crypto';
import type { WebhookBody } from '@tocsin/domain';

/** How Go writes that there is no time. */
const NEVER = '0001-01-01T00:00:00Z';

/**
 * The body of Alertmanager's webhook, version 4, for what is built to receive it: one alert, a group of its own. Of several that are told together
 * it is the worst, and the others are counted.
 * https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
 */
export function alertmanagerBody({ data: { alert, rule, context, group } }: WebhookBody, sentence: string): string {
  const status = alert.status === 'resolved' ? 'resolved' : 'firing';
  const labels = { ...alert.labels, alertname: rule.name, severity: alert.severity, rule_key: rule.key };
  const { summary, description, runbookUrl, ...others } = context;
  const annotations = {
    ...others,
    summary: summary ?? sentence,
    ...(description === undefined ? {} : { description }),
    ...(runbookUrl === undefined ? {} : { runbook_url: runbookUrl }),
    ...(alert.value === null ? {} : { value: String(alert.value) }),
  };
  const url = alert.url ?? '';
  return JSON.stringify({
    version: '4',
    groupKey: `{}:{alert_id="${alert.id}"}`,
    truncatedAlerts: group === undefined ? 0 : group.count - 1,
    status,
    receiver: 'tocsin',
    groupLabels: { alertname: rule.name },
    commonLabels: labels,
    commonAnnotations: annotations,
    externalURL: url === '' ? '' : new URL(url).origin,
    alerts: [
      {
        status,
        labels,
        annotations,
        startsAt: alert.startedAt,
        endsAt: alert.resolvedAt ?? NEVER,
        generatorURL: url,
        fingerprint: fingerprintOf(labels),
      },
    ],
  });
}

/** 16 hexadecimal digits that are the same for the same labels. */
const fingerprintOf = (labels: Readonly<Record<string, string>>): string =>
  createHash('sha256')
    .update(JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest('hex')
    .slice(0, 16);
