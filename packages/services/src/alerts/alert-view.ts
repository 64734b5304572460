import type { Alert } from '@tocsin/contracts';
import type { AlertRow } from '@tocsin/db';
import { timeText, timeTextOrNull } from '../time-text.ts';

export const viewAlert = (row: AlertRow): Alert => ({
  id: row.id,
  rule: { id: row.ruleId, key: row.ruleKey, name: row.ruleName },
  labels: row.labels,
  alertType: row.alertType,
  status: row.status,
  severity: row.severity,
  metric: row.reading.metric ?? null,
  aggregation: row.reading.aggregation ?? null,
  operator: row.reading.operator ?? null,
  value: row.reading.value ?? null,
  threshold: row.reading.threshold ?? null,
  unit: row.reading.unit ?? null,
  window: row.reading.window ?? null,
  samples: row.reading.samples ?? null,
  startedAt: timeText(row.startedAtMs),
  lastSlotAt: timeText(row.lastSlotAtMs),
  resolvedAt: timeTextOrNull(row.resolvedAtMs),
  resolveReason: row.resolveReason,
  version: row.version,
});
