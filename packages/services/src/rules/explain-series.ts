import type { RuleExplanation } from '@tocsin/contracts';
import type { ToldRow } from '@tocsin/db';
import { phaseAfter, slotText, type ComparisonTrace, type Phase, type SeriesTrace } from '@tocsin/domain';
import type { EvaluationRow } from '@tocsin/events';
import { viewAttempt, viewDelivery } from '../deliveries/delivery-view.ts';
import { viewRecorded } from './evaluation-view.ts';
import type { SeenNow } from './look-back.ts';
import type { Stood } from './slot-of-rule.ts';
import { viewTrace } from './trace-view.ts';

type Explained = RuleExplanation['series'][number];

interface SlotOfSeries {
  row: EvaluationRow;
  /** Null: not known. */
  before: Stood | null;
  /** Null: its windows cannot be read again. */
  seenNow: SeenNow | null;
  told: readonly ToldRow[];
}

/** One series at one slot: as it was recorded, as it looks now, and what was told of it. */
export function explainSeries({ row, before: stood, seenNow, told }: SlotOfSeries): Explained {
  const before = stood?.phase ?? null;
  const traceAs = (isHeld: boolean): SeriesTrace | null =>
    row.reason === 'no_series' ? null : (seenNow?.trace(row.seriesKey, isHeld) ?? null);
  const trace = traceAs(stood?.isHeld ?? false);
  const now = trace?.comparisons[row.comparison] ?? null;
  const after: Phase | null = row.outcome === 'superseded' ? before : (phaseAfter(row.reason) ?? before);
  const recorded = viewRecorded(row, now?.unit ?? null);
  const rule = seenNow?.compiled ?? null;
  return {
    labels: { ...row.labels },
    text: slotText({ reason: row.reason, before, after, recorded, now, rule, told: told.map(toldShort) }),
    recorded,
    now: now === null || trace === null ? null : viewNow(now, trace),
    difference: now === null || trace === null ? null : differenceOf(row, now, traceAs(false)?.verdict === 'breach'),
    state: { before, after },
    trace: trace === null ? null : viewTrace(trace.tree),
    told: told.map(viewTold),
  };
}

const viewNow = ({ value, threshold, samples, origin, why }: ComparisonTrace, { verdict }: SeriesTrace): NonNullable<Explained['now']> => ({
  value,
  threshold,
  samples,
  verdict,
  origin,
  why,
});

function differenceOf(row: EvaluationRow, now: ComparisonTrace, isBreaching: boolean): Explained['difference'] {
  if (now.verdict === 'failed') return null;
  const samples = now.samples - row.samples;
  const value = now.value === null || row.value === null ? null : now.value - row.value;
  const isVerdictOther = row.triggered !== isBreaching;
  const isValueOther = (now.value === null) !== (row.value === null) || value !== 0;
  if (samples === 0 && !isVerdictOther && (!isValueOther || (now.value === null && row.value === null))) return null;
  return { samples, value, isVerdictOther };
}

const toldShort = ({ kind, status, reason, deliveries }: ToldRow) => ({
  kind,
  silent: status === 'suppressed' ? reason : null,
  deliveries: deliveries.map(({ row }) => ({ channel: row.channelKey, status: row.status, reason: row.reason, attempts: row.attempts })),
});

const viewTold = ({ deliveries, ...told }: ToldRow): Explained['told'][number] => ({
  triggerId: told.triggerId,
  alertId: told.alertId,
  kind: told.kind,
  severity: told.severity,
  status: told.status,
  reason: told.reason,
  deliveries: deliveries.map(({ row, attempts }) => ({ ...viewDelivery(row), attemptLog: attempts.map(viewAttempt) })),
});
