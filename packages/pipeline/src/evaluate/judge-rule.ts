import type { LeasedRun, RuleHead, RuleHealth, SeriesRow } from '@tocsin/db';
import { advance, firstState, judge, type Judgement, type QueryResult, type Step } from '@tocsin/domain';
import type { PlannedRule } from './plan-run.ts';

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
  /** Series that nobody has seen for long and that are dropped from memory. */
  forgotten: SeriesRow[];
  /** Series past the bound. */
  dropped: number;
  health: RuleHealth;
  healthReason: string | null;
  /** Set when people changed the rule or its series meanwhile: nothing of this outcome counts. */
  isSuperseded: boolean;
}

/** What one rule found in a run: pure but for its inputs. */
export function judgeRule(
  run: LeasedRun,
  head: RuleHead,
  planned: PlannedRule,
  results: QueryResult[],
  knownSeries: readonly SeriesRow[],
): RuleOutcome {
  const { rule, slotMs } = planned;
  const forgottenAtMs = slotMs - Math.max(FORGOTTEN_AFTER_MS, 2 * planned.everyMs);
  const isForgotten = (row: SeriesRow): boolean => row.state.phase === 'ok' && row.lastSeenMs <= forgottenAtMs;
  const { judgements, dropped } = judge(
    rule.compiled,
    results,
    knownSeries.filter((row) => !isForgotten(row)),
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
    isSuperseded: false,
    forgotten: knownSeries.filter((row) => isForgotten(row) && !judged.has(row.seriesKey)),
    ...healthOf(judgements, results),
  };
}

/** The worst thing that can be said of all series: an error in any, no data in all of them. */
function healthOf(judgements: readonly Judgement[], results: readonly QueryResult[]): { health: RuleHealth; healthReason: string | null } {
  const failed = results.find((result) => result.kind === 'failed');
  if (failed?.kind === 'failed') return { health: 'error', healthReason: `${failed.code}: ${failed.message}` };
  const hasData = judgements.some((judgement) => judgement.verdict !== 'unknown');
  return hasData ? { health: 'ok', healthReason: null } : { health: 'no_data', healthReason: 'no series has a reading' };
}
