import { AGGREGATION_FACTS, isLongWindow, type MetricQuery, type RangeWindow } from '@tocsin/domain';
import { type Needs, needsOf } from '../needs.ts';
import { PieceCells } from './piece-cells.ts';
import { PieceClasses } from './piece-classes.ts';
import { PieceValues } from './piece-values.ts';
import { Pieces } from './pieces.ts';
import { isOfValues } from './window-values.ts';

export interface PlacedQuery {
  query: MetricQuery;
  place: number;
}

/** One series of a lane. All but what is answered already is told from the lane's first held piece. */
export interface LaneSeries {
  cells: PieceCells;
  /** For windows that are read event by event … */
  values: PieceValues | null;
  /** … and for long ones. */
  classes: PieceClasses | null;
  /** Whether nothing is held of it. */
  isEmpty: boolean;
  /** By window, like the answers of each query. */
  samples: Float64Array;
  answers: Float64Array[];
}

/** What the queries of a lane ask, and what has to be gathered to answer it. All are read from hours, or none is. */
export class LanePlan {
  readonly windows: readonly RangeWindow[];
  readonly queries: readonly PlacedQuery[];
  readonly pieces: Pieces;
  /** By window: 1 where it is long, so that closed hours may be summed up in it; null: none is. */
  readonly isLong: Uint8Array | null;
  readonly isGrouped: boolean;
  readonly isShare: boolean;
  readonly needs: Needs;
  readonly keepsClasses: boolean;
  /** Windows by their ends, with the first piece that any of those from there on needs. */
  readonly order: Uint32Array;
  readonly neededFrom: Uint32Array;
  private readonly keepsValues: boolean;

  constructor(windows: readonly RangeWindow[], queries: readonly PlacedQuery[]) {
    const { query: first } = queries[0]!;
    this.windows = windows;
    this.queries = queries;
    this.isLong = longOf(windows, first);
    this.pieces = new Pieces(windows, this.isLong);
    this.isGrouped = first.groupBy.length > 0;
    this.isShare = first.subject.kind === 'share';
    const aggregations = queries.map(({ query }) => query.aggregation);
    const isOfAll = aggregations.some(isOfValues);
    this.keepsValues = isOfAll && (this.isLong?.includes(0) ?? true);
    this.keepsClasses = isOfAll && this.isLong !== null;
    const byCells = aggregations.filter((aggregation) => !isOfValues(aggregation));
    // Between the extremes lies every quantile that is told by classes.
    this.needs = needsOf(this.keepsClasses ? [...byCells, 'min', 'max'] : byCells, this.isShare);
    this.order = orderByEnd(windows);
    this.neededFrom = new Uint32Array(windows.length + 1).fill(this.pieces.count);
    for (let i = windows.length - 1; i >= 0; i--) {
      const window = this.order[i]!;
      const isEmpty = this.pieces.firstOf[window] === this.pieces.endOf[window];
      this.neededFrom[i] = isEmpty ? this.neededFrom[i + 1]! : Math.min(this.pieces.firstOf[window]!, this.neededFrom[i + 1]!);
    }
  }

  /** One that has nothing to answer with but emptiness. */
  emptySeries(): LaneSeries {
    const { length } = this.windows;
    return {
      cells: new PieceCells(this.needs),
      values: this.keepsValues ? new PieceValues() : null,
      classes: this.keepsClasses ? new PieceClasses() : null,
      isEmpty: true,
      samples: new Float64Array(length),
      answers: this.queries.map(({ query }) => new Float64Array(length).fill(AGGREGATION_FACTS[query.aggregation].emptyValue ?? NaN)),
    };
  }
}

/** By window: 1 where a query of that aggregation is read from closed hours; null where none is. */
export function longOf(windows: readonly RangeWindow[], { aggregation }: Pick<MetricQuery, 'aggregation'>): Uint8Array | null {
  const isLong = Uint8Array.from(windows, ({ fromMs, toMs }) => (isLongWindow({ aggregation, windowMs: toMs - fromMs }) ? 1 : 0));
  return isLong.includes(1) ? isLong : null;
}

/** Numbers that a series holds beside its cells. */
export const heldOf = ({ values, classes }: LaneSeries): number => (values?.count ?? 0) + (classes?.held ?? 0);

function orderByEnd(windows: readonly RangeWindow[]): Uint32Array {
  const order = Uint32Array.from(windows.keys());
  const isInOrder = windows.every(({ toMs }, at) => at === 0 || toMs >= windows[at - 1]!.toMs);
  return isInOrder ? order : order.sort((a, b) => windows[a]!.toMs - windows[b]!.toMs);
}
