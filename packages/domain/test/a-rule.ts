import { compileRule } from '../src/compile-rule.ts';
import type { CompiledRule } from '../src/compiled-rule.ts';
import { parseRule } from '../src/parse-rule.ts';
import type { QueryResult, SeriesReading } from '../src/reading.ts';
import type { RuleSpec } from '../src/rule-spec.ts';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

/** A comparison that is fine by itself. */
export const comparison = (over: object = {}): object => ({ metric: 'latency', window: '5m', operator: '>', threshold: 1_000, ...over });

export const draft = (over: object = {}): object => ({ name: 'Checkout latency', condition: comparison(), ...over });

/** Throws with what is wrong, so that a test cannot pass on a rule it did not mean. */
export function specOf(input: object): RuleSpec {
  const parsed = parseRule(input);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return parsed.spec;
}

export const ruleOf = (over: object = {}): CompiledRule => compileRule(specOf(draft(over)));

/** A query's answer without group-by. */
export const only = (value: number | null, samples = value === null ? 0 : 10): QueryResult => answered({ labels: {}, value, samples });

export const answered = (...series: SeriesReading[]): QueryResult => ({ kind: 'series', series, dropped: 0 });

export const FAILED: QueryResult = { kind: 'failed', code: 'timeout', message: 'took longer than 30 s' };
