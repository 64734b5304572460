import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type MatchedAlert, type Matcher, Matchers, matches, valuesWanted } from './matchers.ts';

const alert = (labels: Record<string, string> = {}, more: Partial<MatchedAlert> = {}): MatchedAlert => ({
  labels,
  ruleKey: 'checkout-p95',
  severity: 'error',
  alertType: 'threshold',
  ...more,
});

describe('a matcher', () => {
  test.each<[string, Matcher, MatchedAlert, boolean]>([
    ['= the value', { label: 'env', op: '=', value: 'prod' }, alert({ env: 'prod' }), true],
    ['= another', { label: 'env', op: '=', value: 'prod' }, alert({ env: 'dev' }), false],
    ['= is exact about case', { label: 'env', op: '=', value: 'Prod' }, alert({ env: 'prod' }), false],
    ['= empty finds the label missing', { label: 'env', op: '=', value: '' }, alert(), true],
    ['!= another', { label: 'env', op: '!=', value: 'prod' }, alert({ env: 'dev' }), true],
    ['!= holds where the label is missing', { label: 'env', op: '!=', value: 'prod' }, alert(), true],
    ['!= empty wants the label', { label: 'env', op: '!=', value: '' }, alert(), false],
    ['in', { label: 'env', op: 'in', value: ['prod', 'stage'] }, alert({ env: 'stage' }), true],
    ['not in', { label: 'env', op: 'in', value: ['prod', 'stage'] }, alert({ env: 'dev' }), false],
    ['prefix', { label: 'host', op: 'prefix', value: 'db-' }, alert({ host: 'db-7' }), true],
    ['not the prefix', { label: 'host', op: 'prefix', value: 'db-' }, alert({ host: 'web-db-7' }), false],
    ['~ all of the value', { label: 'host', op: '~', value: 'db-\\d+' }, alert({ host: 'db-7' }), true],
    ['~ not a part of it', { label: 'host', op: '~', value: 'db-\\d' }, alert({ host: 'db-77' }), false],
    ['the rule', { label: 'rule', op: 'prefix', value: 'checkout' }, alert(), true],
    ['the severity', { label: 'severity', op: 'in', value: ['error', 'critical'] }, alert(), true],
    ['the type', { label: 'alertType', op: '=', value: 'no_data' }, alert(), false],
    ['an own label does not stand in for these', { label: 'rule', op: '=', value: 'mine' }, alert({ rule: 'mine' }), false],
    ['a name that objects have', { label: 'constructor', op: '=', value: '' }, alert(), true],
  ])('%s', (_what, matcher, of, holds) => {
    expect(matches([matcher], of)).toBe(holds);
  });

  test('all must hold; none at all always do', () => {
    const [env, host] = [
      { label: 'env', op: '=', value: 'prod' },
      { label: 'host', op: '=', value: 'a' },
    ] as const;
    expect(matches([env, host], alert({ env: 'prod', host: 'a' }))).toBe(true);
    expect(matches([env, host], alert({ env: 'prod', host: 'b' }))).toBe(false);
    expect(matches([], alert())).toBe(true);
  });
});

describe('what is no matcher is refused where it is wrong', () => {
  test.each<[string, unknown, (string | number)[]]>([
    ['no label', [{ op: '=', value: 'a' }], [0, 'label']],
    ['a blank label', [{ label: ' ', op: '=', value: 'a' }], [0, 'label']],
    ['an unknown op', [{ label: 'a', op: '=~', value: 'a' }], [0, 'op']],
    ['a list for =', [{ label: 'a', op: '=', value: ['a'] }], [0, 'value']],
    ['a text for in', [{ label: 'a', op: 'in', value: 'a' }], [0, 'value']],
    ['an empty list', [{ label: 'a', op: 'in', value: [] }], [0, 'value']],
    ['an empty prefix', [{ label: 'a', op: 'prefix', value: '' }], [0, 'value']],
    ['a pattern that is none', [{ label: 'a', op: '~', value: '(' }], [0, 'value']],
    ['a field too many', [{ label: 'a', op: '=', value: 'a', not: true }], [0]],
    ['too many', Array.from({ length: 17 }, () => ({ label: 'a', op: '=', value: 'a' })), []],
    ['a value too long', [{ label: 'a', op: '=', value: 'a'.repeat(257) }], [0, 'value']],
  ])('%s', (_what, input, path) => {
    expect(Matchers.safeParse(input).error?.issues[0]?.path).toEqual(path);
  });
});

const word = fc.constantFrom('', 'a', 'b', 'ab', 'c');
const label = fc.constantFrom('env', 'host', 'rule', 'severity');
const matcher: fc.Arbitrary<Matcher> = fc.oneof(
  fc.record({ label, op: fc.constantFrom('=', '!='), value: word }),
  fc.record({ label, op: fc.constant('in'), value: fc.array(word, { minLength: 1, maxLength: 3 }) }),
  fc.record({ label, op: fc.constant('prefix'), value: fc.constantFrom('a', 'b') }),
);
const anAlert = fc.record({
  labels: fc.record({ env: word, host: word }, { requiredKeys: [] }),
  ruleKey: word,
  severity: fc.constantFrom('info', 'critical'),
  alertType: word,
}) as fc.Arbitrary<MatchedAlert>;

test('whatever matches has the values that a database is asked for', () => {
  fc.assert(
    fc.property(fc.array(matcher, { maxLength: 4 }), anAlert, (matchers, of) => {
      fc.pre(matches(matchers, of));
      for (const [name, values] of Object.entries(valuesWanted(matchers))) {
        expect(matches([{ label: name, op: 'in', value: values }], of)).toBe(true);
      }
    }),
  );
});

test('!= is what = is not, and in is one = of several', () => {
  fc.assert(
    fc.property(label, fc.array(word, { minLength: 1, maxLength: 3 }), anAlert, (name, values, of) => {
      const [value = ''] = values;
      expect(matches([{ label: name, op: '!=', value }], of)).toBe(!matches([{ label: name, op: '=', value }], of));
      const one = values.some((each) => matches([{ label: name, op: '=', value: each }], of));
      expect(matches([{ label: name, op: 'in', value: values }], of)).toBe(one);
    }),
  );
});
