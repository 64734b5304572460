import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { placed, planCalendarClaim, slotAfter, stepOf, type Calendar } from './calendar.ts';
import { isActive, WEEKDAYS } from './active-hours.ts';

const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;
const WORK = [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '09:00', to: '17:30' }] as const;

const calendar = (changes: Partial<Calendar> = {}): Calendar => ({
  everyMs: HOUR,
  phaseMs: 0,
  debounceMs: 0,
  timeZone: 'UTC',
  cron: null,
  activeHours: [],
  pausedUntilMs: null,
  ...changes,
});

function slots(of: Calendar, from: string, count: number): string[] {
  const found: string[] = [];
  let atMs: number | null = Date.parse(from);
  let lastMs: number | null = null;
  while (found.length < count) {
    atMs = slotAfter(of, atMs, lastMs);
    if (atMs === null) return found;
    lastMs = atMs;
    found.push(new Date(atMs).toISOString().slice(0, 16));
  }
  return found;
}

describe('the slots of a cron, on the clocks of its time zone', () => {
  test.each<[what: string, cron: string, zone: string, from: string, expected: string[]]>([
    [
      'a working day',
      '*/30 9-10 * * 1-5',
      'Europe/Berlin',
      '2026-11-06T09:00:00Z',
      ['2026-11-06T09:30', '2026-11-09T08:00', '2026-11-09T08:30'],
    ],
    [
      'Berlin, clocks go forward 2026: the window stays where it is on the clock',
      '0 9 * * *',
      'Europe/Berlin',
      '2026-03-28T00:00:00Z',
      ['2026-03-28T08:00', '2026-03-29T07:00', '2026-03-30T07:00'],
    ],
    [
      'Berlin, clocks go back 2026',
      '0 9 * * *',
      'Europe/Berlin',
      '2026-10-24T00:00:00Z',
      ['2026-10-24T07:00', '2026-10-25T08:00', '2026-10-26T08:00'],
    ],
    [
      'Berlin, a fixed time that is skipped in 2027 comes at once, and once',
      '30 2 * * *',
      'Europe/Berlin',
      '2027-03-27T00:00:00Z',
      ['2027-03-27T01:30', '2027-03-28T01:00', '2027-03-29T00:30'],
    ],
    [
      'Berlin, a fixed time that comes twice in 2027 counts once',
      '30 2 * * *',
      'Europe/Berlin',
      '2027-10-30T00:00:00Z',
      ['2027-10-30T00:30', '2027-10-31T00:30', '2027-11-01T01:30'],
    ],
    [
      'Berlin, what repeats goes on through the hour that comes twice',
      '*/30 * * * *',
      'Europe/Berlin',
      '2027-10-31T00:10:00Z',
      ['2027-10-31T00:30', '2027-10-31T01:00', '2027-10-31T01:30', '2027-10-31T02:00'],
    ],
    [
      'Berlin, and through the hour that is left out',
      '*/30 * * * *',
      'Europe/Berlin',
      '2027-03-28T00:10:00Z',
      ['2027-03-28T00:30', '2027-03-28T01:00', '2027-03-28T01:30'],
    ],
    [
      'New York, forward',
      '0 9 * * *',
      'America/New_York',
      '2027-03-13T00:00:00Z',
      ['2027-03-13T14:00', '2027-03-14T13:00', '2027-03-15T13:00'],
    ],
    [
      'New York, back',
      '*/10 9-17 * * 1-5',
      'America/New_York',
      '2026-10-30T21:45:00Z',
      ['2026-10-30T21:50', '2026-11-02T14:00', '2026-11-02T14:10'],
    ],
    ['a zone of half an hour', '0 9 * * *', 'Asia/Kolkata', '2026-11-06T00:00:00Z', ['2026-11-06T03:30', '2026-11-07T03:30']],
    [
      'a zone whose clocks move by half an hour',
      '0,30 1,2 * * *',
      'Australia/Lord_Howe',
      '2026-10-03T14:00:00Z',
      ['2026-10-03T14:30', '2026-10-03T15:00', '2026-10-03T15:30', '2026-10-04T14:00'],
    ],
    ['a leap day', '0 0 29 2 *', 'UTC', '2026-11-06T00:00:00Z', ['2028-02-29T00:00', '2032-02-29T00:00']],
    ['what never comes', '0 0 30 2 *', 'UTC', '2026-11-06T00:00:00Z', []],
  ])('%s', (_what, cron, timeZone, from, expected) => {
    expect(slots(calendar({ cron, timeZone }), from, Math.max(1, expected.length))).toEqual(expected);
  });

  test('outside of the active hours there is none', () => {
    const of = calendar({ cron: '0 8,12,18 * * *', activeHours: WORK });
    expect(slots(of, '2026-11-06T00:00:00Z', 3)).toEqual(['2026-11-06T12:00', '2026-11-09T12:00', '2026-11-10T12:00']);
    expect(slots(calendar({ cron: '0 8 * * *', activeHours: WORK }), '2026-11-06T00:00:00Z', 1)).toEqual([]);
  });
});

