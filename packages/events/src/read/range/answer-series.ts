import { Accumulator } from '../accumulator.ts';
import type { LanePlan, LaneSeries } from './lane-plan.ts';
import { CellTree } from './piece-cells.ts';
import type { PieceClasses } from './piece-classes.ts';
import type { PieceValues } from './piece-values.ts';
import { answerClasses, answerValues, isOfValues, type Stretches } from './window-values.ts';

const WINDOWS_AT_ONCE = 1_024;

/** Where a lane's pieces are held: the first, and how many there may be. */
interface Held {
  base: number;
  open: number;
  /** Above which values are ranked. */
  overlap: number;
}

/** Answers some of a lane's windows for one series, of all of which everything was added. */
export function* answerSeries(
  { queries, windows: all, pieces, needs, isShare, isLong, keepsClasses }: LanePlan,
  series: LaneSeries,
  windows: Uint32Array,
  { base, open, overlap }: Held,
): Generator<undefined, void> {
  const tree = new CellTree(needs);
  tree.build(series.cells, open);
  const ofWindow = new Accumulator(needs);
  const byCells = queries.flatMap(({ query }, at) => (isOfValues(query.aggregation) ? [] : [{ query, answers: series.answers[at]! }]));
  const extremes = keepsClasses ? { min: new Float64Array(all.length), max: new Float64Array(all.length) } : null;
  for (let at = 0; at < windows.length; at++) {
    const window = windows[at]!;
    ofWindow.reset();
    tree.addTo(ofWindow, pieces.firstOf[window]! - base, pieces.endOf[window]! - base);
    if (ofWindow.samples === 0) continue;
    series.samples[window] = ofWindow.samples;
    const { fromMs, toMs } = all[window]!;
    for (const { query, answers } of byCells) {
      answers[window] = ofWindow.answer(query.aggregation, isShare, query.ratePerMs / (toMs - fromMs)) ?? NaN;
    }
    if (extremes !== null) {
      extremes.min[window] = ofWindow.answer('min', isShare, 0)!;
      extremes.max[window] = ofWindow.answer('max', isShare, 0)!;
    }
    if (at % WINDOWS_AT_ONCE === WINDOWS_AT_ONCE - 1) yield;
  }
  const stretchesOf = (held: PieceValues | PieceClasses, ofLong: number): Stretches => {
    const starts = held.arrange(open);
    const some = isLong === null ? windows : windows.filter((window) => isLong[window] === ofLong);
    const placesOf = (bounds: Uint32Array): Uint32Array => some.map((window) => starts[Math.max(0, bounds[window]! - base)]!);
    return { windows: some, from: placesOf(pieces.firstOf), to: placesOf(pieces.endOf) };
  };
  if (series.values !== null) yield* answerValues(queries, series, stretchesOf(series.values, 0), overlap);
  if (series.classes !== null) yield* answerClasses(queries, series, stretchesOf(series.classes, 1), extremes!);
}
