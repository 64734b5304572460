import type { QueryResult, RuleSeries, SeriesReading, Subject, WindowedQuery } from '@tocsin/domain';
import { Accumulator } from './accumulator.ts';
import { chooseWorst } from './choose-worst.ts';
import type { SelectedSamplings, Window } from './compile-plan.ts';
import type { Grouping } from './grouping.ts';

/** A series' values in the order of its grouping's dims, by their text. */
type Chosen = Map<string, readonly string[]>;

interface Gathered {
  subject: Subject;
  grouping: Grouping | null;
  window: Window;
}

/**
 * Answers a plan's queries into `results`, by their places, once all segments are in. Yields every window after the work on it, so that
 * whoever waits for the process gets a turn.
 */
export function* answerWindows(
  selections: readonly SelectedSamplings[],
  maxSeries: number,
  tooMany: QueryResult,
  results: QueryResult[],
): Generator<Window, void> {
  const gathered = selections.flatMap(({ samplings }) =>
    samplings.flatMap(({ subject, groups }) =>
      groups.flatMap(({ grouping, windows }) => windows.map((window): Gathered => ({ subject, grouping, window }))),
    ),
  );
  const chosen = new Map<RuleSeries, Chosen>();
  for (const each of gathered) {
    if (each.window.series <= maxSeries) continue;
    for (const { query } of each.window.queries) {
      if (query.choice !== undefined) addWorst(each, query, maxSeries, chosenOf(chosen, query.choice.of, each.grouping));
      yield each.window;
    }
  }
  for (const each of chosen.size > 0 ? gathered : []) addWhole(each, maxSeries, chosen);
  for (const each of gathered) {
    const { window } = each;
    for (const { query, place } of window.queries) results[place] = window.isGivenUp ? tooMany : resultOf(each, query, maxSeries, chosen);
    for (const accumulator of window.accumulators) accumulator?.release();
    yield window;
  }
}

/** What a rule knows already is answered whatever it is. */
function chosenOf(chosen: Map<RuleSeries, Chosen>, of: RuleSeries, grouping: Grouping | null): Chosen {
  let ofRule = chosen.get(of);
  if (ofRule === undefined) {
    ofRule = new Map();
    chosen.set(of, ofRule);
    for (const labels of of.known) {
      const values = grouping?.dims.map((dim) => labels[dim] ?? '') ?? [];
      ofRule.set(JSON.stringify(values), values);
    }
  }
  return ofRule;
}

function addWorst({ subject, grouping, window }: Gathered, query: WindowedQuery, maxSeries: number, to: Chosen): void {
  if (grouping === null || query.choice === undefined) return;
  const present = presentIn(window);
  const values = Float64Array.from(present, (series) => answerOf(window.accumulators[series]!, subject, query) ?? Number.NaN);
  const samples = Float64Array.from(present, (series) => window.accumulators[series]!.samples);
  const order = (a: number, b: number): number =>
    samples[b]! - samples[a]! || compareTexts(grouping.series[present[a]!]!, grouping.series[present[b]!]!);
  for (const place of chooseWorst(values, samples, query.choice, maxSeries, order)) {
    const texts = grouping.series[present[place]!]!;
    to.set(JSON.stringify(texts), texts);
  }
}

/** What the other queries of a rule answer with whole belongs to its series, too. */
function addWhole({ grouping, window }: Gathered, maxSeries: number, chosen: ReadonlyMap<RuleSeries, Chosen>): void {
  if (grouping === null || window.series > maxSeries) return;
  for (const { query } of window.queries) {
    const to = query.choice === undefined ? undefined : chosen.get(query.choice.of);
    if (to !== undefined) for (const series of presentIn(window)) to.set(JSON.stringify(grouping.series[series]), grouping.series[series]!);
  }
}

function resultOf(each: Gathered, query: WindowedQuery, maxSeries: number, chosen: ReadonlyMap<RuleSeries, Chosen>): QueryResult {
  const { subject, grouping, window } = each;
  const read = (accumulator: Accumulator | undefined, labels: SeriesReading['labels']): SeriesReading => ({
    labels,
    value: answerOf(accumulator ?? new Accumulator(window.needs), subject, query),
    samples: accumulator?.samples ?? 0,
  });
  const basis = window.sums === null ? {} : { basis: 'hours' as const };
  if (grouping === null) return { kind: 'series', series: [read(window.accumulators[0], {})], dropped: 0, ...basis };
  const droppedByHours = (window.sums ?? []).reduce((most, each) => Math.max(most, each.dropped), 0);
  const ofRule = window.series > maxSeries && query.choice !== undefined ? chosen.get(query.choice.of) : undefined;
  if (ofRule !== undefined) {
    let dropped = window.series + droppedByHours;
    const series = [...ofRule].sort(byKey).map(([key, values]) => {
      const found = grouping.find(key);
      const accumulator = found === undefined ? undefined : window.accumulators[found];
      if (accumulator !== undefined) dropped -= 1;
      return read(accumulator, grouping.labelsOf(values));
    });
    return { kind: 'series', series, dropped, ...basis };
  }
  // Series are numbered as segments came: their values, not their numbers, decide between equals.
  const present = presentIn(window).sort(
    (a, b) => window.accumulators[b]!.samples - window.accumulators[a]!.samples || compareTexts(grouping.series[a]!, grouping.series[b]!),
  );
  const series = present
    .slice(0, maxSeries)
    .map((number) => read(window.accumulators[number], grouping.labelsOf(grouping.series[number]!)));
  return { kind: 'series', series, dropped: present.length - series.length + droppedByHours, ...basis };
}

function answerOf(accumulator: Accumulator, subject: Subject, { query }: WindowedQuery): number | null {
  return accumulator.answer(query.aggregation, subject.kind === 'share', query.ratePerMs / query.windowMs);
}

const presentIn = ({ accumulators }: Window): number[] =>
  accumulators.flatMap((accumulator, series) => (accumulator === undefined ? [] : [series]));

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);

export function compareTexts(a: readonly string[], b: readonly string[]): number {
  const place = a.findIndex((text, index) => text !== b[index]);
  return place === -1 ? 0 : a[place]! < b[place]! ? -1 : 1;
}