describe('active hours', () => {
  test('a slot outside of them is moved to their next beginning, several to the same', () => {
    expect(slots(calendar({ activeHours: WORK, phaseMs: 20 * MINUTE }), '2026-11-06T15:30:00Z', 4)).toEqual([
      '2026-11-06T16:20',
      '2026-11-06T17:20',
      '2026-11-09T09:00',
      '2026-11-09T09:20',
    ]);
    expect(slots(calendar({ everyMs: DAY, phaseMs: 3 * HOUR, activeHours: WORK }), '2026-11-05T00:00:00Z', 3)).toEqual([
      '2026-11-05T09:00',
      '2026-11-06T09:00',
      '2026-11-09T09:00',
    ]);
  });

  test.each([
    ['Europe/Berlin', '2026-03-28T00:00:00Z', ['2026-03-28T07:00', '2026-03-29T06:00', '2026-03-30T06:00']],
    ['Europe/Berlin', '2027-10-30T00:00:00Z', ['2027-10-30T06:00', '2027-10-31T07:00', '2027-11-01T07:00']],
    ['America/New_York', '2026-10-31T00:00:00Z', ['2026-10-31T12:00', '2026-11-01T13:00', '2026-11-02T13:00']],
    ['Asia/Kolkata', '2026-10-31T00:00:00Z', ['2026-10-31T02:30', '2026-11-01T02:30', '2026-11-02T02:30']],
  ])('begin by the clock of %s, whatever it is set to', (timeZone, from, expected) => {
    const activeHours = [{ days: WEEKDAYS, from: '08:00', to: '08:30' }];
    expect(slots(calendar({ everyMs: 12 * HOUR, activeHours, timeZone }), from, 3)).toEqual(expected);
  });

  test('whose beginning the clocks leap over begin when they do; those the clocks are set back into begin again', () => {
    const night = (from: string, to: string): Calendar =>
      calendar({ everyMs: DAY, activeHours: [{ days: WEEKDAYS, from, to }], timeZone: 'Europe/Berlin' });
    expect(new Date(placed(night('02:30', '04:00'), Date.parse('2027-03-28T00:00:00Z'))).toISOString()).toBe('2027-03-28T01:00:00.000Z');
    const back = night('01:00', '02:30');
    expect(new Date(placed(back, Date.parse('2027-10-31T00:45:00Z'))).toISOString()).toBe('2027-10-31T01:00:00.000Z');
    expect(new Date(placed(back, Date.parse('2027-10-31T01:30:00Z'))).toISOString()).toBe('2027-11-01T00:00:00.000Z');
  });
});

test('a debounce keeps slots apart, and a pause moves them to its end', () => {
  expect(slots(calendar({ everyMs: 10 * MINUTE, debounceMs: 15 * MINUTE }), '2026-11-06T09:55:00Z', 3)).toEqual([
    '2026-11-06T10:00',
    '2026-11-06T10:20',
    '2026-11-06T10:40',
  ]);
  expect(slots(calendar({ cron: '*/10 * * * *', debounceMs: 25 * MINUTE }), '2026-11-06T09:55:00Z', 3)).toEqual([
    '2026-11-06T10:00',
    '2026-11-06T10:30',
    '2026-11-06T11:00',
  ]);
  const pausedUntilMs = Date.parse('2026-11-06T12:15:00Z');
  expect(slots(calendar({ pausedUntilMs }), '2026-11-06T09:55:00Z', 2)).toEqual(['2026-11-06T12:15', '2026-11-06T13:00']);
  expect(slots(calendar({ pausedUntilMs, cron: '0 * * * *' }), '2026-11-06T09:55:00Z', 2)).toEqual([
    '2026-11-06T13:00',
    '2026-11-06T14:00',
  ]);
});

test.each<[what: string, changes: Partial<Calendar>, stepMs: number | null]>([
  ['a grid', {}, HOUR],
  ['a grid with a debounce', { debounceMs: 90 * MINUTE }, 2 * HOUR],
  ['a cron', { cron: '*/10 9-17 * * 1-5' }, 10 * MINUTE],
  ['a cron with a debounce', { cron: '*/10 * * * *', debounceMs: 11 * MINUTE }, 20 * MINUTE],
  ['a cron with seconds', { cron: '*/15 * * * * *' }, 15_000],
  ['a cron that is too fine only once an hour', { cron: '0,57 0,59 * * * *' }, 3_000],
  ['a cron that never comes', { cron: '0 0 30 2 *' }, null],
])('what lies between the slots of %s', (_what, changes, stepMs) => {
  expect(stepOf(calendar(changes), Date.parse('2026-11-06T00:00:00Z'))).toBe(stepMs);
});

