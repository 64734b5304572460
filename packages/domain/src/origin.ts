import type { AnomalyMethod, Season, Statistic, Versus } from './threshold-spec.ts';

/**
 * Where a threshold came from, or a value that is not simply what was read. In numbers, for messages and explanations; absent where the rule
 * itself says the number. Times are RFC 3339, UTC.
 */
export type Origin =
  | {
      kind: 'baseline';
      /** What is usual then. */
      baseline: number;
      multiplier: number;
      floor: number | null;
      season: Season;
      statistic: Statistic;
      points: number;
    }
  | { kind: 'change'; versus: Versus; base: number; percent: number | null; floor: number | null }
  | {
      kind: 'anomaly';
      expected: number;
      spread: number;
      /** How many spreads the value is away, with its sign; null where there is no spread at all. */
      score: number | null;
      method: AnomalyMethod;
      points: number;
      testedError: number | null;
    }
  | {
      kind: 'forecast';
      /** What was read; the value is what is foretold of it. */
      now: number;
      slopePerHour: number;
      withinMs: number;
      /** When it is foretold to cross; null: not within the time. */
      crossesAt: string | null;
      /** 0–1. */
      confidence: number;
      hours: number;
    }
  | {
      kind: 'budget';
      amount: number;
      /** The step, and what is spent, in percent of the amount. */
      step: number;
      spent: number;
      periodFrom: string;
      periodTo: string;
      /** When all is spent if it goes on as so far; null: not in this period. */
      overrunAt: string | null;
    }
  | { kind: 'ratio'; numerator: number; denominator: number; share: number; bound: 'none' | 'wilson95' }
  | { kind: 'anomaly_severity'; now: number; expected: number; spread: number; score: number | null; points: number };

/** Why what a value is compared with is not known. */
export type NotReadyReason = 'warming' | 'baseline_not_ready' | 'base_missing' | 'base_zero' | 'forecast_not_ready';
