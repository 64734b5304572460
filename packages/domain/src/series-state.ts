import type { EpochMs } from './clock.ts';
import type { Labels } from './reading.ts';
import type { Operator } from './metric-query.ts';
import type { Severity } from './severity.ts';

export type Phase = 'ok' | 'pending' | 'firing' | 'recovering';
export type Health = 'ok' | 'no_data' | 'error';
export type AlertType = 'threshold' | 'no_data' | 'error';

/**
 * What the step remembers of one series of one rule. Plain data, stored as JSON.
 *
 * - `ok`: not breaching. `pending`: breaching, not yet for long enough, or held back by the cooldown.
 * - `firing`: an alert is open. `recovering`: an alert is open and the series is clear, not yet for long enough.
 */
export interface SeriesState {
  phase: Phase;
  health: Health;
  /** Slot at which the phase was entered. */
  sinceMs: EpochMs;
  /** Unobserved time since `sinceMs` (gaps, no data, errors): it does not count toward `for` or `keepFiringFor`. */
  unobservedMs: number;
  /** Slot of the last firing, for the cooldown; null: never. */
  lastFiredMs: EpochMs | null;
  severityFired: Severity | null;
  alertType: AlertType | null;
  /** Last slot at which a query answered for this series. */
  lastSeenMs: EpochMs;
}

/** What a rule's condition says of one series at one slot. `recovered` is null unless a `recover` threshold applies. */
export interface Judgement {
  labels: Labels;
  /** `unknown`: no reading, or too few samples. `failed`: a query it needs failed. */
  verdict: 'breach' | 'clear' | 'unknown' | 'failed';
  /** The verdict that holds while firing, with `recover` in place of the threshold; equal to `verdict` where no comparison has one. */
  whileFiring: 'breach' | 'clear' | 'unknown' | 'failed';
  severity: Severity;
  /** The comparison that decides the headline: the first true one when breaching, else the first. */
  lead: LeadReading;
}

export interface LeadReading {
  /** Index into the rule's comparisons. */
  comparison: number;
  value: number | null;
  operator: Operator;
  threshold: number;
  samples: number;
}

/** What people hear. `no_data` is the firing of an alert on missing data. */
export type Change =
  | { kind: 'fired' | 'no_data' | 'escalated'; severity: Severity; alertType: AlertType }
  | { kind: 'resolved'; why: 'recovered' | 'data_returned' | 'no_data_ok' | 'series_gone' };

/** Why this slot ended as it did; recorded for each series. `docs/rules.md` lists them. */
export type Reason =
  | 'clear' | 'breach' | 'holding' | 'fired' | 'still_firing' | 'recovering' | 'resolved' | 'cooldown' | 'escalated'
  | 'no_data_ok' | 'no_data_kept' | 'no_data_alert' | 'error_kept' | 'error_alert' | 'series_gone' | 'too_few_samples';

export interface Step {
  state: SeriesState;
  change: Change | null;
  reason: Reason;
}
