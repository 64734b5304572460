import { advance, firstState, type SlotTime } from './advance.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { judge, worstOf, type Circumstances, type Judged, type KnownSeries } from './judge.ts';
import type { QueryResult } from './reading.ts';
import { RULE_BOUNDS } from './rule-bounds.ts';
import type { Health, Judgement, SeriesState, Step } from './series-state.ts';
import type { EpochMs } from './clock.ts';
import { worstFirst } from './worst-first.ts';

/** What is remembered of a series between slots. Live it is a row; a preview keeps it in memory. */
export interface RememberedSeries extends KnownSeries {
  state: SeriesState;
  /** As it was last written, which may be coarser than the state says. */
  lastSeenMs: EpochMs;
}

export interface SteppedSeries<Remembered extends RememberedSeries> {
  judgement: Judgement;
  step: Step;
  /** Null: seen for the first time. */
  known: Remembered | null;
}

/** What one rule found at one slot. */
export interface RuleStep<Remembered extends RememberedSeries> {
  series: SteppedSeries<Remembered>[];
  /** Series that are dropped from memory: seen by nobody for long, or past the bound. */
  forgotten: Remembered[];
  /** Series past the bound. */
  dropped: number;
  /** Series that would have an alert of their own, and are counted on the worst one instead. */
  excess: number;
  health: Health;
  healthReason: string | null;
}

/** A series not seen for this long, or for two slots of a rule that looks more rarely, is forgotten; the day, and the hour a row may lag. */
const FORGOTTEN_AFTER_MS = 25 * 3_600_000;

/**
 * Takes one rule over one slot: what its condition says of each series, and what becomes of each. Pure; live evaluation, preview, backtest and test are
 * all this.
 * @param isLeftOut the rule's answers are not there for want of room: only what is not well is judged
 */
export function stepRule<Remembered extends RememberedSeries>(
  rule: CompiledRule,
  results: readonly QueryResult[],
  remembered: readonly Remembered[],
  time: SlotTime,
  circumstances: Circumstances = {},
  isLeftOut: boolean = false,
): RuleStep<Remembered> {
  const { slotMs, everyMs } = time;
  const forgottenAtMs = slotMs - Math.max(FORGOTTEN_AFTER_MS, 2 * everyMs);
  const isForgotten = (series: Remembered): boolean => series.state.phase === 'ok' && series.lastSeenMs <= forgottenAtMs;
  const known = remembered.filter((series) => !isForgotten(series) && !(isLeftOut && series.state.phase === 'ok'));
  const own = judge(rule, results, known, { endMs: slotMs - rule.evaluationDelayMs, ...circumstances });
  const { early, ...usual } = circumstances;
  const { judgements, dropped } =
    early === undefined ? own : withEarly(rule, own, judge(rule, early, known, { ...usual, endMs: slotMs }).judgements, known, usual);

  const bySeries = new Map(remembered.map((series) => [series.seriesKey, series]));
  const series = stepAll(rule, judgements, bySeries, time);
  const judged = new Set(judgements.map(({ seriesKey }) => seriesKey));
  const excess = series.filter(({ step }) => step.reason === 'max_open_alerts').length;
  return {
    series,
    dropped,
    excess,
    forgotten: remembered.filter(({ isOpen, seriesKey }) => !isOpen && !judged.has(seriesKey)),
    ...healthOf(judgements, results, reasonOfOk(rule, dropped, excess, judgements.length)),
  };
}

/**
 * What is yet to come can only add to an early breach; of what does not breach yet nothing is said early. A series of which the rule's own window holds
 * nothing begins with its early breach.
 */
