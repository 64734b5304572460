import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  closestBeginnings,
  instantAt,
  type MaintenanceTimes,
  occurrenceAfter,
  occurrenceAt,
  occurrencesFrom,
  shownAt,
} from './maintenance.ts';
import { wallClock } from './wall-clock.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const at = (text: string): number => Date.parse(text);
const times = (changes: Partial<MaintenanceTimes> = {}): MaintenanceTimes => ({
  timeZone: 'Europe/Berlin',
  start: '2026-11-28T22:00',
  durationMs: 2 * HOUR,
  recurrence: { kind: 'none' },
  ...changes,
});
const shown = (of: MaintenanceTimes, from: string, count: number): string[] =>
  occurrencesFrom(of, at(from), count).map(({ fromMs, toMs }) =>
    [fromMs, toMs].map((ms) => new Date(ms).toISOString().slice(0, 16)).join('/'),
  );

describe('occurrences, on the clocks of a time zone', () => {
  test.each<[what: string, MaintenanceTimes, from: string, expected: string[]]>([
    ['once', times(), '2026-11-01T00:00Z', ['2026-11-28T21:00/2026-11-28T23:00']],
    ['once, and over', times(), '2026-11-28T23:00Z', []],
    [
      'daily, from its start on',
      times({ recurrence: { kind: 'daily' } }),
      '2026-11-01T00:00Z',
      ['2026-11-28T21:00/2026-11-28T23:00', '2026-11-29T21:00/2026-11-29T23:00'],
    ],
    [
      'weekly on the days that are named, not on that of its start',
      times({ recurrence: { kind: 'weekly', days: ['sun', 'wed'] } }),
      '2026-11-01T00:00Z',
      ['2026-11-29T21:00/2026-11-29T23:00', '2026-12-02T21:00/2026-12-02T23:00'],
    ],
    [
      'a cron, not before its start',
      times({ recurrence: { kind: 'cron', cron: '0 3 1 * *' } }),
      '2026-01-01T00:00Z',
      ['2026-12-01T02:00/2026-12-01T04:00', '2027-01-01T02:00/2027-01-01T04:00'],
    ],
    [
      'clocks go forward: it stays where it is on the clock',
      times({ start: '2027-03-26T22:00', recurrence: { kind: 'daily' } }),
      '2027-03-27T00:00Z',
      ['2027-03-27T21:00/2027-03-27T23:00', '2027-03-28T20:00/2027-03-28T22:00'],
    ],
    [
      'a time that is skipped comes when clocks are set, and lasts as long as ever',
      times({ start: '2027-03-20T02:30', recurrence: { kind: 'daily' } }),
      '2027-03-27T04:00Z',
      ['2027-03-28T01:00/2027-03-28T03:00', '2027-03-29T00:30/2027-03-29T02:30'],
    ],
    ['the same once', times({ start: '2027-03-28T02:30' }), '2027-03-27T04:00Z', ['2027-03-28T01:00/2027-03-28T03:00']],
    [
      'a time that comes twice counts once, the first time',
      times({ start: '2027-10-20T02:30', recurrence: { kind: 'daily' } }),
      '2027-10-30T04:00Z',
      ['2027-10-31T00:30/2027-10-31T02:30', '2027-11-01T01:30/2027-11-01T03:30'],
    ],
    ['the same once', times({ start: '2027-10-31T02:30' }), '2027-10-30T04:00Z', ['2027-10-31T00:30/2027-10-31T02:30']],
    [
      'over the hour that comes twice it lasts its elapsed time',
      times({ start: '2027-10-31T01:00' }),
      '2027-10-30T04:00Z',
      ['2027-10-30T23:00/2027-10-31T01:00'],
    ],
    [
      'New York',
      times({ timeZone: 'America/New_York', start: '2027-03-13T02:30', recurrence: { kind: 'daily' } }),
      '2027-03-13T12:00Z',
      ['2027-03-14T07:00/2027-03-14T09:00', '2027-03-15T06:30/2027-03-15T08:30'],
    ],
    [
      'clocks that move by half an hour',
      times({ timeZone: 'Australia/Lord_Howe', start: '2026-10-04T02:15' }),
      '2026-10-01T00:00Z',
      ['2026-10-03T15:30/2026-10-03T17:30'],
    ],
    ['one that is on is the first', times(), '2026-11-28T22:59Z', ['2026-11-28T21:00/2026-11-28T23:00']],
  ])('%s', (_what, of, from, expected) => {
    expect(shown(of, from, Math.max(1, expected.length))).toEqual(expected);
  });
});

