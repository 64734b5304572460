import type { CompiledRule } from '../src/compiled-rule.ts';
import { fitModel } from '../src/fit-model.ts';
import { HISTORY_STEP_MS, type SeriesHistory } from '../src/history.ts';
import { judge, type Fits } from '../src/judge.ts';
import { seriesKey, type QueryResult } from '../src/reading.ts';
import type { Judgement } from '../src/series-state.ts';
import type { Severity } from '../src/severity.ts';
import { answered, HOUR } from './a-rule.ts';

/** A row of a table in Markdown by its headings. */
export type Row = Readonly<Record<string, string>>;

export function rowsOf(table: string): Row[] {
  const [header = [], , ...rows] = table
    .trim()
    .split('\n')
    .map((line) => line.split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()));
  return rows.map((cells) => Object.fromEntries(header.map((heading, index) => [heading, cells[index] ?? ''])));
}

/** Columns that are no reading: what was usual, its spread, how it moved, other rules, and what is said. */
const isReading = (heading: string): boolean => !/^(usual|spread$|an hour$|says$|while open$|rule )/.test(heading);

const WEDNESDAY = Date.parse('2026-05-20T10:00:00Z');

/** What a rule says of a row of readings, one column for each of its windows in order: a severity, `nothing` or why it cannot tell. */
export function saysOf(rule: CompiledRule, row: Row): { says: string; whileOpen: string } {
  const labels = Object.fromEntries(rule.groupBy.map((dim) => [dim, 'a']));
  const readings = Object.keys(row).filter(isReading);
  if (readings.length !== rule.windows.length) throw new Error(`the rule reads ${rule.windows.length} windows, not ${readings.join(', ')}`);
  const results = rule.windows.map(({ query }, index): QueryResult => {
    const value = numberIn(row[readings[index]!]);
    const samples = query.aggregation === 'count' ? (value ?? 0) : value === null ? 0 : 100;
    return answered({ labels, value, samples });
  });
  const known = [{ seriesKey: seriesKey(labels), labels, isOpen: false }];
  const references = Object.entries(row).flatMap(([heading, cell]) =>
    heading.startsWith('rule ') ? [cell === '–' ? null : cell === 'yes'] : [],
  );
  const fits = fitsOf(rule, row, seriesKey(labels), numberIn(row[readings[0]!]) ?? 0);
  const [judgement] = judge(rule, results, known, { endMs: WEDNESDAY, fits, references }).judgements;
  if (judgement === undefined) throw new Error('no series');
  return {
    says: words(judgement, judgement.verdict, judgement.severity),
    whileOpen: words(judgement, judgement.whileFiring, judgement.held.severity),
  };
}

function words({ lead }: Judgement, verdict: Judgement['verdict'], severity: Severity): string {
  if (verdict === 'breach') return severity;
  if (verdict === 'clear') return 'nothing';
  if (verdict === 'unknown') return '`unknown`';
  return `\`${lead.notReady ?? verdict}\``;
}

const numberIn = (cell: string | undefined): number | null => (cell === undefined || cell === '–' ? null : Number(cell.replace(',', '')));

/** A past as the row has it: around what is usual with that spread, or on its way to now at so much an hour. */
function fitsOf(rule: CompiledRule, row: Row, key: string, now: number): Fits[] {
  return rule.histories.map(({ model, lookbackMs, refresh }) => {
    const toMs = refresh === 'hour' ? WEDNESDAY : Date.parse('2026-05-20T00:00:00Z');
    const steps = lookbackMs / HISTORY_STEP_MS;
    const usual = numberIn(Object.entries(row).find(([heading]) => heading.startsWith('usual'))?.[1]) ?? now;
    // The median absolute deviation of normally distributed values, times this, is their standard deviation.
    const away = (numberIn(row['spread']) ?? 0) / 1.4826;
    const slope = numberIn(row['an hour']) ?? 0;
    const history: SeriesHistory = {
      labels: {},
      values: Float64Array.from({ length: steps }, (_, step) => {
        const hoursAgo = ((steps - 1 - step) * HISTORY_STEP_MS) / HOUR;
        return usual - slope * hoursAgo + (step % 2 === 0 ? away : -away);
      }),
      samples: new Float64Array(steps).fill(100),
    };
    return { kind: 'fits', of: new Map([[key, fitModel(model, history, toMs - lookbackMs)]]) };
  });
}
