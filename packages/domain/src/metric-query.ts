import type { Aggregation } from './aggregations.ts';

export const OPERATORS = ['>', '>=', '<', '<=', '==', '!='] as const;
export type Operator = (typeof OPERATORS)[number];

/**
 * The number an event contributes; an event without it is not a sample.
 * - `event`: the event itself, worth 1
 * - `measure`: the first of `measures` the event has, else the sum of those of `orSumOf` it has (`token_usage`: total, else input + output)
 * - `dim`: the text of a dimension; only `distinct` takes it
 * - `share`: 100 when the dimension's value is among `values`, else 0, so that `avg` is a percentage; `count` and `rate` count the hits alone
 *
 * `count` is how many events contribute (of a share: how many hit), whatever their numbers, and `rate` is that count per `ratePerMs`.
 */
export type Subject =
  | { kind: 'event' }
  | { kind: 'measure'; measures: readonly string[]; orSumOf: readonly string[] }
  | { kind: 'dim'; dim: string }
  | { kind: 'share'; dim: string; values: readonly string[] };

/** One test of an event; a query's filters must all hold. A dimension an event lacks equals nothing and has no prefix. */
export type Filter =
  | { kind: 'in'; dim: string; values: readonly string[]; negate: boolean }
  | { kind: 'prefix'; dim: string; prefix: string; negate: boolean }
  /** The event has a dimension or a measure of that name. */
  | { kind: 'exists'; field: string; negate: boolean }
  /** The event has that measure and it compares so. */
  | { kind: 'measure'; measure: string; operator: Operator; value: number };

/** Turns the events of a window into one number per series. Plain data: sources, cache keys and traces carry it as JSON. */
export interface MetricQuery {
  /** Event name; null takes every event. */
  name: string | null;
  subject: Subject;
  aggregation: Aggregation;
  filters: readonly Filter[];
  /** Dimensions, sorted, without repeats; an event that lacks one has the value `''` there. Empty: one series. */
  groupBy: readonly string[];
  windowMs: number;
  /** What `rate` is per: 60_000 is per minute. Ignored by other aggregations. */
  ratePerMs: number;
}