test('it begins at its first instant and is over at its last', () => {
  const of = times({ recurrence: { kind: 'daily' } });
  const fromMs = at('2026-11-29T21:00Z');
  const one = { fromMs, toMs: fromMs + 2 * HOUR };
  expect(occurrenceAt(of, fromMs - 1)).toBeNull();
  expect(occurrenceAt(of, fromMs)).toEqual(one);
  expect(occurrenceAt(of, fromMs + 2 * HOUR - 1)).toEqual(one);
  expect(occurrenceAt(of, fromMs + 2 * HOUR)).toBeNull();
});

test('a day that is shorter brings two of a day’s length together: the one that ends later counts', () => {
  const of = times({ start: '2027-03-01T12:00', durationMs: DAY, recurrence: { kind: 'daily' } });
  expect(occurrenceAt(of, at('2027-03-28T10:30Z'))).toEqual({ fromMs: at('2027-03-28T10:00Z'), toMs: at('2027-03-29T10:00Z') });
});

test.each<[MaintenanceTimes['recurrence'], number | null]>([
  [{ kind: 'none' }, null],
  [{ kind: 'daily' }, DAY],
  [{ kind: 'weekly', days: ['sat'] }, 7 * DAY],
  [{ kind: 'weekly', days: ['sat', 'mon'] }, 2 * DAY],
  [{ kind: 'weekly', days: ['mon', 'mon'] }, 7 * DAY],
  [{ kind: 'cron', cron: '0 */6 * * *' }, 6 * HOUR],
])('%j begins again after %s ms at the soonest', (recurrence, apartMs) => {
  expect(closestBeginnings(times({ start: '2026-06-01T00:00', recurrence }))).toBe(apartMs);
});

test.each(['2026-02-30T00:00', '2026-11-28 22:00', '2026-11-28T24:00', '2026-11-28T22:00Z', '2026-11-28', ''])(
  '%j is no local time',
  (text) => {
    expect(shownAt(text)).toBeNull();
  },
);

const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'America/Sao_Paulo');
const instant = fc.integer({ min: Date.UTC(2024, 0, 1) / 60_000, max: Date.UTC(2030, 0, 1) / 60_000 }).map((minute) => minute * 60_000);

test('an instant is the one its clocks show, or the earlier of two', () => {
  fc.assert(
    fc.property(zone, instant, (timeZone, ms) => {
      const found = instantAt(wallClock(ms, timeZone), timeZone);
      expect(found).toBeLessThanOrEqual(ms);
      expect(wallClock(found, timeZone)).toBe(wallClock(ms, timeZone));
    }),
  );
});

test('an occurrence that is on is one that began, and no instant is on without one', () => {
  const recurrence = fc.constantFrom<MaintenanceTimes['recurrence']>(
    { kind: 'daily' },
    { kind: 'weekly', days: ['mon', 'sun'] },
    { kind: 'cron', cron: '30 2 * * *' },
  );
  fc.assert(
    fc.property(zone, instant, recurrence, fc.integer({ min: 1, max: 24 * 60 }), (timeZone, ms, again, minutes) => {
      const of = times({ timeZone, start: '2024-01-01T02:30', durationMs: minutes * 60_000, recurrence: again });
      const next = occurrenceAfter(of, ms);
      expect(next).not.toBeNull();
      expect(occurrenceAt(of, next!.fromMs)?.fromMs).toBe(next!.fromMs);
      expect(occurrenceAt(of, next!.toMs - 1)?.toMs).toBeGreaterThanOrEqual(next!.toMs);
      const on = occurrenceAt(of, ms);
      if (on !== null) expect(on.fromMs <= ms && ms < on.toMs).toBe(true);
    }),
    { numRuns: 60 },
  );
});
