import type { Alert } from '@tocsin/contracts';
import type { AlertRow } from '@tocsin/db';
import { formatDuration, originWords } from '@tocsin/domain';
import { timeText, timeTextOrNull } from '../time-text.ts';

export const viewAlert = (row: AlertRow): Alert => ({
  id: row.id,
  rule: { id: row.ruleId, key: row.ruleKey, name: row.ruleName },
  labels: { ...row.labels },
  alertType: row.alertType,
  status: row.status,
  severity: row.severity,
  metric: row.reading.metric,
  aggregation: row.reading.aggregation,
  operator: row.reading.operator,
  value: row.reading.value,
  threshold: row.reading.threshold,
  unit: row.reading.unit,
  window: formatDuration(row.reading.windowMs),
  samples: row.reading.samples,
  peak: row.reading.peak,
  why: row.reading.origin == null ? null : originWords(row.reading.origin, row.reading.unit),
  origin: row.reading.origin == null ? null : { ...row.reading.origin },
  flapping: row.reading.isFlapping ?? false,
  excess: row.reading.excess ?? 0,
  startedAt: timeText(row.startedAtMs),
  lastSlotAt: timeText(row.lastSlotAtMs),
  resolvedAt: timeTextOrNull(row.resolvedAtMs),
  resolveReason: row.resolveReason,
  silencedUntil: row.resolvedAtMs === null ? timeTextOrNull(row.silencedUntilMs) : null,
  version: row.version,
});
