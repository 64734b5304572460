import type { EpochMs } from './clock.ts';
import type { CompiledRule } from './compiled-rule.ts';
import type { AlertType, Health, Judgement, Reason, ResolveReason, SeriesState, Step, Verdict } from './series-state.ts';
import { SEVERITIES, type Severity } from './severity.ts';

/** When a step is taken. */
export interface SlotTime {
  slotMs: EpochMs;
  /** The slot before this one at which the rule was evaluated; null: there was none. */
  previousSlotMs: EpochMs | null;
  /** How far the rule's slots lie apart: its own `every`, else the schedule's. */
  everyMs: number;
  /** False: the rule has as many open alerts as it may have, so that no other opens. */
  mayOpen?: boolean;
}

/** The part of a rule that the step reads. */
export type StepRule = Pick<
  CompiledRule,
  'groupBy' | 'forMs' | 'keepFiringForMs' | 'cooldownMs' | 'noData' | 'onError' | 'flapping' | 'newSeriesGraceMs'
>;

/** A slot later than this many times `every` leaves a gap that nobody observed. */
const GAP_RATIO = 1.5;
const GONE_AFTER_MS = 24 * 3_600_000;
/** After a time in which nobody could look, a series must be missed for this long before it counts as gone. */
const WATCH_MS = 3_600_000;
const SEEN_LAG_MS = 3_600_000;

const HEALTH: Readonly<Record<Verdict, Health>> = {
  breach: 'ok',
  clear: 'ok',
  unknown: 'no_data',
  not_ready: 'warming',
  failed: 'error',
};
const ENDED_BY: Readonly<Record<AlertType, ResolveReason>> = { threshold: 'recovered', no_data: 'data_returned', error: 'query_answered' };

/** A series met for the first time. */
export const firstState = (slotMs: EpochMs): SeriesState => ({
  phase: 'ok',
  health: 'ok',
  sinceMs: slotMs,
  unobservedMs: 0,
  alertType: null,
  severityFired: null,
  lastFired: {},
  lastSeenMs: slotMs,
  firstSeenMs: slotMs,
});

/** False where only `lastSeenMs` moved, and by less than an hour: an unchanged series needs no write. `before` is null for a new one. */
export function needsSaving(before: SeriesState | null, after: SeriesState): boolean {
  if (before === null || after.lastSeenMs - before.lastSeenMs >= SEEN_LAG_MS) return true;
  return JSON.stringify({ ...before, lastSeenMs: 0 }) !== JSON.stringify({ ...after, lastSeenMs: 0 });
}

/**
 * Takes one series of one rule over one slot: the only place where a phase changes, used by live evaluation, preview and replay alike.
 * Pure. Slots never go backwards. `SeriesState` says what each phase means.
 */
export function advance(before: SeriesState, judgement: Judgement, rule: StepRule, time: SlotTime): Step {
  const { slotMs } = time;
  const verdict = isOpen(before) && before.alertType === 'threshold' ? judgement.whileFiring : judgement.verdict;
  const trouble = troubleOf(verdict, rule);
  const elapsedMs = time.previousSlotMs === null ? 0 : slotMs - time.previousSlotMs;
  const isGap = elapsedMs > GAP_RATIO * time.everyMs;
  const isObserved = !isGap && (verdict === 'breach' || verdict === 'clear' || trouble === before.alertType);
  const isTimed = before.phase === 'pending' || before.phase === 'recovering';

  const state: SeriesState = {
    ...withFlips(before, verdict, rule, slotMs),
    health: HEALTH[verdict],
    unobservedMs: isTimed && !isObserved ? before.unobservedMs + elapsedMs : before.unobservedMs,
    lastSeenMs: judgement.seen
      ? slotMs
      : Math.max(before.lastSeenMs, verdict === 'failed' || isGap ? slotMs - GONE_AFTER_MS + WATCH_MS : before.lastSeenMs),
  };
  const at: At = { judgement, rule, slotMs, mayOpen: time.mayOpen ?? true };

  if (isGone(state, at)) return end(state, at, 'series_gone', 'series_gone');
  if (trouble !== null) return isTooNew(state, at, trouble) ? stay(state, 'new_series') : onTrouble(state, at, trouble);
  if (verdict === 'clear') return onClear(state, at);
  if (verdict === 'failed') return stay(state, 'error_kept');
  if (verdict === 'not_ready') return stay(state, judgement.lead.notReady ?? 'warming');
  if (rule.noData === 'ok') return end(state, at, 'no_data_ok', 'no_data_ok');
  // The query answered, if with nothing: that ends an alert on its errors.
  if (state.alertType === 'error') return onClear(state, at);
  return stay(state, judgement.lead.value === null ? 'no_data_kept' : 'too_few_samples');
}

