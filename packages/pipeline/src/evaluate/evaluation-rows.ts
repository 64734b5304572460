import type { LeasedRun } from '@tocsin/db';
import type { EvaluationRow } from '@tocsin/events';
import { leadWindow, type EpochMs } from '@tocsin/domain';
import type { RuleOutcome, SeriesOutcome } from './judge-rule.ts';
import type { UnreadableRule } from './rule-cache.ts';

/** Series rows kept of one run; the run's row counts them all. */
const ROWS_PER_RUN = 100_000;

export interface EvaluationTime {
  evaluatedAtMs: EpochMs;
  durationMs: number;
}

/** What the outcomes look like in history: what changed and what is worst comes first, so that the bound cuts the dullest. */
export function evaluationRows(outcomes: readonly RuleOutcome[], time: EvaluationTime): EvaluationRow[] {
  const rows = outcomes.flatMap((outcome): Row[] =>
    outcome.series.length === 0 ? [emptyRow(outcome, time)] : outcome.series.map((series) => rowOf(outcome, series, time)),
  );
  if (rows.length <= ROWS_PER_RUN) return rows;
  return rows.sort((a, b) => DULLNESS[a.outcome] - DULLNESS[b.outcome]).slice(0, ROWS_PER_RUN);
}

type Outcome = 'fired' | 'escalated' | 'resolved' | 'superseded' | 'failed' | 'suppressed' | 'breach' | 'no_data' | 'warming' | 'clear';

interface Row extends EvaluationRow {
  outcome: Outcome;
}

const DULLNESS: Readonly<Record<Outcome, number>> = {
  fired: 0,
  escalated: 0,
  resolved: 0,
  superseded: 1,
  failed: 1,
  suppressed: 2,
  breach: 2,
  no_data: 3,
  warming: 3,
  clear: 4,
};

function rowOf(outcome: RuleOutcome, series: SeriesOutcome, time: EvaluationTime): Row {
  const { judgement, step } = series;
  const { comparison, value, threshold, operator, samples, origin } = judgement.lead;
  return {
    ...commonOf(outcome, comparison, time, judgement.isEarly === true),
    seriesKey: judgement.seriesKey,
    labels: judgement.labels,
    value,
    threshold,
    operator,
    samples,
    comparison,
    origin,
    triggered: judgement.verdict === 'breach',
    outcome: outcome.isSuperseded ? 'superseded' : outcomeOf(series),
    reason: outcome.isSuperseded ? 'changed_meanwhile' : step.reason,
    severity: judgement.verdict === 'breach' ? judgement.severity : null,
  };
}

const NOTHING_SEEN = {
  seriesKey: '{}',
  labels: {},
  value: null,
  threshold: null,
  operator: null,
  samples: 0,
  comparison: 0,
  origin: null,
  triggered: false,
  severity: null,
};

/** A grouped rule over no series at all still says that it looked. */
function emptyRow(outcome: RuleOutcome, time: EvaluationTime): Row {
  return {
    ...commonOf(outcome, 0, time),
    ...NOTHING_SEEN,
    outcome: outcome.health === 'error' ? 'failed' : 'no_data',
    reason: 'no_series',
  };
}

/** A rule nobody could read looked at nothing, and says so. */
export const unreadableRows = (
  run: LeasedRun,
  rules: readonly UnreadableRule[],
  { evaluatedAtMs, durationMs }: EvaluationTime,
): EvaluationRow[] =>
  rules.map(({ id, version }) => ({
    ruleId: id,
    version,
    runId: run.id,
    slotMs: run.slotMs,
    evaluatedAtMs,
    durationMs,
    windowFromMs: run.slotMs,
    windowToMs: run.slotMs,
    ...NOTHING_SEEN,
    outcome: 'failed',
    reason: 'rule_unreadable',
  }));

function commonOf(
  { run, planned }: RuleOutcome,
  comparison: number,
  { evaluatedAtMs, durationMs }: EvaluationTime,
  isEarly: boolean = false,
) {
  const { rule, slotMs, queries } = planned;
  const lead = rule.compiled.comparisons[comparison];
  const window = lead === undefined ? null : leadWindow(lead);
  const asked = window === null ? undefined : queries[isEarly ? rule.compiled.windows.length + window : window];
  const windowToMs = asked?.endMs ?? slotMs;
  return {
    ruleId: rule.id,
    version: rule.version,
    runId: run.id,
    slotMs,
    evaluatedAtMs,
    durationMs,
    windowFromMs: windowToMs - (asked?.query.windowMs ?? 0),
    windowToMs,
  };
}

function outcomeOf({ judgement, step }: SeriesOutcome): Outcome {
  if (step.change !== null) return step.change.kind === 'no_data' ? 'fired' : step.change.kind;
  if (step.reason === 'cooldown') return 'suppressed';
  if (judgement.verdict === 'unknown') return 'no_data';
  return judgement.verdict === 'not_ready' ? 'warming' : judgement.verdict;
}
