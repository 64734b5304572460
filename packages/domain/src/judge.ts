import { AGGREGATION_FACTS } from './aggregations.ts';
import type { Comparison, CompiledRule } from './compiled-rule.ts';
import { evaluate, leadIndex, verdictOf, type Answer } from './evaluate-condition.ts';
import { seriesKey, type Labels, type QueryResult, type SeriesReading } from './reading.ts';
import { RULE_BOUNDS } from './rule-bounds.ts';
import type { Judgement, LeadReading } from './series-state.ts';
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

const NO_READING: SeriesReading = { labels: {}, value: null, samples: 0 };

/**
 * What a rule's condition says of each of its series. The series are those of all its queries and the known ones; a rule without group-by
 * has one. A query that does not answer with a series counts nothing there: 0 for `count`, `sum` and `rate`, else no reading.
 * The order of results' series does not matter.
 * @param results one per comparison, in their order
 * @param atMost of so many series the worst are judged
 */
export function judge(
  rule: CompiledRule,
  results: readonly QueryResult[],
  known: readonly KnownSeries[],
  atMost: number = RULE_BOUNDS.seriesPerRule,
): Judged {
  if (rule.groupBy.length === 0) return { judgements: [judgeOnly(rule, results)], dropped: 0 };

  const series = new Map<string, { labels: Labels; isOpen: boolean; answers: (Answer | undefined)[] }>();
  for (const { seriesKey: key, labels, isOpen } of known) series.set(key, { labels, isOpen, answers: [] });
  let dropped = 0;
  rule.comparisons.forEach((comparison, index) => {
    const result = results[index];
    if (comparison.joinsEverySeries || result?.kind !== 'series') return;
    dropped = Math.max(dropped, result.dropped);
    for (const reading of result.series) {
      const key = seriesKey(reading.labels);
      const found = series.get(key);
      if (found === undefined) series.set(key, { labels: reading.labels, isOpen: false, answers: at(index, reading) });
      else found.answers[index] = reading;
    }
  });

  const elsewhere = rule.comparisons.map((comparison, index) => answerElsewhere(comparison, results[index], comparison.joinsEverySeries));
  const judged = [...series].map(([key, { labels, isOpen, answers }]) => {
    const all = elsewhere.map((otherwise, index) => answers[index] ?? otherwise);
    return { isOpen, judgement: judgeSeries(rule, key, labels, all, answers.some(isSeen)) };
  });
  if (judged.length <= atMost) return { judgements: judged.map(({ judgement }) => judgement), dropped };
  const kept = judged.sort(worstFirst).slice(0, atMost);
  return { judgements: kept.map(({ judgement }) => judgement), dropped: dropped + judged.length - kept.length };
}

/** A source that had to choose answers for series that are not there, too. */
const isSeen = (answer: Answer | undefined): boolean => typeof answer === 'object' && answer.samples > 0;

function judgeOnly(rule: CompiledRule, results: readonly QueryResult[]): Judgement {
  const answers = rule.comparisons.map((comparison, index) => answerElsewhere(comparison, results[index], true));
  return judgeSeries(
    rule,
    '{}',
    {},
    answers,
    answers.some((answer) => typeof answer === 'object' && answer.value !== null),
  );
}

/**
 * What a query says of a series it did not name: its one value where it has but one, else that of an empty window. A query that left out
 * series past its bound says nothing of them, as if it had failed.
 */
function answerElsewhere({ query }: Comparison, result: QueryResult | undefined, hasOneValue: boolean): Answer {
  if (result === undefined || result.kind === 'failed') return 'failed';
  if (result.kind === 'warming') return 'not_ready';
  if (hasOneValue && result.series[0] !== undefined) return result.series[0];
  if (result.dropped > 0) return 'failed';
  return { ...NO_READING, value: AGGREGATION_FACTS[query.aggregation].emptyValue };
}

function judgeSeries(rule: CompiledRule, key: string, labels: Labels, answers: readonly Answer[], seen: boolean): Judgement {
  const verdicts = rule.comparisons.map((comparison, index) => verdictOf(comparison, answers[index] ?? 'failed', false));
  const verdict = evaluate(rule.condition, verdicts);
  const judgement = { seriesKey: key, labels, verdict, seen, severity: rule.severity };
  if (rule.comparisons.every(({ recover }) => recover === null)) {
    return { ...judgement, whileFiring: verdict, lead: lead(rule, answers, leadIndex(rule, verdicts, answers, verdict)) };
  }
  const held = rule.comparisons.map((comparison, index) => verdictOf(comparison, answers[index] ?? 'failed', true));
  const whileFiring = evaluate(rule.condition, held);
  const index =
    verdict === 'clear' && whileFiring === 'breach'
      ? leadIndex(rule, held, answers, whileFiring)
      : leadIndex(rule, verdicts, answers, verdict);
  return { ...judgement, whileFiring, lead: lead(rule, answers, index) };
}

function lead(rule: CompiledRule, answers: readonly Answer[], index: number): LeadReading {
  const comparison = rule.comparisons[index];
  if (comparison === undefined) throw new Error('a compiled rule has a comparison at least');
  const found = answers[index];
  const answer = typeof found === 'object' ? found : NO_READING;
  const value = answer.value !== null && Number.isFinite(answer.value) ? answer.value : null;
  return { comparison: index, value, operator: comparison.operator, threshold: comparison.threshold, samples: answer.samples };
}

function at(index: number, reading: SeriesReading): (Answer | undefined)[] {
  const answers: (Answer | undefined)[] = [];
  answers[index] = reading;
  return answers;
}
