import { AGGREGATION_FACTS, type Aggregation } from '@tocsin/domain';
import { sketchQuantile } from '../../hours/sketch.ts';
import { between, quantile } from '../quantile.ts';
import { ClassStretch } from './piece-classes.ts';
import { RankedValues } from './ranked-values.ts';
import type { LaneSeries, PlacedQuery } from './lane-plan.ts';

/** Windows, and where the values of each lie. */
export interface Stretches {
  windows: Uint32Array;
  from: Uint32Array;
  to: Uint32Array;
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
  { windows, from, to }: Stretches,
  overlap: number,
): Generator<undefined, void> {
  const all = values!.values.subarray(0, values!.count);
  const asked = queries.flatMap(({ query: { aggregation } }, at) =>
    isOfValues(aggregation) ? [{ fraction: AGGREGATION_FACTS[aggregation].quantile, to: answers[at]! }] : [],
  );
  let looked = 0;
  for (let i = 0; i < windows.length; i++) looked += to[i]! - from[i]!;
  const ranked = looked > overlap * all.length || asked.some(({ fraction }) => fraction === null) ? yield* RankedValues.of(all) : null;
  let work = 0;
  for (let i = 0; i < windows.length; i++) {
    const [window, start, end] = [windows[i]!, from[i]!, to[i]!];
    if (start === end) continue;
    ranked?.moveTo(start, end);
    for (const each of asked) {
      if (ranked === null) each.to[window] = selectedQuantile(all, start, end, each.fraction!);
      else if (each.fraction === null) each.to[window] = ranked.distinct;
      else each.to[window] = rankedQuantile(ranked, end - start, each.fraction);
    }
    work += ranked === null ? end - start : 1_000;
    if (work < YIELD_AFTER_VALUES) continue;
    work = 0;
    yield;
  }
}

/**
 * Answers quantiles of long windows by the classes of their values, as `Accumulator` does for one window.
 * @param extremes by window: its least and its greatest value
 */
export function* answerClasses(
  queries: readonly PlacedQuery[],
  { classes, answers, samples }: LaneSeries,
  { windows, from, to }: Stretches,
  { min, max }: { min: Float64Array; max: Float64Array },
): Generator<undefined, void> {
  const stretch = new ClassStretch(classes!.all());
  const asked = queries.flatMap(({ query: { aggregation } }, at) => {
    const fraction = AGGREGATION_FACTS[aggregation].quantile;
    return fraction === null ? [] : [{ fraction, to: answers[at]! }];
  });
  let work = 0;
  for (let i = 0; i < windows.length; i++) {
    const [window, start, end] = [windows[i]!, from[i]!, to[i]!];
    if (start === end) continue;
    stretch.moveTo(start, end);
    const sketch = { classes: stretch.classes, counts: stretch.counts, min: min[window]!, max: max[window]! };
    for (const each of asked) each.to[window] = sketchQuantile(sketch, each.fraction, samples[window]);
    work += 1_000 + stretch.classes.length * asked.length;
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
