import type { EpochMs } from './clock.ts';
import type { Operator } from './metric-query.ts';
import type { NotReadyReason, Origin } from './origin.ts';
import type { Labels } from './reading.ts';
import type { Severity } from './severity.ts';

/** The mildest first. */
export const PHASES = ['ok', 'pending', 'recovering', 'firing'] as const;
export type Phase = (typeof PHASES)[number];
export const HEALTHS = ['ok', 'no_data', 'error', 'warming'] as const;
export type Health = (typeof HEALTHS)[number];
export const ALERT_TYPES = ['threshold', 'no_data', 'error'] as const;
export type AlertType = (typeof ALERT_TYPES)[number];

/**
 * What the step remembers of one series of one rule. Plain data, stored as JSON.
 *
 * - `ok`: nothing to tell. A breach makes it `pending`, and in the same step `firing` where the rule asks for no `for` and no cooldown runs.
 * - `pending`: breaching, not yet for long enough, or held back by the cooldown. Clear: `ok`, and nobody heard of it.
 * - `firing`: an alert is open. Clear: `recovering`, and in the same step `ok` where the rule asks for no `keepFiringFor`.
 * - `recovering`: an alert is open and the series is clear, not yet for long enough. A breach makes it `firing` again, untold: it is the
 *   same episode. Clear for long enough: `ok`, resolved.
 *
 * Health is another axis: how the last slot went, whatever the phase.
 */
export interface SeriesState {
  phase: Phase;
  health: Health;
  /** Slot at which the phase was entered. */
  sinceMs: EpochMs;
  /** Unobserved time since `sinceMs` (gaps, no data, errors), counted in `pending` and `recovering`: it is no part of `for` or `keepFiringFor`. */
  unobservedMs: number;
  /** What the pending or open alert is about; null in `ok`. */
  alertType: AlertType | null;
  /** How bad the open alert is, as it was last told or has eased to since; null without one. */
  severityFired: Severity | null;
  /** The rank of that; absent in states of older versions and without an alert: the place of the severity. */
  rankFired?: number;
  /** The last firing of each type, for its cooldown: an alert on missing data does not hold back one on a breach. */
  lastFired: { readonly [type in AlertType]?: { slotMs: EpochMs; severity: Severity; rank?: number } };
  /** Slot at which the series was met; absent in states of older versions: long ago. */
  firstSeenMs?: EpochMs;
  /** The last slots at which it went from clear to breaching or back, oldest first; absent: none that count. */
  flips?: readonly EpochMs[];
  /** Present: it changes so often that it is one episode until it has calmed down. */
  isFlapping?: true;
  /** Last slot at which the series was in a query's answer. Failing queries and gaps push it on: what nobody looked for is not gone. */
  lastSeenMs: EpochMs;
}

/**
 * `unknown`: no reading, or too few samples. `not_ready`: what it is compared with is not known yet. `failed`: a query failed. The last two only
 * where they could have decided.
 */
export type Verdict = 'breach' | 'clear' | 'unknown' | 'not_ready' | 'failed';

/** What a rule's condition says of one series at one slot. */
export interface Judgement {
  seriesKey: string;
  labels: Labels;
  verdict: Verdict;
  /** The verdict that holds while firing, with `recover` in place of the threshold; equal to `verdict` where no comparison has one. */
  whileFiring: Verdict;
  /** A query answered with this series. False where only its absence was counted, or another slot's memory of it. */
  seen: boolean;
  /** Of the worst level that breaches; the mildest where none does. `rank` orders levels: the higher the worse. */
  severity: Severity;
  rank: number;
  /** Of the worst level that holds while firing; the mildest where none does. */
  held: { severity: Severity; rank: number };
  /** The condition is about nothing having come, so a series that is new has a while to begin. */
  isAbsence: boolean;
  /** Present: the windows that end at the slot itself breach already. */
  isEarly?: true;
  lead: LeadReading;
}

/**
 * The comparison that speaks for the whole: breaching, the first that holds (the first that does not, under `not`); failed or unknown, the
 * first that is so; clear, the first with a value.
 */
export interface LeadReading {
  /** Index into the rule's comparisons. */
  comparison: number;
  /** Null: no reading. */
  value: number | null;
  operator: Operator;
  /** Null: not known. */
  threshold: number | null;
  samples: number;
  /** Where the threshold came from, or the value; null: the rule says the one, and the other was read. */
  origin: Origin | null;
  /** Of the verdict `not_ready`. */
  notReady: NotReadyReason | null;
}

/** What people hear. `no_data` is the firing of an alert on missing data. */
export type Change =
  | { kind: 'fired' | 'no_data' | 'escalated'; severity: Severity; alertType: AlertType }
  | { kind: 'resolved'; why: ResolveReason };

/** `query_answered` ends an alert on errors, `data_returned` one on missing data. */
export type ResolveReason = 'recovered' | 'data_returned' | 'query_answered' | 'no_data_ok' | 'series_gone';

/**
 * Why this slot ended as it did; recorded for each series. `docs/rules.md` lists them.
 * `breach` enters pending, `holding` waits for `for`, `cooldown` for the end of the cooldown.
 */
export type Reason =
  | 'clear'
  | 'breach'
  | 'holding'
  | 'fired'
  | 'still_firing'
  | 'recovering'
  | 'resolved'
  | 'cooldown'
  | 'escalated'
  | 'no_data_ok'
  | 'no_data_kept'
  | 'no_data_alert'
  | 'error_kept'
  | 'error_alert'
  | 'eased'
  | 'worsened'
  | 'flapping'
  | 'max_open_alerts'
  | 'new_series'
  | 'warming'
  | 'baseline_not_ready'
  | 'base_missing'
  | 'base_zero'
  | 'forecast_not_ready'
  | 'series_gone'
  | 'too_few_samples';

export interface Step {
  state: SeriesState;
  change: Change | null;
  reason: Reason;
}
