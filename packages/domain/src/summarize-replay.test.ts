import { describe, expect, test } from 'vitest';
import { comparison, HOUR, MINUTE, ruleOf } from '../test/a-rule.ts';
import { answers, readings, replayOf } from '../test/replay.ts';
import type { CompiledRule } from './compiled-rule.ts';
import type { RangeResult } from './range-reading.ts';
import { countReplay, warningsOf, type PreviewWarning } from './summarize-replay.ts';

/** A minute a reading. */
const minutes = (...runs: [value: number | null, count: number][]): (number | null)[] =>
  runs.flatMap(([value, count]) => Array.from({ length: count }, () => value));

const BAD = 2_000;
const FINE = 10;

const spanOf = (result: RangeResult) => ({
  fromMs: 0,
  toMs: (result.kind === 'range' ? result.series[0]!.values.length : 1) * MINUTE,
});
const countsOf = (rule: CompiledRule, result: RangeResult) => countReplay(rule, replayOf(rule, [result]), spanOf(result));
const toTwo = {
  notify: [
    { channel: 'a', minSeverity: 'warning' },
    { channel: 'b', minSeverity: 'critical' },
  ],
  cooldown: '0s',
};

describe('counts', () => {
  test('an alert that ends is two messages to each channel that hears of it', () => {
    const rule = ruleOf({ ...toTwo, notify: ['a', 'c', { channel: 'b', minSeverity: 'critical' }] });
    expect(countsOf(rule, readings(minutes([FINE, 5], [BAD, 10], [FINE, 5])))).toEqual({
      alerts: 1,
      notifications: 4,
      muted: 0,
      firingMs: 10 * MINUTE,
      seriesAffected: 1,
    });
  });

  test('what rises is told again, and to whom it only now concerns; they hear of the end, too', () => {
    const rule = ruleOf({ ...toTwo, condition: comparison({ threshold: { warning: 1_000, critical: 3_000 } }) });
    // a: fired, escalated, resolved; b: escalated, resolved.
    expect(countsOf(rule, readings(minutes([FINE, 2], [BAD, 5], [5_000, 5], [FINE, 2])))).toMatchObject({ alerts: 1, notifications: 5 });
  });

  test('reminders count, from when the channel was told, until the end', () => {
    const rule = ruleOf({ ...toTwo, notify: ['a'], remindEvery: '10m' });
    // Fired, three reminders, resolved after 35 minutes.
    expect(countsOf(rule, readings(minutes([FINE, 1], [BAD, 35], [FINE, 4])))).toMatchObject({ notifications: 5 });
    // Still open at the end: no resolved.
    expect(countsOf(rule, readings(minutes([FINE, 1], [BAD, 36])))).toMatchObject({ notifications: 4, firingMs: 35 * MINUTE });
  });

  test('the cooldown holds back, a shadow rule says nothing', () => {
    const swinging = readings(minutes([BAD, 2], [FINE, 2], [BAD, 2], [FINE, 2]));
    expect(countsOf(ruleOf({ ...toTwo, cooldown: '60m' }), swinging)).toMatchObject({ alerts: 1, notifications: 2 });
    expect(countsOf(ruleOf(toTwo), swinging)).toMatchObject({ alerts: 2, notifications: 4 });
    expect(countsOf(ruleOf({ ...toTwo, mode: 'shadow' }), swinging)).toMatchObject({ alerts: 2, notifications: 0 });
  });

  test('every series by itself', () => {
    const rule = ruleOf({ ...toTwo, groupBy: ['host'] });
    const result = answers(
      { labels: { host: 'a' }, values: minutes([FINE, 5], [BAD, 5]) },
      { labels: { host: 'b' }, values: minutes([BAD, 5], [FINE, 5]) },
      { labels: { host: 'c' }, values: minutes([FINE, 10]) },
    );
    expect(countsOf(rule, result)).toEqual({ alerts: 2, notifications: 3, muted: 0, firingMs: 9 * MINUTE, seriesAffected: 2 });
  });
});

describe('what is told together', () => {
  const many = (count: number) =>
    answers(
      ...Array.from({ length: count }, (_, host) => ({ labels: { host: String(host) }, values: minutes([FINE, 2], [BAD, 5], [FINE, 3]) })),
    );

  test('is two messages, however many series begin, and two when they end', () => {
    const rule = ruleOf({ ...toTwo, notify: ['a'], groupBy: ['host'] });
    expect([1, 2, 3, 9].map((count) => countsOf(rule, many(count)).notifications)).toEqual([2, 4, 4, 4]);
  });

  test('waits for nothing milder', () => {
    const rule = ruleOf({
      ...toTwo,
      notify: ['a'],
      groupBy: ['host'],
      condition: comparison({ threshold: { warning: 1_000, critical: 3_000 } }),
    });
    const worse = { labels: { host: 'worst' }, values: minutes([FINE, 2], [5_000, 8]) };
    const mild = ['a', 'b', 'c'].map((host) => ({ labels: { host }, values: minutes([FINE, 2], [BAD, 8]) }));
    expect(countsOf(rule, answers(worse, ...mild)).notifications).toBe(3);
  });
});

