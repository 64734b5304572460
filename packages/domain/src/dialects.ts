import { AGGREGATION_FACTS, AGGREGATIONS, type Aggregation } from './aggregations.ts';
import { OPERATORS, type Operator } from './metric-query.ts';
import { SEVERITIES, type Severity } from './severity.ts';

/** Words of other systems, understood and stored as ours. Looked up in lower case with `_`, `-` and blanks taken out. */
function words<Ours extends string>(ours: readonly Ours[], others: (word: Ours) => readonly string[]): ReadonlyMap<string, Ours> {
  return new Map(ours.flatMap((word) => [word, ...others(word)].map((other): [string, Ours] => [folded(other), word])));
}

const folded = (word: string): string =>
  word
    .trim()
    .toLowerCase()
    .replace(/[\s_-]/g, '');

const OPERATORS_ELSEWHERE: Readonly<Record<Operator, readonly string[]>> = {
  '>': ['gt', 'greater', 'greater_than', 'above', 'is_above'],
  '>=': ['gte', 'ge', 'greater_than_or_equal', 'greater_than_or_equal_to', 'greater_or_equal', 'at_least', '≥'],
  '<': ['lt', 'less', 'less_than', 'below', 'is_below'],
  '<=': ['lte', 'le', 'less_than_or_equal', 'less_than_or_equal_to', 'less_or_equal', 'at_most', '≤'],
  '==': ['=', '===', 'eq', 'equal', 'equals', 'equal_to', 'is'],
  '!=': ['!==', '<>', '≠', 'ne', 'neq', 'not_equal', 'not_equals', 'not_equal_to', 'is_not'],
};

const SEVERITIES_ELSEWHERE: Readonly<Record<Severity, readonly string[]>> = {
  info: ['low', 'information', 'informational', 'notice', 'debug', 'p4', 'p5'],
  warning: ['medium', 'moderate', 'warn', 'p3'],
  error: ['high', 'major', 'err', 'p2'],
  critical: ['crit', 'urgent', 'emergency', 'fatal', 'page', 'p1'],
};

const OPERATOR_WORDS = words(OPERATORS, (word) => OPERATORS_ELSEWHERE[word]);
const SEVERITY_WORDS = words(SEVERITIES, (word) => SEVERITIES_ELSEWHERE[word]);
const AGGREGATION_WORDS = words(AGGREGATIONS, (word) => AGGREGATION_FACTS[word].alsoCalled);

export const operatorFrom = (word: string): Operator | null => OPERATOR_WORDS.get(folded(word)) ?? null;
export const severityFrom = (word: string): Severity | null => SEVERITY_WORDS.get(folded(word)) ?? null;
export const aggregationFrom = (word: string): Aggregation | null => AGGREGATION_WORDS.get(folded(word)) ?? null;

/** A value of dimension `status` in our words; what is not known is the tenant's own and stays. */
export const statusFrom = (word: string): string => (word.toLowerCase() === 'success' ? 'ok' : word);
