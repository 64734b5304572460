import { AGGREGATION_FACTS } from './aggregations.ts';
import type { EpochMs } from './clock.ts';
import { compareAt, type Compared } from './compare-at.ts';
import type { CompiledRule, WindowInput } from './compiled-rule.ts';
import { evaluate, leadIndex } from './evaluate-condition.ts';
import type { Fit } from './fit-model.ts';
import { measureValue, type Measured } from './measure-value.ts';
import { seriesKey, type Labels, type QueryResult, type SeriesReading } from './reading.ts';
import { RULE_BOUNDS } from './rule-bounds.ts';
import type { Answer, SeriesAnswers } from './series-answers.ts';
import type { Judgement, LeadReading, Verdict } from './series-state.ts';
import { worstFirst } from './worst-first.ts';

/** A series seen in the last 24 h, or one with an open alert; the latter is never dropped for a worse one. */
export interface KnownSeries {
  seriesKey: string;
  labels: Labels;
  isOpen: boolean;
}

export interface Judged {
  judgements: Judgement[];
  /** Series past the bound: those left out here and those a query did not answer with. */
  dropped: number;
}

/** What is usual for each series of a history, by series key; a series that is not there has no past. */
export type Fits = { kind: 'fits'; of: ReadonlyMap<string, Fit> } | { kind: 'warming' } | { kind: 'failed' };

/** What a rule with thresholds that move, or with other rules in it, has to know beside its windows. */
export interface Circumstances {
  /** End of the rule's own window: slot − evaluationDelay. */
  endMs?: EpochMs;
  /** One for each of the rule's histories. */
  fits?: readonly Fits[];
  /** For each of its references whether the other rule stands so; null: there is none of that key. */
  references?: readonly (boolean | null)[];
  /** Answers for the same windows without the rule's delay, of a rule whose breach cannot un-happen. */
  early?: readonly QueryResult[];
  /** Of so many series the worst are judged. */
  atMost?: number;
}

const NO_READING: SeriesReading = { labels: {}, value: null, samples: 0 };
const NO_PAST: Fit = { kind: 'not_ready', knownMs: 0, neededMs: 0 };

/**
 * What a rule's condition says of each of its series. The series are those of all its queries and the known ones; a rule without group-by
 * has one. A query that does not answer with a series counts nothing there: 0 for `count`, `sum` and `rate`, else no reading.
 * The order of results' series does not matter.
 * @param results one for each of the rule's windows, in their order
 */
export function judge(
  rule: CompiledRule,
  results: readonly QueryResult[],
  known: readonly KnownSeries[],
  { endMs = 0, fits = [], references = [], atMost = RULE_BOUNDS.seriesPerRule }: Circumstances = {},
): Judged {
  const fitsAt = (key: string): SeriesAnswers['histories'] =>
    rule.histories.map(({ joinsEverySeries }, index) => fitOf(fits[index], joinsEverySeries ? '{}' : key));
  if (rule.groupBy.length === 0) {
    const windows = rule.windows.map((window, index) => answerElsewhere(window, results[index], true));
    const seen = windows.some((answer, index) => rule.windows[index]!.backMs === 0 && typeof answer === 'object' && answer.value !== null);
    const answers = { windows, histories: fitsAt('{}'), references, endMs };
    return { judgements: [judgeSeries(rule, '{}', {}, answers, seen)], dropped: 0 };
  }

  const series = new Map<string, { labels: Labels; isOpen: boolean; answers: (Answer | undefined)[] }>();
  for (const { seriesKey: key, labels, isOpen } of known) series.set(key, { labels, isOpen, answers: [] });
  let dropped = 0;
  rule.windows.forEach((window, index) => {
    const result = results[index];
    if (window.joinsEverySeries || result?.kind !== 'series') return;
    dropped = Math.max(dropped, result.dropped);
    // A series that was there only before is not one of now.
    const isPast = window.backMs > 0;
    for (const reading of result.series) {
      const key = seriesKey(reading.labels);
      const found = series.get(key);
      if (found !== undefined) found.answers[index] = reading;
      else if (!isPast) series.set(key, { labels: reading.labels, isOpen: false, answers: at(index, reading) });
    }
  });

  const elsewhere = rule.windows.map((window, index) => answerElsewhere(window, results[index], window.joinsEverySeries));
  const judged = [...series].map(([key, { labels, isOpen, answers }]) => {
    const windows = elsewhere.map((otherwise, index) => answers[index] ?? otherwise);
    const seen = answers.some((answer, index) => rule.windows[index]?.backMs === 0 && isSeen(answer));
    return { isOpen, judgement: judgeSeries(rule, key, labels, { windows, histories: fitsAt(key), references, endMs }, seen) };
  });
  return worstOf(judged, Math.min(atMost, rule.maxSeries), dropped);
}

