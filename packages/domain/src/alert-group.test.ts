import fc from 'fast-check';
import { expect, test } from 'vitest';
import { groupOf, worstMember, type GroupMember } from './alert-group.ts';
import type { AlertSnapshot } from './notification.ts';

const member = (id: string, over: Partial<AlertSnapshot> = {}, rule = 'a'): GroupMember => ({
  rule: { id: rule, key: rule, name: rule },
  snapshot: {
    id,
    name: 'Slow',
    alertType: 'custom',
    status: 'triggered',
    severity: 'warning',
    metric: 'latency',
    aggregation: 'p95',
    operator: '>',
    value: 200,
    threshold: 100,
    unit: 'ms',
    window: '5m',
    samples: 10,
    labels: {},
    startedAt: '2026-11-27T10:00:00.000Z',
    resolvedAt: null,
    url: null,
    ...over,
  },
});
const idsOf = (...members: GroupMember[]): string[] => groupOf(members, 'group').worst.map(({ id }) => id);

test('a group counts alerts, not messages: what an alert said last counts', () => {
  const group = groupOf([member('1'), member('2', {}, 'b'), member('1', { status: 'resolved' })], 'storm');
  expect(group).toMatchObject({ reason: 'storm', count: 2, resolved: 1, rules: 2 });
});

test.each<[string, Partial<AlertSnapshot>, Partial<AlertSnapshot>]>([
  ['what is graver', { severity: 'critical' }, { value: 10_000 }],
  ['what is open', { severity: 'info' }, { severity: 'critical', status: 'resolved' }],
  ['what is further past its threshold', { value: 400 }, { value: 300 }],
  ['what is further below its threshold', { operator: '<', value: 10 }, { operator: '<', value: 20 }],
  ['more thresholds, not more units', { value: 9, threshold: 3 }, { value: 1_500, threshold: 1_000 }],
  ['what has a reading', { value: 101 }, { value: null }],
])('%s is worse', (_, worse, better) => {
  expect(idsOf(member('2', worse), member('1', better))).toEqual(['2', '1']);
  expect(idsOf(member('2', better), member('1', worse))).toEqual(['1', '2']);
  expect(worstMember([member('2', better), member('1', worse)]).snapshot.id).toBe('1');
});

test('the five worst are shown, whatever the order', () => {
  const members = Array.from({ length: 8 }, (_, index) => member(String(index), { value: 200 + index }));
  fc.assert(
    fc.property(fc.shuffledSubarray(members, { minLength: 8 }), (shuffled) => {
      expect(idsOf(...shuffled)).toEqual(['7', '6', '5', '4', '3']);
    }),
  );
});
