import type { AlertReading, OpenAlert } from '@tocsin/db';
import { alertTypeNameOf, type AlertType, type AlertTypeName, type CompiledRule, type Operator, type Severity } from '@tocsin/domain';
import type { SeriesOutcome } from './judge-rule.ts';
import type { PlannedRule } from './plan-run.ts';

/** The numbers of an open alert of which nothing else changes are written this often at most. */
const REFRESH_MS = 5 * 60_000;

/** A reminder tells what is written by then, and a run may end as late as one `every` after its slot before it is called so. */
const SLOTS_AHEAD = 2;

/**
 * What an alert shows of its measurement; `before`: so far, null when it opens. The peak is that of the comparison that leads, and starts
 * anew with another. Where there is no value, what is shown stays that of the comparison that led before.
 */
export function readingOf(
  compiled: CompiledRule,
  { judgement: { lead }, step: { state } }: Pick<SeriesOutcome, 'judgement' | 'step'>,
  before: AlertReading | null,
  excess: number,
): AlertReading {
  if (lead.value === null && before !== null) return { ...before, value: null, samples: lead.samples };
  const comparison = compiled.comparisons[lead.comparison];
  if (comparison === undefined)
    throw new Error(`a rule of ${compiled.comparisons.length} comparisons has none numbered ${lead.comparison}`);
  return {
    comparison: lead.comparison,
    metric: comparison.metric,
    aggregation: comparison.aggregation,
    operator: lead.operator,
    value: lead.value,
    threshold: lead.threshold,
    unit: comparison.unit,
    windowMs: comparison.windowMs,
    samples: lead.samples,
    peak: worse(lead.operator, before?.comparison === lead.comparison ? before.peak : null, lead.value),
    origin: lead.origin,
    ...(state.isFlapping ? { isFlapping: true as const } : {}),
    ...(excess > 0 ? { excess } : {}),
  };
}

/** What kind of trouble the comparison is that a reading is of. */
export function typeNameOf(compiled: CompiledRule, { comparison }: AlertReading, cause: AlertType, severity: Severity): AlertTypeName {
  const leads = compiled.comparisons[comparison];
  return leads === undefined ? 'custom' : alertTypeNameOf(leads, cause, severity);
}

/** Whether an open alert must be written for its numbers' sake: another comparison leads, it is worse than ever, or what is written is old. */
export function isOutdated({ rule, slotMs, everyMs }: PlannedRule, open: OpenAlert, series: SeriesOutcome, excess: number): boolean {
  const before = open.reading;
  const now = readingOf(rule.compiled, series, before, excess);
  if (now.comparison !== before.comparison || now.peak !== before.peak) return true;
  if (now.isFlapping !== before.isFlapping || now.excess !== before.excess) return true;
  if (now.value === before.value && now.samples === before.samples) return false;
  const isToldSoon = open.reminderDueMs !== null && open.reminderDueMs <= slotMs + SLOTS_AHEAD * everyMs;
  return isToldSoon || slotMs - open.lastSlotMs >= REFRESH_MS;
}

/** Of two values the one further to the breaching side; the first where no side is worse. */
function worse(operator: Operator, old: number | null, value: number | null): number | null {
  if (old === null || value === null) return value ?? old;
  if (operator === '>' || operator === '>=') return Math.max(old, value);
  return operator === '<' || operator === '<=' ? Math.min(old, value) : old;
}
