import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PERIOD_MAX_MS, PERIODS, periodAt } from './period.ts';

const bounds = (at: string, period: (typeof PERIODS)[number], timeZone: string): string[] => {
  const { fromMs, toMs } = periodAt(Date.parse(at), { period, timeZone });
  return [fromMs, toMs].map((ms) => new Date(ms).toISOString().slice(0, 16));
};

test.each<[string, (typeof PERIODS)[number], string, string[]]>([
  ['2026-03-29T12:00:00Z', 'day', 'Europe/Berlin', ['2026-03-28T23:00', '2026-03-29T22:00']],
  ['2026-10-25T12:00:00Z', 'day', 'Europe/Berlin', ['2026-10-24T22:00', '2026-10-25T23:00']],
  ['2026-11-27T12:00:00Z', 'week', 'UTC', ['2026-11-23T00:00', '2026-11-30T00:00']],
  ['2026-11-01T12:00:00Z', 'week', 'America/New_York', ['2026-10-26T04:00', '2026-11-02T05:00']],
  ['2026-12-31T23:30:00Z', 'month', 'Europe/Berlin', ['2026-12-31T23:00', '2027-01-31T23:00']],
  ['2026-12-31T23:30:00Z', 'month', 'UTC', ['2026-12-01T00:00', '2027-01-01T00:00']],
  ['2028-02-29T12:00:00Z', 'month', 'Asia/Kolkata', ['2028-01-31T18:30', '2028-02-29T18:30']],
  // Midnight does not come: clocks are set forward from it.
  ['2026-09-06T12:00:00Z', 'day', 'America/Santiago', ['2026-09-06T04:00', '2026-09-07T03:00']],
  // A day that Samoa left out.
  ['2011-12-31T00:00:00Z', 'month', 'Pacific/Apia', ['2011-12-01T10:00', '2011-12-31T10:00']],
])('of %s the %s in %s is %j', (at, period, timeZone, expected) => {
  expect(bounds(at, period, timeZone)).toEqual(expected);
});

test('an instant lies in its period, periods follow each other, and none is longer than it may be', () => {
  const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'America/Santiago', 'Asia/Kathmandu');
  const instants = fc.integer({ min: Date.UTC(2015, 0, 1), max: Date.UTC(2035, 0, 1) });
  fc.assert(
    fc.property(instants, zones, fc.constantFrom(...PERIODS), (atMs, timeZone, period) => {
      const { fromMs, toMs } = periodAt(atMs, { period, timeZone });
      expect(fromMs).toBeLessThanOrEqual(atMs);
      expect(toMs).toBeGreaterThan(atMs);
      expect(toMs - fromMs).toBeLessThanOrEqual(PERIOD_MAX_MS[period]);
      expect(periodAt(toMs, { period, timeZone }).fromMs).toBe(toMs);
      expect(periodAt(fromMs - 1, { period, timeZone }).toMs).toBe(fromMs);
    }),
  );
});
