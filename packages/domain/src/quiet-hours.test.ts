import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WEEKDAYS } from './active-hours.ts';
import { isQuietForever, quietUntil, type QuietHours } from './quiet-hours.ts';

const BERLIN: QuietHours = { timeZone: 'Europe/Berlin', windows: [{ days: WEEKDAYS, from: '22:00', to: '07:00' }] };
const until = (hours: QuietHours, at: string): string | null => {
  const endMs = quietUntil(hours, Date.parse(at));
  return endMs === null ? null : new Date(endMs).toISOString();
};

test.each([
  ['before they begin', '2026-11-27T20:59:59Z', null],
  ['at their beginning', '2026-11-27T21:00:00Z', '2026-11-28T06:00:00.000Z'],
  ['after midnight', '2026-11-28T02:00:00Z', '2026-11-28T06:00:00.000Z'],
  ['in their last second', '2026-11-28T05:59:59Z', '2026-11-28T06:00:00.000Z'],
  ['at their end', '2026-11-28T06:00:00Z', null],
  ['in the night that is an hour short', '2027-03-27T23:00:00Z', '2027-03-28T05:00:00.000Z'],
  ['in the night that is an hour long', '2026-10-24T23:00:00Z', '2026-10-25T06:00:00.000Z'],
])('nightly quiet hours %s', (_, at, expected) => {
  expect(until(BERLIN, at)).toBe(expected);
});

test.each([
  ['an end that clocks leave out is when they are set', '02:30', '2027-03-28T00:00:00Z', '2027-03-28T01:00:00.000Z'],
  ['an end that they show twice is the first one', '02:30', '2026-10-25T00:00:00Z', '2026-10-25T00:30:00.000Z'],
  ['hours that they are set back into begin again', '02:30', '2026-10-25T01:00:00Z', '2026-10-25T01:30:00.000Z'],
])('%s', (_, to, at, expected) => {
  expect(until({ timeZone: 'Europe/Berlin', windows: [{ days: WEEKDAYS, from: '22:00', to }] }, at)).toBe(expected);
});

describe('windows', () => {
  const weekend: QuietHours = {
    timeZone: 'UTC',
    windows: [
      { days: ['fri'], from: '18:00', to: '24:00' },
      { days: ['sat', 'sun'], from: '00:00', to: '24:00' },
    ],
  };

  test('that touch are one', () => {
    expect(until(weekend, '2026-11-27T18:30:00Z')).toBe('2026-11-30T00:00:00.000Z');
    expect(until(weekend, '2026-11-30T00:00:00Z')).toBeNull();
  });

  test('that begin on some days alone end on the day after', () => {
    const friday: QuietHours = { timeZone: 'UTC', windows: [{ days: ['fri'], from: '22:00', to: '06:00' }] };
    expect(until(friday, '2026-11-28T05:00:00Z')).toBe('2026-11-28T06:00:00.000Z');
    expect(until(friday, '2026-11-27T05:00:00Z')).toBeNull();
  });

  test.each([
    [[{ days: WEEKDAYS, from: '00:00', to: '24:00' }], true],
    [[{ days: WEEKDAYS, from: '08:00', to: '08:00' }], true],
    [
      [
        { days: WEEKDAYS, from: '00:00', to: '12:00' },
        { days: WEEKDAYS, from: '11:00', to: '00:00' },
      ],
      true,
    ],
    [[{ days: WEEKDAYS, from: '00:00', to: '23:59' }], false],
    [[], false],
  ])('%j never end: %s', (windows, expected) => {
    expect(isQuietForever({ windows })).toBe(expected);
  });
});

test('it is quiet until the end, and not quiet at it', () => {
  const minute = fc.integer({ min: 0, max: 1_439 }).map((all) => new Date(all * 60_000).toISOString().slice(11, 16));
  const window = fc.record({ days: fc.subarray([...WEEKDAYS], { minLength: 1 }), from: minute, to: minute });
  const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu');
  const instants = fc.integer({ min: Date.UTC(2026, 0), max: Date.UTC(2027, 11) });
  fc.assert(
    fc.property(
      fc.array(window, { maxLength: 3 }),
      zones,
      instants,
      fc.double({ min: 0, max: 1, noNaN: true }),
      (windows, timeZone, at, part) => {
        const hours = { timeZone, windows };
        fc.pre(!isQuietForever(hours));
        const end = quietUntil(hours, at);
        if (end === null) return;
        expect(end).toBeGreaterThan(at);
        expect(quietUntil(hours, end)).toBeNull();
        expect(quietUntil(hours, at + Math.floor((end - at) * part * 0.999))).toBe(end);
      },
    ),
    { numRuns: 300 },
  );
});
