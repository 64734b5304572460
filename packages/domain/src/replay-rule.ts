import { latestSlotIn } from './slots.ts';
import type { EpochMs } from './clock.ts';
import type { CompiledRule } from './compiled-rule.ts';
import type { Circumstances } from './judge.ts';
import type { RangeResult } from './range-reading.ts';
import type { Labels, QueryResult, SeriesReading } from './reading.ts';
import type { Change, Health, Phase, Reason, SeriesState } from './series-state.ts';
import type { Severity } from './severity.ts';
import { isRemembered, stepRule, type RememberedSeries, type RuleStep } from './step-rule.ts';

/** One series of a rule at one slot of the past. */
interface ReplayedPoint {
  at: EpochMs;
  value: number | null;
  threshold: number | null;
  phase: Phase;
  reason: Reason;
}

/** A slot at which something would have been told. */
interface ReplayedChange {
  at: EpochMs;
  change: Change;
}

export interface ReplayedSeries {
  seriesKey: string;
  labels: Labels;
  points: ReplayedPoint[];
  changes: ReplayedChange[];
  /** From the slot that fired to the one that resolved. `to` is null where it was still open at the end; `peak` is its worst value. */
  firing: { from: EpochMs; to: EpochMs | null; severity: Severity; peak: number | null }[];
}

export interface Replay {
  series: ReplayedSeries[];
  /** How many of the slots shown ended in each health. */
  health: Record<Health, number>;
  /** The most series that were left out at any slot. */
  dropped: number;
  /** Why the last slot that was not well was not; null: all were. */
  trouble: string | null;
  /** Whether every event was read, or some windows are so long that closed hours may be summed up in place of events. */
  basis: 'events' | 'hours';
}

export interface ReplaySlots {
  /** Slots in order. */
  slots: readonly EpochMs[];
  /** Those before it are played so that what is shown begins as it would have, and are not shown. */
  shownFromMs: EpochMs;
  everyMs: number;
}

/** The slots of a rule in `(fromMs, toMs]`, and before them as many as its `for`, cooldown and the like reach back, a day at most. */
export function slotsToReplay(
  rule: CompiledRule,
  { fromMs, toMs, everyMs, phaseMs }: { fromMs: EpochMs; toMs: EpochMs; everyMs: number; phaseMs: number },
): ReplaySlots {
  const reach = Math.max(rule.forMs + rule.keepFiringForMs, rule.cooldownMs, rule.flapping?.withinMs ?? 0, everyMs);
  const firstMs = fromMs - Math.min(reach, DAY_MS);
  const slots: EpochMs[] = [];
  for (let slotMs = latestSlotIn(-Infinity, toMs, everyMs, phaseMs); slotMs !== null && slotMs > firstMs; slotMs -= everyMs)
    slots.push(slotMs);
  return { slots: slots.reverse(), shownFromMs: fromMs, everyMs };
}

const DAY_MS = 86_400_000;

/** What there is to know at one of the slots, beside the readings. */
export type CircumstancesAt = (slot: number) => Circumstances;

/**
 * Plays a rule over slots of the past: the very step that is taken live, slot by slot, with what the windows hold by now. Yields after each slot, so that
 * whoever waits for the process gets a turn.
 * @param results one for each of the rule's windows, each over all slots
 * @param onStates is told all states after each slot, for rules that refer to this one
 */
export function* replayRule(
  rule: CompiledRule,
  results: readonly RangeResult[],
  { slots, shownFromMs, everyMs }: ReplaySlots,
  circumstancesAt: CircumstancesAt,
  onStates?: (slotMs: EpochMs, states: SeriesState[]) => void,
): Generator<undefined, Replay> {
  const answersAt = results.map(readingsBySlot);
  const health = { ok: 0, no_data: 0, error: 0, warming: 0 };
  const basis = results.some((result) => result.kind === 'range' && result.basis === 'hours') ? 'hours' : 'events';
  const replay: Replay = { series: [], health, dropped: 0, trouble: null, basis };
  const shown = new Map<string, ReplayedSeries>();
  const remembered = new Map<string, RememberedSeries>();
  for (const [slot, slotMs] of slots.entries()) {
    const step = stepRule(
      rule,
      answersAt.map((answer) => answer(slot)),
      [...remembered.values()],
      { slotMs, previousSlotMs: slots[slot - 1] ?? null, everyMs },
      circumstancesAt(slot),
    );
    remember(remembered, step);
    onStates?.(
      slotMs,
      [...remembered.values()].map(({ state }) => state),
    );
    if (slotMs > shownFromMs) {
      replay.dropped = Math.max(replay.dropped, step.dropped);
      health[step.health] += 1;
      if (step.health !== 'ok') replay.trouble = step.healthReason;
      for (const each of step.series) show(shown, slotMs, each);
    } else for (const each of step.series) showOpen(shown, slotMs, shownFromMs, each);
    yield;
  }
  replay.series = [...shown.values()];
  return replay;
}

