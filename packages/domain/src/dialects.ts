import { AGGREGATIONS, OPERATORS, type Aggregation, type Operator } from './metric-query.ts';
import { SEVERITIES, type Severity } from './severity.ts';

/** Words of other systems, understood and stored as ours. Looked up in lower case with `_`, `-` and blanks taken out. */
function words<Ours extends string>(ours: readonly Ours[], others: Readonly<Record<Ours, readonly string[]>>): ReadonlyMap<string, Ours> {
  return new Map(ours.flatMap((word) => [word, ...others[word]].map((other): [string, Ours] => [folded(other), word])));
}

const folded = (word: string): string =>
  word
    .trim()
    .toLowerCase()
    .replace(/[\s_-]/g, '');

const OPERATOR_WORDS = words<Operator>(OPERATORS, {
  '>': ['gt', 'greater', 'greater_than', 'above', 'is_above'],
  '>=': ['gte', 'ge', 'greater_than_or_equal', 'greater_than_or_equal_to', 'greater_or_equal', 'at_least', '≥'],
  '<': ['lt', 'less', 'less_than', 'below', 'is_below'],
  '<=': ['lte', 'le', 'less_than_or_equal', 'less_than_or_equal_to', 'less_or_equal', 'at_most', '≤'],
  '==': ['=', '===', 'eq', 'equal', 'equals', 'equal_to', 'is'],
  '!=': ['!==', '<>', '≠', 'ne', 'neq', 'not_equal', 'not_equals', 'not_equal_to', 'is_not'],
});

const SEVERITY_WORDS = words<Severity>(SEVERITIES, {
  info: ['low', 'information', 'informational', 'notice', 'debug', 'p4', 'p5'],
  warning: ['medium', 'moderate', 'warn', 'p3'],
  error: ['high', 'major', 'err', 'p2'],
  critical: ['crit', 'urgent', 'emergency', 'fatal', 'page', 'p1'],
});

const AGGREGATION_WORDS = words<Aggregation>(AGGREGATIONS, {
  p50: ['median'],
  p90: [],
  p95: [],
  p99: [],
  avg: ['average', 'mean'],
  min: ['minimum', 'lowest'],
  max: ['maximum', 'highest'],
  sum: ['total'],
  count: ['counter'],
  rate: ['per_minute'],
  last: ['latest'],
  distinct: ['unique', 'cardinality', 'count_distinct', 'distinct_count'],
});

export const operatorFrom = (word: string): Operator | null => OPERATOR_WORDS.get(folded(word)) ?? null;
export const severityFrom = (word: string): Severity | null => SEVERITY_WORDS.get(folded(word)) ?? null;
export const aggregationFrom = (word: string): Aggregation | null => AGGREGATION_WORDS.get(folded(word)) ?? null;

/** A value of dimension `status` in our words; what is not known is the tenant's own and stays. */
export const statusFrom = (word: string): string => (word.toLowerCase() === 'success' ? 'ok' : word);
