import type { CompiledRule } from './compiled-rule.ts';
import { answerElsewhere, fitOf, type Circumstances } from './judge.ts';
import { seriesKey, type QueryResult, type SeriesReading } from './reading.ts';
import type { SeriesAnswers } from './series-answers.ts';

/** What `judge` would know of one series, for whoever looks at it closely. Takes the results that `judge` takes; the answer is asked by series key. */
export function answersOf(
  rule: CompiledRule,
  results: readonly QueryResult[],
  { endMs = 0, fits = [], references = [] }: Circumstances = {},
): (key: string) => SeriesAnswers {
  const isUngrouped = rule.groupBy.length === 0;
  const windows = rule.windows.map((window, index) => {
    const result = results[index];
    const hasOneValue = isUngrouped || window.joinsEverySeries;
    const elsewhere = answerElsewhere(window, result, hasOneValue);
    const readings = new Map<string, SeriesReading>();
    if (!hasOneValue && result?.kind === 'series') for (const reading of result.series) readings.set(seriesKey(reading.labels), reading);
    return { elsewhere, readings };
  });
  return (key) => ({
    windows: windows.map(({ elsewhere, readings }) => readings.get(key) ?? elsewhere),
    histories: rule.histories.map(({ joinsEverySeries }, index) => fitOf(fits[index], joinsEverySeries ? '{}' : key)),
    references,
    endMs,
  });
}