const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'America/St_Johns');
const time = fc
  .integer({ min: 0, max: 1_439 })
  .map((minute) => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`);
const window = fc
  .record({ days: fc.subarray([...WEEKDAYS], { minLength: 1 }), from: time, to: fc.oneof(time, fc.constant('24:00')) })
  .filter(({ from, to }) => from < to);
/** Around the days on which some clock is set. */
const instant = fc
  .record({
    dayMs: fc.constantFrom(
      ...['2026-03-29', '2026-10-25', '2026-11-01', '2027-03-14', '2027-03-28', '2027-04-04', '2026-07-01'].map((day) => Date.parse(day)),
    ),
    offMs: fc.integer({ min: -DAY, max: DAY }),
  })
  .map(({ dayMs, offMs }) => dayMs + offMs);
const any = fc.record({
  everyMs: fc.constantFrom(10 * MINUTE, 17 * MINUTE, HOUR, DAY),
  phaseMs: fc.integer({ min: 0, max: 86_399 }).map((seconds) => seconds * 1_000),
  debounceMs: fc.constantFrom(0, 0, 25 * MINUTE),
  timeZone: zone,
  cron: fc.constantFrom(null, null, '*/30 * * * *', '30 2 * * *', '*/20 1-3 * * *'),
  activeHours: fc.array(window, { maxLength: 2 }),
  pausedUntilMs: fc.option(instant),
});

test(
  'slots grow, keep apart, lie within the hours and after the pause, and none that is looked for later was passed over',
  { timeout: 60_000 },
  () => {
    fc.assert(
      fc.property(any, instant, fc.integer({ min: 1, max: 3 * HOUR }), (of, fromMs, lateMs) => {
        let lastMs: number | null = null;
        for (let count = 0; count < 12; count += 1) {
          const beforeMs: number = lastMs ?? fromMs;
          const slotMs: number | null = slotAfter(of, beforeMs, lastMs);
          if (slotMs === null) return;
          expect(slotMs).toBeGreaterThan(beforeMs);
          if (lastMs !== null) expect(slotMs - lastMs).toBeGreaterThanOrEqual(of.debounceMs);
          expect(isActive(slotMs, of.activeHours, of.timeZone)).toBe(true);
          if (of.pausedUntilMs !== null) expect(slotMs).toBeGreaterThanOrEqual(of.pausedUntilMs);
          // Whoever looks at any moment in between finds the same one.
          expect(slotAfter(of, Math.max(beforeMs, slotMs - lateMs), lastMs)).toBe(slotMs);
          lastMs = slotMs;
        }
      }),
      { numRuns: 60 },
    );
  },
);

test('a claim accounts for every slot up to now once: the newest runs, the others are counted', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(any, instant, fc.integer({ min: 0, max: DAY }), (of, fromMs, lateMs) => {
      const nextSlotMs = slotAfter(of, fromMs, null);
      if (nextSlotMs === null) return;
      const nowMs = nextSlotMs + lateMs;
      const due: number[] = [];
      for (let at: number | null = nextSlotMs; at !== null && at <= nowMs; at = slotAfter(of, at, at)) due.push(at);
      const plan = planCalendarClaim(of, { nextSlotMs, nowMs });
      expect([...(plan.skipped === null ? [] : [plan.skipped.fromMs]), plan.runSlotMs]).toEqual(
        due.length === 1 ? due : [due[0], due.at(-1)],
      );
      expect((plan.skipped?.count ?? 0) + 1).toBe(due.length);
      if (plan.skipped !== null) expect(plan.skipped.toMs).toBe(due.at(-2));
      expect(plan.nextSlotMs).toBe(slotAfter(of, due.at(-1) ?? 0, due.at(-1) ?? 0));
    }),
    { numRuns: 60 },
  );
});

test('more than can be counted at once is due again at once', () => {
  const of = calendar({ cron: '* * * * *' });
  const nextSlotMs = Date.parse('2026-11-06T00:00:00Z');
  const plan = planCalendarClaim(of, { nextSlotMs, nowMs: nextSlotMs + DAY });
  expect(plan.nextSlotMs).toBe(plan.runSlotMs + MINUTE);
  expect(plan.runSlotMs).toBeLessThan(nextSlotMs + DAY);
  expect(plan.skipped?.count).toBe((plan.runSlotMs - nextSlotMs) / MINUTE);
});