/** The worst of these series, if they are more than are judged; the others count as dropped. */
export function worstOf(judged: { isOpen: boolean; judgement: Judgement }[], most: number, dropped: number): Judged {
  const kept = judged.length <= most ? judged : judged.sort(worstFirst).slice(0, most);
  return { judgements: kept.map(({ judgement }) => judgement), dropped: dropped + judged.length - kept.length };
}

/** A source that had to choose answers for series that are not there, too. */
const isSeen = (answer: Answer | undefined): boolean => typeof answer === 'object' && answer.samples > 0;

export function fitOf(fits: Fits | undefined, key: string): SeriesAnswers['histories'][number] {
  if (fits === undefined || fits.kind === 'failed') return 'failed';
  return fits.kind === 'warming' ? 'not_ready' : (fits.of.get(key) ?? NO_PAST);
}

/**
 * What a query says of a series it did not name: its one value where it has but one, else that of an empty window. A query that left out
 * series past its bound says nothing of them, as if it had failed.
 */
export function answerElsewhere({ query }: WindowInput, result: QueryResult | undefined, hasOneValue: boolean): Answer {
  if (result === undefined || result.kind === 'failed') return 'failed';
  if (result.kind === 'warming') return 'not_ready';
  if (hasOneValue && result.series[0] !== undefined) return result.series[0];
  if (result.dropped > 0) return 'failed';
  return { ...NO_READING, value: AGGREGATION_FACTS[query.aggregation].emptyValue };
}

export interface AtLevel {
  level: number;
  verdict: Verdict;
  compared: readonly Compared[];
}

function judgeSeries(rule: CompiledRule, key: string, labels: Labels, answers: SeriesAnswers, seen: boolean): Judgement {
  const measured = rule.comparisons.map((comparison) => measureValue(comparison, answers));
  const plain = worstLevel(rule, measured, answers, false);
  const held = rule.comparisons.some(hasRecover) ? worstLevel(rule, measured, answers, true) : plain;
  const shown = plain.verdict === 'clear' && held.verdict === 'breach' ? held : plain;
  const { severity, rank } = rule.levels[plain.level]!;
  return {
    seriesKey: key,
    labels,
    verdict: plain.verdict,
    whileFiring: held.verdict,
    seen,
    severity,
    rank,
    held: rule.levels[held.level]!,
    isAbsence: rule.comparisons.some(({ value }) => value.kind === 'absence'),
    lead: leadOf(rule, shown),
  };
}

const hasRecover = ({ limits }: CompiledRule['comparisons'][number]): boolean =>
  limits.some((limit) => limit !== null && 'recover' in limit && limit.recover !== null);

/** The worst level whose tree breaches; else what the mildest says. */
export function worstLevel(rule: CompiledRule, measured: readonly Measured[], answers: SeriesAnswers, isHeld: boolean): AtLevel {
  for (let level = rule.levels.length - 1; ; level--) {
    const compared = rule.comparisons.map((comparison, index) => compareAt(comparison, level, isHeld, measured[index]!, answers));
    const verdict = evaluate(
      rule.condition,
      compared.map((each) => each.verdict),
    );
    if (verdict === 'breach' || level === 0) return { level, verdict, compared };
  }
}

export function leadOf({ condition }: CompiledRule, { verdict, compared }: AtLevel): LeadReading {
  const verdicts = compared.map((each) => each.verdict);
  const index = leadIndex(condition, verdicts, (place) => compared[place]!.value !== null, verdict);
  const lead = compared[index];
  if (lead === undefined) throw new Error('a compiled rule has a comparison at least');
  const { value, operator, threshold, samples, origin, reason } = lead;
  return { comparison: index, value, operator, threshold, samples, origin, notReady: reason };
}

function at(index: number, reading: SeriesReading): (Answer | undefined)[] {
  const answers: (Answer | undefined)[] = [];
  answers[index] = reading;
  return answers;
}
