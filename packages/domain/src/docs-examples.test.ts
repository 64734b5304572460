import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { answered, MINUTE, only } from '../test/a-rule.ts';
import { rowsOf, saysOf } from '../test/example-rows.ts';
import { advance, firstState } from './advance.ts';
import { defaultAggregation, meaning, METRIC_NAMES, METRICS } from './catalogue.ts';
import { compileRule } from './compile-rule.ts';
import { describeRule } from './describe-rule.ts';
import { judge } from './judge.ts';
import { AGGREGATION_FACTS, AGGREGATIONS } from './aggregations.ts';
import { parseMetricDefinition } from './parse-metric-definition.ts';
import { parseRule } from './parse-rule.ts';
import { RuleSpec } from './rule-spec.ts';

const page = readFileSync(new URL('../../../docs/rules.md', import.meta.url), 'utf8');
const section = (heading: string): string => page.split(/^##+ /m).find((text) => text.startsWith(heading)) ?? '';

const EXAMPLE = /```(json|yaml)\n(.*?)```\n\n> ([^\n]+)(?:\n\n((?:\|[^\n]*\n)+))?/gs;
const examples = [...page.matchAll(EXAMPLE)].map(([, language, text = '', sentence = '', table = '']) => {
  const rule = (language === 'json' ? JSON.parse(text) : parseYaml(text)) as { name: string };
  return { name: rule.name, rule, sentence, language, table };
});

/** The metric definitions of the page, which its rules may look at. */
const definitions = [...page.matchAll(/```json metric\n(.*?)```/gs)].map(([, json = '']) => parseMetricDefinition(JSON.parse(json)));
const savedMetrics = new Map(definitions.flatMap((each) => (each.ok ? [[each.definition.key, each.definition] as const] : [])));

test('docs/rules.md has no example that is not tried here', () => {
  expect(examples.length).toBeGreaterThan(3);
  expect(definitions.map(({ ok }) => ok)).toEqual([true]);
  expect(examples.length + definitions.length).toBe(page.match(/```(json|yaml)/g)?.length);
  for (const { language, name, table } of examples)
    if (language === 'yaml' && name !== QUIET) expect([name, table]).not.toEqual([name, '']);
});

/** About what becomes of a verdict, not about the verdict. */
const QUIET = 'Customers see errors, watched first';

describe.each(examples)('the example “$name”', ({ rule, sentence }) => {
  test('is a rule, and is described as the page says', () => {
    const parsed = parseRule(rule, undefined, savedMetrics);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
    expect(describeRule(parsed.spec)).toBe(sentence);
    expect(compileRule(parsed.spec).comparisons.length).toBeGreaterThan(0);
  });
});

const said = examples
  .filter(({ table }) => table.includes('| says |'))
  .flatMap(({ name, rule, table }) => rowsOf(table).map((row) => ({ name, rule, row, line: Object.values(row).join(' · ') })));

test.each(said)('“$name” says of $line what the page says', ({ rule, row }) => {
  const parsed = parseRule(rule, undefined, savedMetrics);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  const { says, whileOpen } = saysOf(compileRule(parsed.spec), row);
  expect(says).toBe(row['says']);
  if (row['while open'] !== undefined) expect(whileOpen).toBe(row['while open']);
});

test('the kinds of threshold are all shown with what they say', () => {
  const shown = JSON.stringify(examples.filter(({ table }) => table.includes('| says |')));
  for (const word of [
    'baseline',
    'change',
    'anomaly',
    'forecast',
    'budget',
    'wilson95',
    'burnRate',
    'absentFor',
    'anomaly_severity',
    '"is"',
  ])
    expect(shown).toContain(word);
});

test('the warnings of a preview are those of the page', () => {
  const source = readFileSync(new URL('./summarize-replay.ts', import.meta.url), 'utf8');
  const [type = ''] = /export type PreviewWarningCode =[^;]+;/.exec(source) ?? [];
  for (const [, code = ''] of type.matchAll(/'(\w+)'/g)) expect(section('Preview and backtest')).toContain(`\`${code}\``);
});

test('the fields of a rule and their defaults are those of the page', () => {
  const shortest = parseRule({ name: 'Any', condition: { window: '5m', operator: '>', threshold: 0 } });
  if (!shortest.ok) throw new Error(JSON.stringify(shortest.issues));
  const documented = new Map(
    [...section('The rule, field').matchAll(/^\| `(\w+)` \| ([^|]+) \|/gm)].map(([, field = '', written = '']) => [field, written]),
  );
  expect([...documented.keys()].toSorted()).toEqual([...Object.keys(RuleSpec.shape), 'enabled'].toSorted());
  for (const field of Object.keys(RuleSpec.shape) as (keyof RuleSpec)[]) {
    const written = documented.get(field) ?? '';
    const fallback = shortest.spec[field];
    if (written.startsWith('`'))
      expect([field, written]).toEqual([field, `\`${typeof fallback === 'string' ? fallback : JSON.stringify(fallback)}\``]);
    else expect([field, fallback === undefined || ['name', 'condition', 'key'].includes(field)]).toEqual([field, true]);
  }
});

const ROWS = [
  ...METRIC_NAMES.map((metric) => ({ row: `\`${metric}\``, looked: { metric }, unit: METRICS[metric].unit })),
  { row: 'a saved metric', looked: { metric: 'open-issues' }, unit: 'its own' },
  { row: 'a `measure`', looked: { measure: 'queue_depth' }, unit: null },
  { row: 'a `dim`', looked: { dim: 'user' }, unit: null },
  { row: 'none of them', looked: {}, unit: null },
];

test('the columns are the aggregations there are', () => {
  const [header = ''] = section('What may be aggregated').match(/^\| \| Looks at .*$/m) ?? [];
  const [, , , , , ...columns] = header.split('|').map((cell) => cell.trim());
  expect(columns).toEqual([...AGGREGATIONS, '']);
});

test.each(ROWS)('the row of $row says which aggregations mean something', ({ row, looked, unit }) => {
  const line =
    section('What may be aggregated')
      .split('\n')
      .find((text) => text.startsWith(`| ${row} |`)) ?? '';
  const [, , , written, fallback, ...marks] = line.split('|').map((cell) => cell.trim());
  expect(written).toBe(unit ?? '–');
  expect(fallback).toBe(defaultAggregation(looked, 5 * MINUTE));
  expect(AGGREGATIONS.filter((_, index) => marks[index] === '✓')).toEqual(AGGREGATIONS.filter((each) => meaning(looked, each) !== null));
});

test('which aggregations have a value in an empty window, and which reach back less far, are those of the page', () => {
  const namedBefore = (words: string): string[] => {
    const [sentence = ''] = section('What may be aggregated').match(new RegExp(`[^.]*${words}[^.;]*`)) ?? [];
    return [...sentence.matchAll(/`(\w+)`/g)].map(([, word = '']) => word).toSorted();
  };
  const those = (isOne: (each: (typeof AGGREGATION_FACTS)[keyof typeof AGGREGATION_FACTS]) => boolean): string[] =>
    AGGREGATIONS.filter((each) => isOne(AGGREGATION_FACTS[each])).toSorted();
  expect(namedBefore('An empty window is 0 for')).toEqual(those(({ emptyValue }) => emptyValue === 0));
  expect(namedBefore('reach back 6h at most')).toEqual(those(({ maxWindowMs }) => maxWindowMs === 6 * 60 * MINUTE));
});

test('the reasons of the step are those of the page', () => {
  const source = readFileSync(new URL('./series-state.ts', import.meta.url), 'utf8');
  const [type = ''] = /export type Reason =[^;]+;/.exec(source) ?? [];
  const [ends = ''] = /export type ResolveReason =[^;]+;/.exec(source) ?? [];
  const quoted = (text: string): string[] => [...text.matchAll(/'(\w+)'/g)].map(([, word = '']) => word);
  const documented = [...section('Why a slot').matchAll(/^\| `(\w+)` \|/gm)].map(([, reason = '']) => reason);
  expect(documented.filter((reason) => reason !== 'reason').toSorted()).toEqual(quoted(type).toSorted());
  for (const reason of quoted(ends)) expect(section('The states')).toContain(`\`${reason}\``);
});

test('the first example goes through the minutes of the page as it says', () => {
  const parsed = parseRule(examples[0]?.rule);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  const rule = compileRule(parsed.spec);
  const minutes = [...section('More examples').matchAll(/^\| (\d+) \| ([^|]+) \| (\d+) \| (\w+) \| `(\w+)` \| ([^|]*)\|$/gm)];
  expect(minutes.length).toBe(9);

  let state = firstState(0);
  for (const [row, minute, p95 = '', throughput, phase, reason, told = ''] of minutes) {
    const slotMs = Number(minute) * MINUTE;
    const isFew = p95.endsWith('samples');
    const latency = answered({
      labels: { operation: 'chat' },
      value: isFew ? 1_000 : Number(p95.replace(',', '')),
      samples: isFew ? parseInt(p95, 10) : 40,
    });
    const [judgement] = judge(rule, [latency, only(Number(throughput))], []).judgements;
    if (judgement === undefined) throw new Error('no series');
    const step = advance(state, judgement, rule, { slotMs, previousSlotMs: slotMs === 0 ? null : slotMs - MINUTE, everyMs: MINUTE });
    state = step.state;
    expect([row, state.phase, step.reason]).toEqual([row, phase, reason]);
    expect([row, step.change?.kind]).toEqual([row, /^(fired|resolved) $/.test(told) ? told.trim() : undefined]);
  }
});