type Stepped = RuleStep<RememberedSeries>['series'][number];

function remember(remembered: Map<string, RememberedSeries>, rule: RuleStep<RememberedSeries>): void {
  for (const { seriesKey } of rule.forgotten) remembered.delete(seriesKey);
  for (const { judgement, step, known } of rule.series.filter((each) => isRemembered(rule, each))) {
    const { seriesKey, labels } = judgement;
    const { state } = step;
    if (step.reason === 'series_gone') remembered.delete(seriesKey);
    else if (known === null)
      remembered.set(seriesKey, { seriesKey, labels, state, isOpen: isOpen(state.phase), lastSeenMs: state.lastSeenMs });
    else Object.assign(known, { state, isOpen: isOpen(state.phase), lastSeenMs: state.lastSeenMs });
  }
}

const isOpen = (phase: Phase): boolean => phase === 'firing' || phase === 'recovering';

function seriesOf(shown: Map<string, ReplayedSeries>, { judgement: { seriesKey, labels } }: Stepped): ReplayedSeries {
  let series = shown.get(seriesKey);
  if (series === undefined) {
    series = { seriesKey, labels, points: [], changes: [], firing: [] };
    shown.set(seriesKey, series);
  }
  return series;
}

function show(shown: Map<string, ReplayedSeries>, at: EpochMs, stepped: Stepped): void {
  const { judgement, step } = stepped;
  const { value, threshold } = judgement.lead;
  const series = seriesOf(shown, stepped);
  series.points.push({ at, value, threshold, phase: step.state.phase, reason: step.reason });
  if (step.change !== null) series.changes.push({ at, change: step.change });
  span(series, at, stepped);
}

/** What began before the part that is shown is open at its beginning. */
function showOpen(shown: Map<string, ReplayedSeries>, at: EpochMs, shownFromMs: EpochMs, stepped: Stepped): void {
  if (stepped.step.change === null && !isOpen(stepped.step.state.phase)) return;
  const series = seriesOf(shown, stepped);
  span(series, at, stepped);
  series.firing = series.firing.filter(({ to }) => to === null || to > shownFromMs);
}

function span(series: ReplayedSeries, at: EpochMs, { judgement, step }: Stepped): void {
  const { value, operator } = judgement.lead;
  const { change } = step;
  const last = series.firing.at(-1);
  if (change?.kind === 'resolved') {
    if (last !== undefined) last.to = at;
  } else if (change?.kind === 'fired' || change?.kind === 'no_data')
    series.firing.push({ from: at, to: null, severity: change.severity, peak: value });
  else if (last !== undefined && last.to === null && isOpen(step.state.phase)) {
    if (change?.kind === 'escalated') last.severity = change.severity;
    last.peak = worse(last.peak, value, operator.startsWith('<'));
  }
}

function worse(old: number | null, value: number | null, isLowBad: boolean): number | null {
  if (old === null || value === null) return old ?? value;
  return isLowBad ? Math.min(old, value) : Math.max(old, value);
}

/** What one window of the rule answers slot by slot, as the source would have. */
function readingsBySlot(result: RangeResult): (slot: number) => QueryResult {
  if (result.kind !== 'range') return () => result;
  const { series, dropped, basis } = result;
  const [only] = series;
  const isUngrouped = series.length === 1 && only !== undefined && Object.keys(only.labels).length === 0;
  const common = { kind: 'series' as const, dropped, ...(basis === undefined ? {} : { basis }) };
  return (slot) => {
    const readings: SeriesReading[] = [];
    for (const { labels, values, samples } of series) {
      if (!isUngrouped && samples[slot] === 0) continue;
      const value = values[slot]!;
      readings.push({ labels, value: Number.isNaN(value) ? null : value, samples: samples[slot]! });
    }
    return { ...common, series: readings };
  };
}