function withEarly(
  rule: CompiledRule,
  { judgements, dropped }: Judged,
  early: readonly Judgement[],
  known: readonly KnownSeries[],
  { atMost = RULE_BOUNDS.seriesPerRule }: Circumstances,
): Judged {
  const breaching = new Map(early.filter(({ verdict }) => verdict === 'breach').map((judgement) => [judgement.seriesKey, judgement]));
  if (breaching.size === 0) return { judgements, dropped };
  const open = new Set(known.filter(({ isOpen }) => isOpen).map(({ seriesKey }) => seriesKey));
  const judged = judgements.map((judgement) => {
    const { seriesKey, verdict, rank } = judgement;
    const sooner = breaching.get(seriesKey);
    breaching.delete(seriesKey);
    const isNews = sooner !== undefined && (verdict !== 'breach' || sooner.rank > rank);
    return { isOpen: open.has(seriesKey), judgement: isNews ? { ...sooner, isEarly: true as const } : judgement };
  });
  const begun = [...breaching.values()].map((judgement) => ({ isOpen: false, judgement: { ...judgement, isEarly: true as const } }));
  return worstOf([...judged, ...begun], Math.min(atMost, rule.maxSeries), dropped);
}

/** Whether a series is remembered for the next slot. Of more than are judged, other ones every minute perhaps, only what is not well is. */
export const isRemembered = (
  { dropped }: Pick<RuleStep<never>, 'dropped'>,
  { known, step }: Pick<SteppedSeries<RememberedSeries>, 'known' | 'step'>,
): boolean => known !== null || dropped === 0 || step.state.phase !== 'ok';

/** The worst series come first to the alerts a rule may have open. */
function stepAll<Remembered extends RememberedSeries>(
  rule: CompiledRule,
  judgements: readonly Judgement[],
  bySeries: ReadonlyMap<string, Remembered>,
  time: SlotTime,
): SteppedSeries<Remembered>[] {
  const known = judgements.map((judgement) => ({ judgement, known: bySeries.get(judgement.seriesKey) ?? null }));
  if (judgements.length <= rule.maxOpenAlerts) {
    return known.map((each) => ({ ...each, step: advance(each.known?.state ?? firstState(time.slotMs), each.judgement, rule, time) }));
  }
  const worst = known.map((each) => ({ ...each, isOpen: each.known !== null && isOpen(each.known.state) })).sort(worstFirst);
  let open = worst.filter((each) => each.isOpen).length;
  return worst.map(({ judgement, known: before, isOpen: wasOpen }) => {
    const mayOpen = open < rule.maxOpenAlerts;
    const step = advance(before?.state ?? firstState(time.slotMs), judgement, rule, { ...time, mayOpen });
    open += Number(isOpen(step.state)) - Number(wasOpen);
    return { judgement, known: before, step };
  });
}

const isOpen = ({ phase }: SeriesState): boolean => phase === 'firing' || phase === 'recovering';

function reasonOfOk({ maxOpenAlerts }: CompiledRule, dropped: number, excess: number, judged: number): string | null {
  if (excess > 0) return `max_open_alerts: ${excess} more series breach than the ${maxOpenAlerts} that may have an alert`;
  return dropped > 0 ? `series_dropped: only the worst ${judged} series are judged` : null;
}

/** The worst thing that can be said of all series: an error in any, no data in all of them. */
function healthOf(
  judgements: readonly Judgement[],
  results: readonly QueryResult[],
  ok: string | null,
): { health: Health; healthReason: string | null } {
  const failed = results.find((result) => result.kind === 'failed');
  if (failed?.kind === 'failed') return { health: 'error', healthReason: `${failed.code}: ${failed.message}` };
  if (judgements.some(({ verdict }) => verdict === 'failed')) return { health: 'error', healthReason: 'the past could not be read' };
  const notReady = judgements.find(({ verdict }) => verdict === 'not_ready');
  const hasVerdict = judgements.some(({ verdict }) => verdict === 'breach' || verdict === 'clear');
  if (notReady !== undefined && !hasVerdict) return { health: 'warming', healthReason: notReady.lead.notReady ?? 'warming' };
  return hasVerdict ? { health: 'ok', healthReason: ok } : { health: 'no_data', healthReason: 'no series has a reading' };
}
