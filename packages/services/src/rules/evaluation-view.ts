import type { Evaluation } from '@tocsin/contracts';
import { originWords } from '@tocsin/domain';
import type { EvaluationRow } from '@tocsin/events';
import { timeText } from '../time-text.ts';

/** What one look at one series found. A row does not know the unit of its numbers, so that its `why` has none. */
export const viewEvaluation = (row: EvaluationRow): Evaluation => ({
  runId: row.runId,
  slot: timeText(row.slotMs),
  series: { ...row.labels },
  ruleVersion: row.version,
  ...viewRecorded(row, null),
});

/** The same without what it is of. */
export const viewRecorded = (row: EvaluationRow, unit: string | null): Omit<Evaluation, 'runId' | 'slot' | 'series' | 'ruleVersion'> => ({
  evaluatedAt: timeText(row.evaluatedAtMs),
  value: row.value,
  threshold: row.threshold,
  operator: row.operator,
  triggered: row.triggered,
  samples: row.samples,
  windowStart: timeText(row.windowFromMs),
  windowEnd: timeText(row.windowToMs),
  durationMs: row.durationMs,
  outcome: row.outcome,
  reason: row.reason,
  severity: row.severity,
  origin: row.origin,
  why: row.origin === null ? null : originWords(row.origin, unit),
});
