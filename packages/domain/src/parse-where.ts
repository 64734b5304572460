import { type Complaints, kindOf, quoted, readEntries, readFields } from './complaints.ts';
import { operatorFrom, statusFrom } from './dialects.ts';
import type { Path } from './issue.ts';
import { OPERATORS, type Operator } from './metric-query.ts';
import { didYouMean } from './nearest-name.ts';
import { readBoolean, readLine, readList, readNumber, readValue } from './read-values.ts';
import { RULE_BOUNDS } from './rule-bounds.ts';
import type { WhereTest } from './rule-spec.ts';

type FieldTests = Exclude<WhereTest, string | string[]>;

/** What programs send most; a number compared with one of these was meant as a comparison, never as the text of a dimension. */
const KNOWN_MEASURES: ReadonlySet<string> = new Set([
  'duration_ms',
  'ttft_ms',
  'cost',
  'input_tokens',
  'output_tokens',
  'total_tokens',
  'value',
  'anomaly_severity',
]);

/** Filters of a comparison: `{env: prod, model: [a, b], user: {exists: true}, duration_ms: {'>': 500}}`. */
export function parseWhere(input: unknown, path: Path, complaints: Complaints): Record<string, WhereTest> | null {
  const entries = readEntries(input, path, complaints);
  if (entries === null) return null;
  if (entries.length > RULE_BOUNDS.filters) return complaints.add(path, 'too_many', `must have at most ${RULE_BOUNDS.filters} filters`);
  const tests = entries.map(([field, value]) => {
    const at = [...path, field];
    const name = readLine(field, at, RULE_BOUNDS.fieldLength, complaints);
    const test = name === null ? null : parseTest(name, value, at, complaints);
    return name === null || test === null ? null : ([name, test] as const);
  });
  return Object.fromEntries(tests.filter((test) => test !== null));
}

function parseTest(field: string, value: unknown, path: Path, complaints: Complaints): WhereTest | null {
  if (Array.isArray(value)) return parseValues(field, value, path, complaints);
  if (typeof value === 'object' && value !== null) return parseTests(field, value, path, complaints);
  return parseValue(field, value, path, complaints);
}

function parseValue(field: string, value: unknown, path: Path, complaints: Complaints): string | null {
  if (typeof value === 'number' && KNOWN_MEASURES.has(field)) {
    return complaints.add(
      path,
      'invalid_value',
      `${quoted(field)} is a measure: compare it with an operator, such as {"${field}": {"==": ${value}}}`,
    );
  }
  const text = readValue(value, path, RULE_BOUNDS.valueLength, complaints);
  return text !== null && field === 'status' ? statusFrom(text) : text;
}

function parseValues(field: string, input: unknown, path: Path, complaints: Complaints): string[] | null {
  const list = readList(input, path, RULE_BOUNDS.listValues, complaints);
  if (list === null) return null;
  if (list.length === 0) return complaints.add(path, 'empty', 'an empty list matches nothing');
  const values = list.map((value, index) => parseValue(field, value, [...path, index], complaints));
  return values.every((value) => value !== null) ? [...new Set(values)] : null;
}

function parseTests(field: string, input: object, path: Path, complaints: Complaints): FieldTests | null {
  const entries = readEntries(input, path, complaints);
  if (entries === null) return null;
  if (entries.length === 0) return complaints.add(path, 'empty', `must hold a test: ${TEST_NAMES.join(' ')}`);
  const tests: FieldTests = {};
  for (const [name, value] of entries) {
    const at = [...path, name];
    const operator = operatorFrom(name);
    if (name === 'prefix') assign(tests, 'prefix', readLine(value, at, RULE_BOUNDS.valueLength, complaints));
    else if (name === 'exists') assign(tests, 'exists', readBoolean(value, at, complaints));
    else if (name === 'not') assign(tests, 'not', parseNot(field, value, at, complaints));
    else if (operator === null) {
      complaints.add(
        at,
        'unknown_field',
        `Unknown test ${quoted(name)}; it must be one of ${TEST_NAMES.join(' ')}.${didYouMean(name, TEST_NAMES)}`,
      );
    } else if (tests[operator] !== undefined) complaints.add(at, 'duplicate', `${quoted(operator)} is given twice`);
    else assign(tests, operator, parseOperand(field, operator, value, at, complaints));
  }
  return tests;
}

const TEST_NAMES = ['prefix', 'exists', 'not', ...OPERATORS];

function assign<Name extends keyof FieldTests>(tests: FieldTests, name: Name, value: FieldTests[Name] | null): void {
  if (value !== null) tests[name] = value;
}

function parseOperand(field: string, operator: Operator, value: unknown, path: Path, complaints: Complaints): number | null {
  if (typeof value !== 'string') return readNumber(value, path, complaints);
  const instead = operator === '==' ? `{"${field}": "…"}` : operator === '!=' ? `{"${field}": {"not": "…"}}` : null;
  return complaints.add(
    path,
    'invalid_type',
    `compares a measure with a number, not ${kindOf(value)}${instead === null ? '' : `; for text write ${instead}`}`,
  );
}

function parseNot(field: string, input: unknown, path: Path, complaints: Complaints): string | string[] | { prefix: string } | null {
  if (Array.isArray(input)) return parseValues(field, input, path, complaints);
  if (typeof input !== 'object' || input === null) return parseValue(field, input, path, complaints);
  const prefix = readFields(input, path, ['prefix'], complaints)?.get('prefix');
  if (prefix === undefined)
    return complaints.add(path, 'invalid_value', 'takes a value, a list or {prefix}; for a missing field write {exists: false}');
  const text = readLine(prefix, [...path, 'prefix'], RULE_BOUNDS.valueLength, complaints);
  return text === null ? null : { prefix: text };
}
