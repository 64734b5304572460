import { expect, test } from 'vitest';
import { DRILL_PREFIX, drillRule } from './drill.ts';
import { readStoredRule } from './read-stored-rule.ts';
import { parseRule } from './parse-rule.ts';

test('the rule of a drill is one that evaluators understand, under a key that people cannot give', () => {
  const spec = drillRule('01990000-0000-7000-8000-000000000000', 'critical', ['hook', 'mail']);
  expect(spec.notify.map(({ channel }) => channel)).toEqual(['hook', 'mail']);
  expect(readStoredRule(JSON.parse(JSON.stringify(spec)))).toMatchObject({ ok: true });
  const given = parseRule({
    name: 'Mine',
    key: `${DRILL_PREFIX}mine`,
    condition: { metric: 'latency', window: '5m', operator: '>', threshold: 1 },
  });
  expect(given).toMatchObject({ ok: false, issues: [{ pointer: '/key' }] });
});
