import type { MetricDefinition } from '@tocsin/contracts';
import type { MetricDefinitionRow } from '@tocsin/db';
import { formatDuration } from '@tocsin/domain';
import { timeText, timeTextOrNull } from '../time-text.ts';

export function viewMetricDefinition(row: MetricDefinitionRow): MetricDefinition {
  const { id, key, name, unit, query, enabled, lastRunAtMs, lastError, version } = row;
  return {
    id,
    key,
    name,
    unit,
    query,
    every: formatDuration(row.everyMs),
    evaluationDelay: formatDuration(row.evaluationDelayMs),
    enabled,
    nextRunAt: timeTextOrNull(row.nextDueAtMs),
    lastRun: lastRunAtMs === null ? null : { at: timeText(lastRunAtMs), series: row.lastSeries, dropped: row.lastDropped },
    lastError,
    version,
    createdAt: timeText(row.createdAtMs),
    createdBy: row.createdBy,
    updatedAt: timeText(row.updatedAtMs),
    updatedBy: row.updatedBy,
  };
}
