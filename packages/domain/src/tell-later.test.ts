import { describe, expect, test } from 'vitest';
import { WEEKDAYS } from './active-hours.ts';
import type { MessageKind } from './notification.ts';
import { SEVERITIES, type Severity } from './severity.ts';
import { type Digest, digestAfter, endOf, laterKey, laterReasonOf, toldLater, type ToldWhen } from './tell-later.ts';

const quietHours = { timeZone: 'Europe/Berlin', windows: [{ days: WEEKDAYS, from: '22:00', to: '07:00' }] };
const daily: Digest = { every: 'daily', at: '09:00', timeZone: 'Europe/Berlin' };
const NIGHT = Date.parse('2026-11-28T02:00:00Z');
const DAY = Date.parse('2026-11-28T12:00:00Z');
const when = (change: Partial<ToldWhen> = {}): ToldWhen => ({ quietHours: null, digest: null, digestBelow: null, ...change });
const said = (of: ToldWhen, kind: MessageKind, severity: Severity, atMs: number): string | null => {
  const later = toldLater(of, kind, severity, atMs);
  return later === null ? null : `${later.reason} ${new Date(later.untilMs).toISOString().slice(0, 16)}`;
};

test.each([
  ['fired', 'error', 'quiet_hours 2026-11-28T06:00'],
  ['resolved', 'info', 'quiet_hours 2026-11-28T06:00'],
  ['unacknowledged', 'error', 'quiet_hours 2026-11-28T06:00'],
  ['acknowledged', 'warning', 'quiet_hours 2026-11-28T06:00'],
  ['fired', 'critical', null],
  ['escalated', 'critical', null],
  ['resolved', 'critical', null],
  ['unacknowledged', 'critical', null],
  ['test', 'info', null],
  ['undelivered', 'warning', null],
  ['channel_failing', 'warning', null],
] as const)('in quiet hours %s of severity %s: %s', (kind, severity, expected) => {
  expect(said(when({ quietHours }), kind, severity, NIGHT)).toBe(expected);
  expect(said(when({ quietHours }), kind, severity, DAY)).toBeNull();
});

test.each([
  ['warning', ['info']],
  ['error', ['info', 'warning']],
  ['critical', ['info', 'warning', 'error']],
] as const)('a digest below %s collects %j', (digestBelow, collected) => {
  const waits = SEVERITIES.filter((severity) => said(when({ digest: daily, digestBelow }), 'fired', severity, DAY) !== null);
  expect(waits).toEqual(collected);
  expect(said(when({ digest: daily, digestBelow }), 'unacknowledged', 'info', DAY)).toBeNull();
});

test('a digest that falls into quiet hours comes at their end, and what is not for it waits for them alone', () => {
  const both = when({ quietHours, digest: { ...daily, at: '06:00' }, digestBelow: 'error' });
  expect(said(both, 'fired', 'warning', NIGHT)).toBe('digest 2026-11-28T06:00');
  expect(said(both, 'fired', 'error', NIGHT)).toBe('quiet_hours 2026-11-28T06:00');
  expect(said(both, 'fired', 'error', DAY)).toBeNull();
  expect(said(both, 'unacknowledged', 'warning', DAY)).toBeNull();
});

describe('a digest', () => {
  const monday = (at: string): Digest => ({ every: 'weekly', day: 'mon', at, timeZone: 'Europe/Berlin' });
  test.each<[string, Digest, string, string]>([
    ['comes at its time', daily, '2026-11-28T07:59:59.500Z', '2026-11-28T08:00:00.000Z'],
    ['comes a day later for what is told at its time', daily, '2026-11-28T08:00:00Z', '2026-11-29T08:00:00.000Z'],
    ['comes once a week', monday('09:00'), '2026-11-30T08:00:00Z', '2026-12-07T08:00:00.000Z'],
    ['comes on its day', monday('09:00'), '2026-11-28T12:00:00Z', '2026-11-30T08:00:00.000Z'],
    ['stays where it is on the clock when clocks go forward', daily, '2027-03-27T08:00:00Z', '2027-03-28T07:00:00.000Z'],
    ['stays where it is on the clock when they go back', daily, '2026-10-24T07:00:00Z', '2026-10-25T08:00:00.000Z'],
    ['comes when clocks are set past its time', { ...daily, at: '02:30' }, '2027-03-27T12:00:00Z', '2027-03-28T01:00:00.000Z'],
    ['comes once where its time is shown twice', { ...daily, at: '02:30' }, '2026-10-25T00:30:00Z', '2026-10-26T01:30:00.000Z'],
    ['comes the first time where its time is shown twice', { ...daily, at: '02:30' }, '2026-10-24T12:00:00Z', '2026-10-25T00:30:00.000Z'],
    [
      'keeps the days of its own zone',
      { every: 'weekly', day: 'sun', at: '00:00', timeZone: 'Pacific/Auckland' },
      '2026-11-27T00:00:00Z',
      '2026-11-28T11:00:00.000Z',
    ],
  ])('%s', (_, digest, after, expected) => {
    expect(new Date(digestAfter(digest, Date.parse(after))).toISOString()).toBe(expected);
  });
});

test('what waits for quiet hours or a digest that are gone ends now', () => {
  expect([endOf(when(), 'quiet_hours', NIGHT), endOf(when(), 'digest', NIGHT)]).toEqual([NIGHT, NIGHT]);
  expect(endOf(when({ quietHours }), 'digest', NIGHT)).toBe(Date.parse('2026-11-28T06:00:00Z'));
});

test('a key says what is waited for', () => {
  expect([laterKey('digest', null), laterKey('quiet_hours', 'a')].map(laterReasonOf)).toEqual(['digest', 'quiet_hours']);
  expect(['channel', 'rule:r', 'rule:r:end', null].map(laterReasonOf)).toEqual([null, null, null, null]);
});
