import type { LeasedRun, RuleHead, SeriesRow } from '@tocsin/db';
import { advance, firstState, judge, type Health, type Judgement, type QueryResult, type Step } from '@tocsin/domain';
import { type Conduct, conductOf } from './conduct.ts';
import type { PlannedRule } from './plan-run.ts';
import { RUN_FULL } from './series-budget.ts';

/** A series not seen for this long, or for two slots of a rule that looks more rarely, is forgotten; the day, and the hour a row may lag. */
const FORGOTTEN_AFTER_MS = 25 * 3_600_000;

export interface SeriesOutcome {
  judgement: Judgement;
  step: Step;
  /** Null: seen for the first time. */
  known: SeriesRow | null;
}

export interface RuleOutcome {
  run: LeasedRun;
  planned: PlannedRule;
  head: RuleHead;
  series: SeriesOutcome[];
  /** Series that are dropped from memory: seen by nobody for long, or past the bound. */
  forgotten: SeriesRow[];
  /** Series past the bound. */
  dropped: number;
  health: Health;
  healthReason: string | null;
  conduct: Conduct;
  /** False: judging it threw, and no series took a step. */
  isJudged: boolean;
  /** Set when people changed the rule or its series meanwhile: nothing of this outcome counts. */
  isSuperseded: boolean;
}

/** What one rule found in a run. A rule that cannot be judged is in error by itself: its series and alerts stay as they are. */
export function judgeRule(
  run: LeasedRun,
  head: RuleHead,
  planned: PlannedRule,
  results: QueryResult[],
  knownSeries: readonly SeriesRow[],
  atMost: number,
): RuleOutcome {
  try {
    return judgeSeries(run, head, planned, results, knownSeries, atMost);
  } catch (error) {
    const healthReason = `evaluation_error: ${error instanceof Error ? error.message : 'unknown'}`;
    const nothing = { series: [], dropped: 0, forgotten: [], isJudged: false, isSuperseded: false };
    return { run, head, planned, ...nothing, health: 'error', healthReason, conduct: { kind: 'failed', reason: healthReason } };
  }
}

function judgeSeries(
  run: LeasedRun,
  head: RuleHead,
  planned: PlannedRule,
  results: QueryResult[],
  knownSeries: readonly SeriesRow[],
  atMost: number,
): RuleOutcome {
  const { rule, slotMs } = planned;
  const forgottenAtMs = slotMs - Math.max(FORGOTTEN_AFTER_MS, 2 * planned.everyMs);
  const isForgotten = (row: SeriesRow): boolean => row.state.phase === 'ok' && row.lastSeenMs <= forgottenAtMs;
  const isLeftOut = results.some((result) => result.kind === 'failed' && result.code === RUN_FULL);
  const { judgements, dropped } = judge(
    rule.compiled,
    results,
    knownSeries.filter((row) => !isForgotten(row) && !(isLeftOut && row.state.phase === 'ok')),
    atMost,
  );

  const rows = new Map(knownSeries.map((row) => [row.seriesKey, row]));
  const series = judgements.map((judgement): SeriesOutcome => {
    const known = rows.get(judgement.seriesKey) ?? null;
    return { judgement, known, step: advance(known?.state ?? firstState(slotMs), judgement, rule.compiled, planned) };
  });
  const judged = new Set(judgements.map((judgement) => judgement.seriesKey));
  return {
    run,
    head,
    planned,
    series,
    dropped,
    conduct: conductOf(results),
    isJudged: true,
    isSuperseded: false,
    forgotten: knownSeries.filter((row) => !row.isOpen && !judged.has(row.seriesKey)),
    ...healthOf(judgements, results, dropped > 0 ? `series_dropped: only the worst ${atMost} series are judged` : null),
  };
}

/** The worst thing that can be said of all series: an error in any, no data in all of them. */
function healthOf(
  judgements: readonly Judgement[],
  results: readonly QueryResult[],
  reasonOfOk: string | null,
): { health: Health; healthReason: string | null } {
  const failed = results.find((result) => result.kind === 'failed');
  if (failed?.kind === 'failed') return { health: 'error', healthReason: `${failed.code}: ${failed.message}` };
  const hasData = judgements.some((judgement) => judgement.verdict !== 'unknown');
  return hasData ? { health: 'ok', healthReason: reasonOfOk } : { health: 'no_data', healthReason: 'no series has a reading' };
}
