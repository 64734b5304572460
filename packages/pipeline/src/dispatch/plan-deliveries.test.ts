import type { ChannelToPlan, HeardChannel, PendingTrigger } from '@tocsin/db';
import { expect, test } from 'vitest';
import { planForAcknowledged, planForEnd, planForRule, silentReason, type PlannedDelivery } from './plan-deliveries.ts';

const trigger = (notify: PendingTrigger['notify'], change: Partial<PendingTrigger> = {}): PendingTrigger =>
  ({ id: 't', alertId: 'a', kind: 'fired', severity: 'error', createdMs: 0, notify, ...change }) as PendingTrigger;
const channel = (key: string, enabled = true): ChannelToPlan => ({
  tenantId: 'n',
  id: `id-${key}`,
  key,
  kind: 'webhook',
  enabled,
  version: 1,
  config: {},
  secrets: null,
});
const reasons = (planned: PlannedDelivery[]): Record<string, string | null> =>
  Object.fromEntries(planned.map((each) => [each.channelKey, each.suppressed]));

test('a channel hears from its least severity on', () => {
  const notify = (['info', 'warning', 'error', 'critical'] as const).map((minSeverity) => ({ channel: minSeverity, minSeverity }));
  const channels = notify.map((entry) => channel(entry.channel));
  expect(reasons(planForRule(trigger(notify), channels))).toEqual({
    info: null,
    warning: null,
    error: null,
    critical: 'below_min_severity',
  });
});

test('a channel listed twice hears once, by its laxest entry', () => {
  const notify = [
    { channel: 'a', minSeverity: 'critical' },
    { channel: 'a', minSeverity: 'info' },
    { channel: 'a', minSeverity: 'critical' },
  ] as const;
  expect(reasons(planForRule(trigger([...notify]), [channel('a')]))).toEqual({ a: null });
});

test('a channel that is off or unknown is named with that reason', () => {
  const notify = [
    { channel: 'off', minSeverity: 'critical' },
    { channel: 'gone', minSeverity: 'info' },
  ] as const;
  expect(reasons(planForRule(trigger([...notify]), [channel('off', false)]))).toEqual({ off: 'channel_disabled', gone: 'channel_missing' });
});

test('the end is for those who heard', () => {
  const heard = (key: string, change: Partial<HeardChannel>): HeardChannel => ({ ...channel(key), alertId: 'a', told: true, ...change });
  expect(
    reasons(
      planForEnd([heard('a', {}), heard('b', { told: false }), heard('c', { id: null, enabled: false }), heard('d', { enabled: false })]),
    ),
  ).toEqual({
    a: null,
    b: 'never_told',
    c: 'channel_missing',
    d: 'channel_disabled',
  });
});

test.each<[string, PendingTrigger, (string | null)[], string | null]>([
  ['one is to hear', trigger([]), ['channel_missing', null], null],
  ['the rule names nobody', trigger([]), [], 'no_channels'],
  ['the rule is gone', trigger(null), [], 'rule_deleted'],
  ['nobody ever heard of it', trigger([], { kind: 'resolved' }), [], 'nobody_told'],
  ['all for one reason', trigger([]), ['channel_disabled', 'channel_disabled'], 'channel_disabled'],
  ['all for several reasons', trigger([]), ['channel_disabled', 'channel_missing'], 'all_suppressed'],
])('silence has a reason: %s', (_name, of, suppressed, expected) => {
  const planned = suppressed.map((reason) => ({
    channelId: null,
    channelKey: 'x',
    channelKind: 'x',
    suppressed: reason,
  })) as PlannedDelivery[];
  expect(silentReason(of, planned)).toBe(expected);
});

test('that somebody has it is told to those who heard of it and want to know; nothing is written down for the others', () => {
  const heard = (key: string, more: Partial<HeardChannel> = {}): HeardChannel => ({
    alertId: 'a',
    id: `id-${key}`,
    key,
    kind: 'slack',
    enabled: true,
    told: true,
    ...more,
  });
  const channels = [
    heard('a'),
    heard('off', { enabled: false }),
    heard('gone', { id: null }),
    heard('untold', { told: false }),
    heard('b', { kind: 'webhook' }),
  ];
  expect(reasons(planForAcknowledged(channels, (kind) => kind === 'slack'))).toEqual({ a: null });
  expect(silentReason(trigger(null, { kind: 'acknowledged' }), [])).toBe('nobody_asked');
});
