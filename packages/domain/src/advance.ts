import type { EpochMs } from './clock.ts';
import type { CompiledRule } from './compiled-rule.ts';
import type { AlertType, Health, Judgement, Reason, ResolveReason, SeriesState, Step, Verdict } from './series-state.ts';
import { isWorse, type Severity } from './severity.ts';

/** When a step is taken. */
export interface SlotTime {
  slotMs: EpochMs;
  /** The slot before this one at which the rule was evaluated; null: there was none. */
  previousSlotMs: EpochMs | null;
  /** How far the rule's slots lie apart: its own `every`, else the schedule's. */
  everyMs: number;
}

/** The part of a rule that the step reads. */
export type StepRule = Pick<CompiledRule, 'groupBy' | 'forMs' | 'keepFiringForMs' | 'cooldownMs' | 'noData' | 'onError'>;

/** A slot later than this many times `every` leaves a gap that nobody observed. */
const GAP_RATIO = 1.5;
const GONE_AFTER_MS = 24 * 3_600_000;
/** After a time in which nobody could look, a series must be missed for this long before it counts as gone. */
const WATCH_MS = 3_600_000;
const SEEN_LAG_MS = 3_600_000;

const HEALTH: Readonly<Record<Verdict, Health>> = { breach: 'ok', clear: 'ok', unknown: 'no_data', not_ready: 'warming', failed: 'error' };
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
    ...before,
    health: HEALTH[verdict],
    unobservedMs: isTimed && !isObserved ? before.unobservedMs + elapsedMs : before.unobservedMs,
    lastSeenMs: judgement.seen
      ? slotMs
      : Math.max(before.lastSeenMs, verdict === 'failed' || isGap ? slotMs - GONE_AFTER_MS + WATCH_MS : before.lastSeenMs),
  };
  const at: At = { judgement, rule, slotMs };

  if (isGone(state, at)) return end(state, at, 'series_gone', 'series_gone');
  if (trouble !== null) return onTrouble(state, at, trouble);
  if (verdict === 'clear') return onClear(state, at);
  if (verdict === 'failed') return stay(state, 'error_kept');
  if (verdict === 'not_ready') return stay(state, 'warming');
  if (rule.noData === 'ok') return end(state, at, 'no_data_ok', 'no_data_ok');
  // The query answered, if with nothing: that ends an alert on its errors.
  if (state.alertType === 'error') return onClear(state, at);
  return stay(state, judgement.lead.value === null ? 'no_data_kept' : 'too_few_samples');
}

interface At {
  judgement: Judgement;
  rule: StepRule;
  slotMs: EpochMs;
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
  return end(recovering, at, ENDED_BY[recovering.alertType ?? 'threshold'], 'resolved');
}

function enterPending(state: SeriesState, at: At, alertType: AlertType): Step {
  return fireIfDue(pending(state, at, alertType), at, alertType, alertType === 'threshold' ? 'breach' : 'holding');
}

function fireIfDue(state: SeriesState, at: At, alertType: AlertType, waiting: Reason): Step {
  const {
    judgement: { severity },
    rule,
    slotMs,
  } = at;
  if (observedMs(state, at) < rule.forMs) return stay(state, waiting);
  const last = state.lastFired[alertType];
  if (last !== undefined && slotMs - last.slotMs < rule.cooldownMs && !isWorse(severity, last.severity)) return stay(state, 'cooldown');
  return {
    state: told(enter(state, at, 'firing'), alertType, slotMs, severity),
    change: { kind: alertType === 'no_data' ? 'no_data' : 'fired', severity, alertType },
    reason: alertType === 'threshold' ? 'fired' : `${alertType}_alert`,
  };
}

function stillOpen(state: SeriesState, at: At, alertType: AlertType): Step {
  const firing = state.phase === 'firing' ? state : enter(state, at, 'firing');
  const { severity } = at.judgement;
  if (firing.severityFired !== null && isWorse(severity, firing.severityFired)) {
    const firedMs = firing.lastFired[alertType]?.slotMs ?? at.slotMs;
    return { state: told(firing, alertType, firedMs, severity), change: { kind: 'escalated', severity, alertType }, reason: 'escalated' };
  }
  return stay(firing, alertType === 'threshold' ? 'still_firing' : `${alertType}_alert`);
}

/** Back to `ok`; an open alert is resolved. */
function end(state: SeriesState, at: At, why: ResolveReason, reason: Reason): Step {
  if (state.phase === 'ok') return stay(state, reason);
  const ended: SeriesState = { ...enter(state, at, 'ok'), alertType: null, severityFired: null };
  return { state: ended, change: isOpen(state) ? { kind: 'resolved', why } : null, reason };
}

const enter = (state: SeriesState, { slotMs }: At, phase: SeriesState['phase']): SeriesState => ({
  ...state,
  phase,
  sinceMs: slotMs,
  unobservedMs: 0,
});

const pending = (state: SeriesState, at: At, alertType: AlertType): SeriesState => ({ ...enter(state, at, 'pending'), alertType });

const told = (state: SeriesState, alertType: AlertType, slotMs: EpochMs, severity: Severity): SeriesState => ({
  ...state,
  severityFired: severity,
  lastFired: { ...state.lastFired, [alertType]: { slotMs, severity } },
});

const observedMs = (state: SeriesState, { slotMs }: At): number => slotMs - state.sinceMs - state.unobservedMs;