interface At {
  judgement: Judgement;
  rule: StepRule;
  slotMs: EpochMs;
  mayOpen: boolean;
}

const isOpen = ({ phase }: SeriesState): boolean => phase === 'firing' || phase === 'recovering';

const stay = (state: SeriesState, reason: Reason): Step => ({ state, change: null, reason });

/** What there is to alert on; null: nothing, or nothing the rule alerts on. */
function troubleOf(verdict: Verdict, { noData, onError }: StepRule): AlertType | null {
  if (verdict === 'breach') return 'threshold';
  if (verdict === 'unknown' && noData === 'alert') return 'no_data';
  return verdict === 'failed' && onError === 'alert' ? 'error' : null;
}

/** The one series of a rule without group-by cannot go away: there, missing data stays what its alert says it is. */
function isGone(state: SeriesState, { judgement, rule, slotMs }: At): boolean {
  if (state.phase === 'ok' || judgement.seen || slotMs - state.lastSeenMs < GONE_AFTER_MS) return false;
  return rule.groupBy.length > 0 || state.alertType !== 'no_data';
}

/** What has only just begun is not missed: a series that is new has a while to become steady. The one series of an ungrouped rule is never new. */
function isTooNew(state: SeriesState, { judgement, rule, slotMs }: At, trouble: AlertType): boolean {
  if (rule.groupBy.length === 0 || isOpen(state) || trouble === 'error' || (trouble === 'threshold' && !judgement.isAbsence)) return false;
  return state.firstSeenMs !== undefined && slotMs - state.firstSeenMs < rule.newSeriesGraceMs;
}

/** Counts how often a series goes from clear to breaching and back; more often than the rule's measure it is flapping, until it is half as often. */
function withFlips(before: SeriesState, verdict: Verdict, { flapping }: StepRule, slotMs: EpochMs): SeriesState {
  const wasBreaching = before.alertType === 'threshold' && before.phase !== 'recovering';
  const isFlip = (verdict === 'breach' && !wasBreaching) || (verdict === 'clear' && wasBreaching);
  if (flapping === null || (!isFlip && before.isFlapping === undefined)) return before;
  const { flips: old = [], isFlapping, ...rest } = before;
  const within = old.filter((atMs) => atMs > slotMs - flapping.withinMs);
  const flips = (isFlip ? [...within, slotMs] : within).slice(-(flapping.changes + 1));
  const goesOn = isFlapping ? flips.length > flapping.changes / 2 : flips.length > flapping.changes;
  return { ...rest, ...(flips.length > 0 ? { flips } : {}), ...(goesOn ? { isFlapping: true as const } : {}) };
}

function onTrouble(state: SeriesState, at: At, trouble: AlertType): Step {
  if (!isOpen(state)) return state.alertType === trouble ? fireIfDue(state, at, trouble, 'holding') : enterPending(state, at, trouble);
  if (state.alertType === trouble) return stillOpen(state, at, trouble);
  // Missing data and errors are over once a query says otherwise. What it says is another alert, told by itself from the next slot on.
  if (trouble === 'threshold' || state.alertType === 'error') {
    const over = end(state, at, ENDED_BY[state.alertType ?? 'threshold'], 'resolved');
    return { ...over, state: pending(over.state, at, trouble) };
  }
  return stay(state, `${trouble}_alert`);
}

function onClear(state: SeriesState, at: At): Step {
  if (!isOpen(state)) return end(state, at, 'recovered', 'clear');
  const recovering = state.phase === 'recovering' ? state : enter(state, at, 'recovering');
  if (observedMs(recovering, at) < at.rule.keepFiringForMs) return stay(recovering, 'recovering');
  // Its ends and beginnings are one episode until it has calmed down.
  if (recovering.isFlapping) return stay(recovering, 'flapping');
  return end(recovering, at, ENDED_BY[recovering.alertType ?? 'threshold'], 'resolved');
}

