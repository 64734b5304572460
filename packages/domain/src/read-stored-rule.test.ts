import fc from 'fast-check';
import { expect, test } from 'vitest';
import { draft, specOf } from '../test/a-rule.ts';
import { compileRule } from './compile-rule.ts';
import { readStoredRule } from './read-stored-rule.ts';

const SPEC = specOf(draft({ groupBy: ['model'], labels: { team: 'a' } }));
const stored = (over: object): unknown => JSON.parse(JSON.stringify({ ...SPEC, ...over }));
const comparison = (over: object): object => ({ condition: { ...SPEC.condition, ...over } });

test('what the parser made is read as it was, and compiled', () => {
  expect(readStoredRule(stored({}))).toEqual({ ok: true, spec: SPEC, compiled: compileRule(SPEC) });
});

test.for([
  ['an aggregation of another version', stored(comparison({ aggregation: 'p42' })), '/condition/aggregation Unknown word'],
  ['a field of another version', stored({ escalate: '5m' }), '/escalate'],
  ['a threshold of another version', stored(comparison({ threshold: { median: 3 } })), '/condition/threshold must be a number'],
  ['a duration that is none', stored({ for: '1 fortnight' }), 'not a duration: 1 fortnight'],
  ['words of people, with defaults left out', { name: 'x', condition: SPEC.condition }, 'not in canonical words'],
  ['no condition', stored({ condition: null }), '/condition must be an object'],
  ['a text', 'a rule', 'must be an object'],
  ['a list', [SPEC], 'must be an object'],
  ['nothing', null, 'must be an object'],
] as const)('%s is a fault that is told, not thrown', ([, spec, fault]) => {
  expect(readStoredRule(spec)).toEqual({ ok: false, fault: expect.stringContaining(fault) });
});

test('nothing at all makes it throw', () => {
  const deep = Array.from({ length: 20_000 }).reduce<unknown>((inner) => ({ not: inner }), SPEC.condition);
  expect(readStoredRule({ ...SPEC, condition: deep })).toMatchObject({ ok: false });
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(SPEC)), (value, field) => {
      readStoredRule(value);
      readStoredRule({ ...SPEC, [field]: value });
      readStoredRule({ ...SPEC, condition: { ...SPEC.condition, [field]: value, where: value } });
    }),
  );
});
