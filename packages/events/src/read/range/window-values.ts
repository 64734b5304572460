import { AGGREGATION_FACTS, type Aggregation } from '@tocsin/domain';
import { between, quantile } from '../quantile.ts';
import { RankedValues } from './ranked-values.ts';
import type { LaneSeries, PlacedQuery } from './range-lane.ts';

/** Where the values of a window lie. */
interface Stretch {
  window: number;
  from: number;
  to: number;
}

const YIELD_AFTER_VALUES = 2 ** 18;

/** One answer at a time. */
let selected = new Float64Array(4_096);

/** Whether it takes all values of a window to answer. */
export function isOfValues(aggregation: Aggregation): boolean {
  return aggregation === 'distinct' || AGGREGATION_FACTS[aggregation].quantile !== null;
}

/**
 * Answers what takes all values of a window. Windows that share little select among their own; where they share much, the values are ranked
 * once and a stretch of them moves along.
 */
export function* answerValues(
  queries: readonly PlacedQuery[],
  { values, answers }: LaneSeries,
  stretches: readonly Stretch[],
  overlap: number,
): Generator<undefined, void> {
  const all = values!.values.subarray(0, values!.count);
  const asked = queries.flatMap(({ query: { aggregation } }, at) =>
    isOfValues(aggregation) ? [{ fraction: AGGREGATION_FACTS[aggregation].quantile, to: answers[at]! }] : [],
  );
  const looked = stretches.reduce((sum, { from, to }) => sum + to - from, 0);
  const ranked = looked > overlap * all.length || asked.some(({ fraction }) => fraction === null) ? yield* RankedValues.of(all) : null;
  let work = 0;
  for (const { window, from, to } of stretches) {
    if (from === to) continue;
    ranked?.moveTo(from, to);
    for (const each of asked) {
      if (ranked === null) each.to[window] = selectedQuantile(all, from, to, each.fraction!);
      else if (each.fraction === null) each.to[window] = ranked.distinct;
      else each.to[window] = rankedQuantile(ranked, to - from, each.fraction);
    }
    work += ranked === null ? to - from : 1_000;
    if (work < YIELD_AFTER_VALUES) continue;
    work = 0;
    yield;
  }
}

function selectedQuantile(values: Float64Array, from: number, to: number, fraction: number): number {
  if (selected.length < to - from) selected = new Float64Array((to - from) * 2);
  for (let i = from; i < to; i++) selected[i - from] = values[i]!;
  return quantile(selected, to - from, fraction);
}

function rankedQuantile(ranked: RankedValues, count: number, fraction: number): number {
  const rank = fraction * (count - 1);
  const below = Math.floor(rank);
  const lower = ranked.valueAt(below);
  return rank === below ? lower : between(lower, ranked.valueAt(below + 1), rank - below);
}
