import type { ChannelToPlan, HeardChannel, PendingTrigger } from '@tocsin/db';
import { expect, test } from 'vitest';
import { type Mutes, NO_MUTES, Route } from '@tocsin/domain';
import {
  type Known,
  plan,
  planForAcknowledged,
  planForEnd,
  planForRule,
  silentReason,
  type PlannedDelivery,
  type ToPlan,
} from './plan-deliveries.ts';

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
  const heard = (key: string, change: Partial<HeardChannel>): HeardChannel => ({
    ...channel(key),
    alertId: 'a',
    told: true,
    muted: false,
    ...change,
  });
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

const toPlan = (notify: PendingTrigger['notify'], change: Partial<ToPlan> = {}): ToPlan => ({
  alertId: 'alert',
  kind: 'fired',
  severity: 'error',
  notify,
  labels: { env: 'prod' },
  ruleKey: 'slow',
  alertType: 'threshold',
  silencedUntilMs: null,
  nowMs: 10,
  ...change,
});
const known = (change: Partial<Known> = {}): Known => ({
  channels: ['a', 'b', 'c'].map((key) => channel(key)),
  routes: [],
  mutes: NO_MUTES,
  heard: [],
  ...change,
});
const all = (key: string) => ({ channel: key, minSeverity: 'info' as const });
const silence = (untilMs: number): Mutes => ({ ...NO_MUTES, silences: [{ id: 'silence', matchers: [], untilMs }] });
const heardBy = (key: string, change: Partial<HeardChannel> = {}): HeardChannel => ({
  alertId: 'alert',
  id: `id-${key}`,
  key,
  kind: 'webhook',
  enabled: true,
  told: false,
  muted: false,
  ...change,
});

test('routes add to the rule’s own channels, and a channel that both want hears once', () => {
  const routes = [
    Route.parse({ matchers: [{ label: 'env', op: '=', value: 'prod' }], channels: [all('b'), all('a')], continue: true }),
    Route.parse({ channels: [{ channel: 'c', minSeverity: 'critical' }] }),
    Route.parse({ channels: [all('nobody')] }),
  ];
  expect(reasons(plan(toPlan([all('a')]), known({ routes })).deliveries)).toEqual({ a: null, b: null, c: 'below_min_severity' });
});

test('a rule that names nobody is told where a route leads; one that is deleted is not', () => {
  const routes = [Route.parse({ channels: [all('b')] })];
  expect(plan(toPlan([]), known({ routes }))).toMatchObject({ silent: null, deliveries: [{ channelKey: 'b', suppressed: null }] });
  expect(plan(toPlan(null), known({ routes }))).toMatchObject({ silent: 'rule_deleted', deliveries: [] });
});

test('what is muted is told nobody, and says what muted it', () => {
  const planned = plan(toPlan([all('a'), { channel: 'b', minSeverity: 'critical' }]), known({ mutes: silence(20) }));
  expect(planned.deliveries.map(({ channelKey, suppressed, suppressedBy }) => [channelKey, suppressed, suppressedBy])).toEqual([
    ['a', 'silenced', 'silence'],
    ['b', 'below_min_severity', null],
  ]);
  expect(planned).toMatchObject({ silent: 'all_suppressed', muted: { reason: 'silenced', by: 'silence', untilMs: 20 } });
});

test.each<[string, ToPlan, Known]>([
  ['a reminder', toPlan([all('a')], { kind: 'reminded' }), known({ mutes: silence(20) })],
  ['what nobody would have heard anyway', toPlan([{ channel: 'a', minSeverity: 'critical' }]), known({ mutes: silence(20) })],
  ['what is not muted', toPlan([all('a')]), known()],
])('nothing is to be told later of %s', (_what, trigger, of) => {
  expect(plan(trigger, of).muted).toBeNull();
});

test('once it is not muted any more, those hear who would have before, and no others', () => {
  const heard = [
    heardBy('a', { muted: true }),
    heardBy('b', { told: true }),
    heardBy('c', { muted: true, enabled: false }),
    heardBy('d', { muted: true, id: null }),
  ];
  const unsilenced = toPlan([all('b')], { kind: 'unsilenced' });
  expect(reasons(plan(unsilenced, known({ heard })).deliveries)).toEqual({ a: null, c: 'channel_disabled', d: 'channel_missing' });
  expect(plan(unsilenced, known({ heard: [heardBy('b', { told: true })] }))).toMatchObject({ deliveries: [], silent: 'told_already' });
});

test('muted by something else by then, it waits for the end of that', () => {
  const planned = plan(toPlan([], { kind: 'unsilenced' }), known({ heard: [heardBy('a', { muted: true })], mutes: silence(30) }));
  expect(planned).toMatchObject({ silent: 'silenced', muted: { untilMs: 30 } });
});

test('the end goes where the beginning went, muted or not', () => {
  const planned = plan(
    toPlan([all('c')], { kind: 'resolved', silencedUntilMs: 99 }),
    known({ heard: [heardBy('a', { told: true }), heardBy('b', { muted: true })], mutes: silence(30) }),
  );
  expect(reasons(planned.deliveries)).toEqual({ a: null, b: 'never_told' });
  expect(planned.muted).toBeNull();
});

test('that somebody has it is told to those who heard of it and want to know; nothing is written down for the others', () => {
  const heard = (key: string, more: Partial<HeardChannel> = {}): HeardChannel => ({
    alertId: 'a',
    id: `id-${key}`,
    key,
    kind: 'slack',
    enabled: true,
    told: true,
    muted: false,
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
