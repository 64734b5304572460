import { describe, expect, test } from 'vitest';
import { comparison, draft } from '../test/a-rule.ts';
import { compileRule } from './compile-rule.ts';
import { describeRule } from './describe-rule.ts';
import { parseMetricQuery } from './parse-query.ts';
import { parseRule } from './parse-rule.ts';
import { readStoredRule } from './read-stored-rule.ts';
import type { ComparisonSpec, RuleSpec } from './rule-spec.ts';
import { savedMetricsIn } from './saved-metrics-in.ts';

const SAVED = new Map([
  ['open-issues', { unit: 'issues' }],
  ['queue-share', { unit: null }],
]);

const over = (fields: object): object => draft({ condition: comparison({ metric: 'open-issues', threshold: 5, ...fields }) });
const parsed = (fields: object): RuleSpec => {
  const rule = parseRule(over(fields), undefined, SAVED);
  if (!rule.ok) throw new Error(JSON.stringify(rule.issues));
  return rule.spec;
};
const issues = (fields: object): string[] => {
  const rule = parseRule(over(fields), undefined, SAVED);
  return rule.ok ? [] : rule.issues.map(({ pointer, message }) => `${pointer.replace('/condition', '')} ${message}`);
};

describe('a comparison over a saved metric', () => {
  test('reads the value of its own events, newest first of all, in the unit of its definition', () => {
    const spec = parsed({ window: '10m' });
    expect(spec.condition).toEqual({
      metric: 'open-issues',
      aggregation: 'last',
      window: '10m',
      unit: 'issues',
      operator: '>',
      threshold: 5,
      minSamples: 1,
    });
    const { comparisons, windows } = compileRule(spec);
    expect(comparisons[0]).toMatchObject({ metric: 'open-issues', unit: 'issues' });
    expect(windows[0]?.query).toMatchObject({
      name: 'metric.open-issues',
      subject: { kind: 'measure', measures: ['value'], orSumOf: [] },
      aggregation: 'last',
    });
    expect(describeRule(spec)).toBe('Warning when the latest open-issues is above 5 issues over 10m.');
  });

  test('is an average where the latest cannot reach back that far', () => {
    expect([parsed({ window: '6h' }), parsed({ window: '7h' })].map(({ condition }) => (condition as ComparisonSpec).aggregation)).toEqual([
      'last',
      'avg',
    ]);
  });

  test('comes back as it was stored, without a list of what there is', () => {
    const spec = parsed({});
    expect(readStoredRule(JSON.parse(JSON.stringify(spec)))).toMatchObject({ ok: true, spec });
    expect(parseRule(spec, undefined, SAVED)).toMatchObject({ ok: true, spec });
    expect(readStoredRule({ ...spec, escalate: '5m' })).toMatchObject({ ok: false, fault: expect.stringContaining('/escalate') });
  });

  test('has the unit of what is made of it', () => {
    expect(compileRule(parsed({ aggregation: 'rate', unit: 'perHour' })).comparisons[0]?.unit).toBe('per hour');
    expect(compileRule(parsed({ aggregation: 'count' })).comparisons[0]?.unit).toBe('events');
    expect(compileRule(parsed({ metric: 'queue-share' })).comparisons[0]?.unit).toBeNull();
    expect(compileRule(parsed({ metric: 'queue-share', unit: 'jobs' })).comparisons[0]?.unit).toBe('jobs');
  });

  test.each<[string, object, string[]]>([
    ['another unit than its own', { unit: 'tickets' }, ['/unit open-issues is in issues; leave the unit out']],
    ['a name', { name: 'call' }, ['/name a saved metric has events of its own; filter by where, or leave the name out']],
    [
      'a name that is nearly one',
      { metric: 'open_isues' },
      ["/metric Unknown metric 'open_isues'. Did you mean 'open-issues'? A measure of your own is named by 'measure'."],
    ],
    [
      'a name that is nearly one of the catalogue',
      { metric: 'latncy' },
      ["/metric Unknown metric 'latncy'. Did you mean 'latency'? A measure of your own is named by 'measure'."],
    ],
  ])('with %s is refused', (_what, fields, expected) => {
    expect(issues(fields)).toEqual(expected);
  });

  test('is unknown to whoever does not have it', () => {
    expect(parseRule(over({}))).toMatchObject({ ok: false, issues: [{ pointer: '/condition/metric', code: 'invalid_value' }] });
    expect(parseMetricQuery({ metric: 'open-issues', window: '5m' })).toMatchObject({ ok: false });
    expect(parseMetricQuery({ metric: 'open-issues', window: '5m' }, undefined, SAVED)).toMatchObject({ ok: true, unit: 'issues' });
  });
});

test('the saved metrics of a condition are found wherever they stand, and no dim of that name is taken for one', () => {
  const condition = {
    all: [
      { metric: 'latency', where: { metric: 'a-dim' } },
      { not: { any: [{ metric: 'open-issues' }, { metric: 'queue-share', where: { env: { not: 'x' } } }, { metric: 'open-issues' }] } },
    ],
  };
  expect(savedMetricsIn(condition)).toEqual(['open-issues', 'queue-share']);
  for (const none of [null, 'metric', 5, [], { metric: 5 }]) expect(savedMetricsIn(none)).toEqual([]);
});
