import { expect, test } from 'vitest';
import { comparison, draft } from '../test/a-rule.ts';
import { compileRule } from './compile-rule.ts';
import type { Filter } from './metric-query.ts';
import { parseRule } from './parse-rule.ts';

const parse = (where: unknown) => parseRule(draft({ condition: comparison({ where }) }));

const filters = (where: unknown): readonly Filter[] | undefined => {
  const parsed = parse(where);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return compileRule(parsed.spec).windows[0]?.query.filters;
};

const is = (dim: string, values: string[], negate = false): Filter => ({ kind: 'in', dim, values, negate });

test.each<[unknown, Filter[]]>([
  [{}, []],
  [{ env: 'prod' }, [is('env', ['prod'])]],
  [{ env: '' }, [is('env', [''])]],
  [{ code: 500 }, [is('code', ['500'])]],
  [{ cached: true }, [is('cached', ['true'])]],
  [{ env: ['b', 'a', 'b', 1] }, [is('env', ['1', 'a', 'b'])]],
  [{ env: { not: 'prod' } }, [is('env', ['prod'], true)]],
  [{ env: { not: ['b', 'a'] } }, [is('env', ['a', 'b'], true)]],
  [{ model: { prefix: 'gpt-' } }, [{ kind: 'prefix', dim: 'model', prefix: 'gpt-', negate: false }]],
  [{ model: { not: { prefix: 'gpt-' } } }, [{ kind: 'prefix', dim: 'model', prefix: 'gpt-', negate: true }]],
  [{ user: { exists: true } }, [{ kind: 'exists', field: 'user', negate: false }]],
  [{ cost: { exists: false } }, [{ kind: 'exists', field: 'cost', negate: true }]],
  [{ duration_ms: { '>': 500 } }, [{ kind: 'measure', measure: 'duration_ms', operator: '>', value: 500 }]],
  [
    { duration_ms: { gte: 500, less_than: 900 } },
    [
      { kind: 'measure', measure: 'duration_ms', operator: '<', value: 900 },
      { kind: 'measure', measure: 'duration_ms', operator: '>=', value: 500 },
    ],
  ],
  [
    { model: { prefix: 'gpt-', not: 'gpt-4o' } },
    [is('model', ['gpt-4o'], true), { kind: 'prefix', dim: 'model', prefix: 'gpt-', negate: false }],
  ],
  [{ "'; drop table rules;--": '$1 % _ \\' }, [is("'; drop table rules;--", ['$1 % _ \\'])]],
])('%j', (where, expected) => {
  expect(filters(where)).toEqual(expected);
});

test('the order in which filters are written does not matter', () => {
  expect(filters({ a: '1', b: ['y', 'x'], c: { exists: true } })).toEqual(filters({ c: { exists: true }, b: ['x', 'y'], a: '1' }));
});

test.each<[unknown, string]>([
  ['env=prod', ' invalid_type'],
  [[], ' invalid_type'],
  [{ env: null }, '/env invalid_type'],
  [{ env: [] }, '/env empty'],
  [{ env: {} }, '/env empty'],
  [{ env: ['a', null] }, '/env/1 invalid_type'],
  [{ env: [['a']] }, '/env/0 invalid_type'],
  [{ env: Number.NaN }, '/env not_finite'],
  [{ env: 'a\u0000b' }, '/env invalid_value'],
  [{ env: 'a'.repeat(257) }, '/env out_of_range'],
  [{ env: { prefix: '' } }, '/env/prefix empty'],
  [{ env: { exists: 'yes' } }, '/env/exists invalid_type'],
  [{ env: { matches: '^(a+)+$' } }, '/env/matches unknown_field'],
  [{ env: { not: { exists: true } } }, '/env/not/exists unknown_field'],
  [{ env: { '==': 'prod' } }, '/env/== invalid_type'],
  [{ duration_ms: { '>': Number.NaN } }, '/duration_ms/> not_finite'],
  [{ duration_ms: { '>': JSON.parse('1e400') as number } }, '/duration_ms/> not_finite'],
  [{ duration_ms: { '>': '500' } }, '/duration_ms/> invalid_type'],
  [{ duration_ms: { '>': 1, gt: 2 } }, '/duration_ms/gt duplicate'],
  [{ duration_ms: 500 }, '/duration_ms invalid_value'],
  [{ '': 'x' }, '/ empty'],
  [Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`dim${index}`, 'x'])), ' too_many'],
])('%j is refused', (where, expected) => {
  const parsed = parse(where);
  expect(parsed.ok ? [] : parsed.issues.map(({ pointer, code }) => `${pointer.replace('/condition/where', '')} ${code}`)).toContain(
    expected,
  );
});