describe('what was muted is counted apart', () => {
  const rule = ruleOf({ ...toTwo, notify: ['a'] });
  const burning = readings(minutes([FINE, 5], [BAD, 10], [FINE, 5]));
  const counted = (of: CompiledRule, result: RangeResult, fromMinute: number, toMinute: number) =>
    countReplay(of, replayOf(of, [result]), spanOf(result), (_labels, _severity, _type, atMs) =>
      atMs >= fromMinute * MINUTE && atMs < toMinute * MINUTE ? toMinute * MINUTE : null,
    );

  test.each<[what: string, from: number, to: number, notifications: number, muted: number]>([
    ['all of it: who was never told hears of no end', 0, 20, 0, 1],
    ['its beginning: told at the end of the mute, and of its end', 0, 10, 2, 1],
    ['its end: that goes where the beginning went', 12, 20, 2, 0],
    ['none of it', 17, 20, 2, 0],
  ])('%s', (_what, from, to, notifications, muted) => {
    expect(counted(rule, burning, from, to)).toMatchObject({ alerts: 1, notifications, muted });
  });

  test('reminders in it are muted, those after it are told', () => {
    const reminding = ruleOf({ ...toTwo, notify: ['a'], remindEvery: '10m' });
    const long = readings(minutes([FINE, 1], [BAD, 35], [FINE, 4]));
    expect(counted(reminding, long, 5, 25)).toMatchObject({ notifications: 3, muted: 2 });
  });
});

describe('warnings', () => {
  function warned(over: object, results: readonly RangeResult[]): PreviewWarning[] {
    const rule = ruleOf({ notify: ['a'], ...over });
    const replay = replayOf(rule, results);
    const span = { fromMs: 0, toMs: (24 * HOUR * replayedMinutes(results)) / (24 * 60) };
    return warningsOf(rule, replay, countReplay(rule, replay, span), span);
  }
  const replayedMinutes = ([first]: readonly RangeResult[]): number => (first?.kind === 'range' ? first.series[0]!.values.length : 60);
  const codes = (over: object, ...results: RangeResult[]): string[] => warned(over, results).map(({ code }) => code);
  const noisy = minutes(
    ...Array.from({ length: 24 }, (): [number, number][] => [
      [BAD, 1],
      [FINE, 59],
    ]).flat(),
  );

  test('of a rule that is fine there are none', () => {
    expect(codes({}, readings(minutes([FINE, 600], [BAD, 30], [FINE, 810])))).toEqual([]);
  });

  test('of one that fires often and shortly', () => {
    const said = warned({ cooldown: '0s' }, [readings(noisy)]);
    expect(said.map(({ code }) => code)).toEqual(['noisy', 'short_lived']);
    expect(said[0]?.message).toMatch(/^Fires 24× a day/);
    expect(said[1]?.message).toMatch(/^24 of 24 alerts were over within 2m/);
  });

  test.each<[string, object, (number | null)[], string[]]>([
    ['always fires', {}, minutes([FINE, 10], [BAD, 1_000], [FINE, 10]), ['always_firing']],
    ['never fires', {}, minutes([FINE, 1_000], [900, 1], [FINE, 100]), ['never_fires']],
    ['measures nothing', {}, minutes([null, 500]), ['no_data']],
    ['hardly measures anything', {}, minutes([BAD, 100], [null, 500], [FINE, 1]), ['no_data', 'always_firing']],
    ['tells nobody', { notify: [] }, minutes([FINE, 300], [BAD, 30], [FINE, 300]), ['no_channels']],
    ['is a shadow', { mode: 'shadow' }, minutes([FINE, 300], [BAD, 30], [FINE, 300]), ['shadow']],
  ])('of one that %s', (_what, over, values, expected) => {
    expect(codes(over, readings(values))).toEqual(expected);
  });

  test('say how near it came, on the side where it is bad', () => {
    const message = (over: object): string | undefined =>
      warned(over, [readings(minutes([500, 60], [900, 1], [600, 60]))]).find(({ code }) => code === 'never_fires')?.message;
    expect(message({})).toBe('Would not have fired; the highest value was 900.');
    expect(message({ condition: comparison({ operator: '<', threshold: 100 }) })).toBe('Would not have fired; the lowest value was 500.');
  });

  test('of what failed, is not ready, was left out or summed up', () => {
    const fine = readings(minutes([FINE, 300], [BAD, 30], [FINE, 300]));
    if (fine.kind !== 'range') throw new Error('no range');
    expect(
      codes({ condition: { all: [comparison(), comparison({ window: '6m' })] } }, fine, { kind: 'failed', code: 'x', message: 'y' }),
    ).toContain('failed');
    expect(
      codes({ condition: { any: [comparison({ threshold: 1e9 }), comparison({ window: '6m' })] } }, fine, {
        kind: 'warming',
        missingHours: 3,
      }),
    ).toContain('not_ready');
    expect(
      codes({ groupBy: ['host'] }, { ...fine, dropped: 7, series: fine.series.map((each) => ({ ...each, labels: { host: 'a' } })) }),
    ).toEqual(['series_dropped']);
    expect(codes({}, { ...fine, basis: 'hours' })).toEqual(['summed_up']);
  });
});