function enterPending(state: SeriesState, at: At, alertType: AlertType): Step {
  return fireIfDue(pending(state, at, alertType), at, alertType, alertType === 'threshold' ? 'breach' : 'holding');
}

function fireIfDue(state: SeriesState, at: At, alertType: AlertType, waiting: Reason): Step {
  const {
    judgement: { severity, rank },
    rule,
    slotMs,
  } = at;
  if (observedMs(state, at) < rule.forMs) return stay(state, waiting);
  const last = state.lastFired[alertType];
  if (last !== undefined && slotMs - last.slotMs < rule.cooldownMs && rank <= (last.rank ?? placeOf(last.severity)))
    return stay(state, 'cooldown');
  if (!at.mayOpen) return stay(state, 'max_open_alerts');
  return {
    state: told(enter(state, at, 'firing'), alertType, slotMs, { severity, rank }),
    change: { kind: alertType === 'no_data' ? 'no_data' : 'fired', severity, alertType },
    reason: alertType === 'threshold' ? 'fired' : `${alertType}_alert`,
  };
}

/**
 * How bad it is may rise, which is told where it is worse than was told of this alert before, or ease, which is not: who was told of the worst need not
 * hear of it again. With `recover` a level lasts until it is clear by that.
 */
function stillOpen(state: SeriesState, at: At, alertType: AlertType): Step {
  const firing = state.phase === 'firing' ? state : enter(state, at, 'firing');
  const { judgement, slotMs } = at;
  const before = firing.rankFired ?? placeOf(firing.severityFired ?? judgement.severity);
  const now = alertType === 'threshold' ? levelNow(judgement, before, firing.severityFired ?? judgement.severity) : judgement;
  const last = firing.lastFired[alertType];
  if (now.rank > Math.max(before, last === undefined ? before : (last.rank ?? placeOf(last.severity)))) {
    const { severity } = now;
    return {
      state: told(firing, alertType, last?.slotMs ?? slotMs, now),
      change: { kind: 'escalated', severity, alertType },
      reason: 'escalated',
    };
  }
  if (now.rank !== before)
    return stay({ ...firing, severityFired: now.severity, rankFired: now.rank }, now.rank < before ? 'eased' : 'worsened');
  return stay(firing, alertType === 'threshold' ? 'still_firing' : `${alertType}_alert`);
}

interface Told {
  severity: Severity;
  rank: number;
}

function levelNow({ verdict, severity, rank, held }: Judgement, before: number, severityBefore: Severity): Told {
  const lasting = held.rank < before ? held : { severity: severityBefore, rank: before };
  return verdict === 'breach' && rank > lasting.rank ? { severity, rank } : lasting;
}

/** Back to `ok`; an open alert is resolved. */
function end(state: SeriesState, at: At, why: ResolveReason, reason: Reason): Step {
  if (state.phase === 'ok') return stay(state, reason);
  const { rankFired: _, ...rest } = state;
  const ended: SeriesState = { ...enter(rest, at, 'ok'), alertType: null, severityFired: null };
  return { state: ended, change: isOpen(state) ? { kind: 'resolved', why } : null, reason };
}

const enter = (state: SeriesState, { slotMs }: At, phase: SeriesState['phase']): SeriesState => ({
  ...state,
  phase,
  sinceMs: slotMs,
  unobservedMs: 0,
});

const pending = (state: SeriesState, at: At, alertType: AlertType): SeriesState => ({ ...enter(state, at, 'pending'), alertType });

const told = (state: SeriesState, alertType: AlertType, slotMs: EpochMs, { severity, rank }: Told): SeriesState => ({
  ...state,
  severityFired: severity,
  rankFired: rank,
  lastFired: { ...state.lastFired, [alertType]: { slotMs, severity, rank } },
});

/** The rank of a severity by itself. */
const placeOf = (severity: Severity): number => SEVERITIES.indexOf(severity);

const observedMs = (state: SeriesState, { slotMs }: At): number => slotMs - state.sinceMs - state.unobservedMs;
