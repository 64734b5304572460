import { describe, expect, test } from 'vitest';
import { comparison, HOUR, MINUTE, only, ruleOf } from '../test/a-rule.ts';
import { noise, past } from '../test/a-past.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { fitModel } from './fit-model.ts';
import type { SeriesHistory } from './history.ts';
import { judge, type Fits } from './judge.ts';
import type { QueryResult } from './reading.ts';
import type { Judgement } from './series-state.ts';

const DAY = 24 * HOUR;
/** 10:30 on a Thursday, seven days after the epoch. */
const AT = 7 * DAY + 10 * HOUR + 30 * MINUTE;
const TODAY = 7 * DAY;

/** What a rule says of one value, given what was before. */
function verdict(rule: CompiledRule, results: readonly QueryResult[], history?: SeriesHistory, endMs: number = AT): Judgement {
  const fits = rule.histories.map(({ model, lookbackMs, refresh }): Fits => {
    if (history === undefined) return { kind: 'warming' };
    const toMs = refresh === 'day' ? TODAY : AT - (AT % HOUR);
    const steps = Math.min(history.values.length, lookbackMs / (5 * MINUTE));
    const from = history.values.length - steps;
    const cut = { ...history, values: history.values.subarray(from), samples: history.samples.subarray(from) };
    return { kind: 'fits', of: new Map([['{}', fitModel(model, cut, toMs - steps * 5 * MINUTE)]]) };
  });
  const [judgement] = judge(rule, results, [], { endMs, fits }).judgements;
  if (judgement === undefined) throw new Error('no series');
  return judgement;
}

const says = (rule: CompiledRule, value: number | null, history?: SeriesHistory): string =>
  `${verdict(rule, [only(value)], history).verdict} ${verdict(rule, [only(value)], history).lead.threshold}`;

describe('levels', () => {
  const rule = ruleOf({ condition: comparison({ threshold: { warning: 1_000, critical: 2_500 } }) });

  test.each<[number, string, string, number]>([
    [999, 'clear', 'warning', 1_000],
    [1_000, 'clear', 'warning', 1_000],
    [1_001, 'breach', 'warning', 1_000],
    [2_500, 'breach', 'warning', 1_000],
    [2_501, 'breach', 'critical', 2_500],
  ])('%d is %s at %s', (value, expected, severity, threshold) => {
    const judgement = verdict(rule, [only(value)]);
    expect([judgement.verdict, judgement.severity, judgement.lead.threshold]).toEqual([expected, severity, threshold]);
  });

  test('each ends at its own recover', () => {
    const held = ruleOf({ condition: comparison({ threshold: { warning: 100, critical: 200 }, recover: { warning: 80, critical: 150 } }) });
    const rankAt = (value: number): [string, number] => {
      const { whileFiring, held: level } = verdict(held, [only(value)]);
      return [whileFiring, level.rank];
    };
    expect([210, 160, 150, 90, 80].map(rankAt)).toEqual([
      ['breach', 3],
      ['breach', 3],
      ['breach', 1],
      ['breach', 1],
      ['clear', 1],
    ]);
  });

  test('one that a comparison does not name is that of the next milder one; without a milder one it is not reached', () => {
    const both = ruleOf({
      condition: {
        all: [comparison({ threshold: { warning: 10, critical: 30 } }), comparison({ metric: 'cost', threshold: { error: 5 } })],
      },
    });
    expect(both.levels.map(({ severity }) => severity)).toEqual(['warning', 'error', 'critical']);
    const severityOf = (latency: number, cost: number): string => {
      const { verdict: said, severity } = verdict(both, [only(latency), only(cost)]);
      return `${said} ${severity}`;
    };
    expect([severityOf(20, 1), severityOf(20, 6), severityOf(31, 6)]).toEqual(['clear warning', 'breach error', 'breach critical']);
  });
});

describe('a baseline', () => {
  /** 100 by night, 200 from 8 to 18. */
  const working = past(7 * 24, (hour) => (hour % 24 >= 8 && hour % 24 < 18 ? 200 : 100));
  const baseline = (over: object = {}, operator = '>'): CompiledRule =>
    ruleOf({ condition: comparison({ operator, threshold: { baseline: { multiplier: 2, ...over } } }) });

  test.each<[string, CompiledRule, number, string]>([
    ['twice the hour', baseline(), 401, 'breach 400'],
    ['twice the hour', baseline(), 400, 'clear 400'],
    ['a floor above it', baseline({ floor: 500 }), 450, 'clear 500'],
    ['a floor above it', baseline({ floor: 500 }), 501, 'breach 500'],
    ['all hours together', baseline({ season: 'none' }), 201, 'breach 200'],
    ['half of the hour', baseline({ multiplier: 0.5 }, '<'), 99, 'breach 100'],
    ['half of little', baseline({ multiplier: 0.5, floor: 250 }, '<'), 99, 'clear 100'],
    ['the average', baseline({ statistic: 'avg' }), 401, 'breach 400'],
  ])('is %s', (_what, rule, value, expected) => {
    expect(says(rule, value, working)).toBe(expected);
  });

  test('is not moved by one odd day', () => {
    const odd = past(7 * 24, (hour) => (hour >= 48 && hour < 72 ? 5_000 : 100));
    expect(says(baseline(), 201, odd)).toBe('breach 200');
  });

  test('recovers at a multiplier of its own', () => {
    const rule = baseline({ recover: 1.5 });
    expect([301, 300].map((value) => verdict(rule, [only(value)], working).whileFiring)).toEqual(['breach', 'clear']);
  });

  test.each([
    ['while its hours are prepared', undefined, 'warming'],
    ['of two days', past(48, () => 100), 'baseline_not_ready'],
    ['of a series that is new', past(7 * 24, () => null), 'baseline_not_ready'],
  ])('%s never fires, and says why', (_what, history, reason) => {
    const judgement = verdict(baseline(), [only(1e9)], history);
    expect([judgement.verdict, judgement.lead.notReady]).toEqual(['not_ready', reason]);
  });

  test('is not made of the time before the series was there', () => {
    const counted = ruleOf({ condition: { name: 'job', window: '5m', operator: '>', threshold: { baseline: { multiplier: 2 } } } });
    const history = past(7 * 24, (hour) => (hour < 4 * 24 ? 0 : 50));
    for (let step = 0; step < 4 * 24 * 12; step++) history.samples[step] = 0;
    expect(says(counted, 101, history)).toBe('breach 100');
  });

  test('of a count takes hours without events for 0, once the series is there', () => {
    const counted = ruleOf({
      condition: { name: 'job', window: '5m', operator: '>', threshold: { baseline: { multiplier: 2, floor: 1 } } },
    });
    const rare = past(7 * 24, (hour, minute) => (minute === 0 ? 30 : null));
    expect(says(counted, 2, rare)).toBe('breach 1');
  });

  test('of the hour of the week needs two weeks', () => {
    const weekly = ruleOf({ condition: comparison({ threshold: { baseline: { multiplier: 2, season: 'hourOfWeek', lookback: '14d' } } }) });
    const weeks = past(14 * 24, (hour) => (hour % 168 < 24 ? 900 : 100));
    expect([says(weekly, 1_800, weeks), says(weekly, 1_801, weeks)]).toEqual(['clear 1800', 'breach 1800']);
    expect(
      says(
        weekly,
        1e9,
        past(7 * 24, () => 100),
      ),
    ).toMatch(/^not_ready/);
  });
});

describe('a change', () => {
  const change = (operator: string, over: object = {}): CompiledRule =>
    ruleOf({ condition: comparison({ metric: 'cost', operator, threshold: { change: { percent: 50, ...over } } }) });

  test.each<[string, object, number, number | null, string]>([
    ['>', {}, 151, 100, 'breach > 150'],
    ['>', {}, 150, 100, 'clear > 150'],
    ['<', {}, 49, 100, 'breach < 50'],
    ['<', {}, 50, 100, 'clear < 50'],
    ['!=', {}, 49, 100, 'breach < 50'],
    ['!=', {}, 151, 100, 'breach > 150'],
    ['!=', {}, 120, 100, 'clear > 150'],
    ['>', {}, -49, -100, 'breach > -50'],
    ['>', { floor: 200 }, 199, 100, 'clear > 200'],
    ['>', { floor: 200 }, 201, 100, 'breach > 200'],
    ['<', { floor: 200 }, 1, 100, 'clear < 50'],
    ['>', { floor: 10 }, 11, 0, 'breach > 10'],
  ])('%s 50 %% %j: %d after %d is %s', (operator, over, value, before, expected) => {
    const { verdict: said, lead } = verdict(change(operator, over), [only(value), only(before)]);
    expect(`${said} ${lead.operator} ${lead.threshold}`).toBe(expected);
  });

  test.each<[QueryResult, string]>([
    [only(0), 'base_zero'],
    [only(null), 'base_missing'],
    [{ kind: 'warming', missingHours: 3 }, 'warming'],
  ])('of %j is not known, and says why', (base, reason) => {
    const { verdict: said, lead } = verdict(change('>'), [only(1e9), base]);
    expect([said, lead.notReady]).toEqual(['not_ready', reason]);
  });

  test.each([
    ['previous', 5 * MINUTE],
    ['1h', HOUR],
    ['1d', DAY],
    ['7d', 7 * DAY],
  ])('versus %s reads the window that ended then', (versus, backMs) => {
    expect(change('>', { versus }).windows.map((window) => window.backMs)).toEqual([0, backMs]);
  });
});

describe('an anomaly', () => {
  const noisy = past(7 * 24, (hour, minute) => 100 + 10 * noise(hour * 60 + minute));
  const anomaly = (over: object = {}): CompiledRule =>
    ruleOf({ condition: comparison({ operator: undefined, threshold: { anomaly: over } }) });

  test.each([
    ['above', 160, 'breach'],
    ['above', 40, 'clear'],
    ['below', 40, 'breach'],
    ['below', 160, 'clear'],
    ['both', 160, 'breach'],
    ['both', 40, 'breach'],
    ['both', 104, 'clear'],
  ])('%s: %d is %s', (direction, value, expected) => {
    for (const method of ['robust', 'seasonal'])
      expect([method, verdict(anomaly({ direction, method }), [only(value)], noisy).verdict]).toEqual([method, expected]);
  });

  test('of a series that was always the same is any other value, unless a floor says how far', () => {
    const flat = past(7 * 24, () => 5);
    expect([5, 6].map((value) => verdict(anomaly(), [only(value)], flat).verdict)).toEqual(['clear', 'breach']);
    expect([6, 8].map((value) => verdict(anomaly({ floor: 2 }), [only(value)], flat).verdict)).toEqual(['clear', 'breach']);
  });

  test('a seasonal model knows the day, and says how far it was off when it was tried', () => {
    const wave = past(7 * 24, (hour, minute) => 100 + 50 * Math.sin((2 * Math.PI * (hour % 24)) / 24) + noise(hour * 60 + minute));
    const usual = 100 + 50 * Math.sin((2 * Math.PI * 10) / 24);
    const seasonal = anomaly({ method: 'seasonal' });
    expect(verdict(seasonal, [only(usual)], wave).verdict).toBe('clear');
    const { verdict: said, lead } = verdict(seasonal, [only(usual - 40)], wave);
    expect([said, lead.operator]).toEqual(['breach', '<']);
    expect(lead.origin).toMatchObject({ kind: 'anomaly', method: 'seasonal' });
    if (lead.origin?.kind === 'anomaly') expect(lead.origin.testedError).toBeLessThan(3);
  });

  test.each([
    [100, 0],
    [117, 1],
    [125, 2],
    [133, 3],
    [160, 4],
  ])('its severity at %d is %d, as a metric', (value, severity) => {
    const metric = ruleOf({
      condition: { metric: 'anomaly_severity', of: { metric: 'latency', aggregation: 'p95' }, window: '5m', operator: '>=', threshold: 1 },
    });
    const judgement = verdict(metric, [only(value)], noisy);
    expect([judgement.lead.value, judgement.verdict]).toEqual([severity, severity >= 1 ? 'breach' : 'clear']);
  });
});

describe('a forecast', () => {
  const forecast = (over: object = {}, operator = '>'): CompiledRule =>
    ruleOf({
      condition: comparison({
        metric: undefined,
        measure: 'disk',
        operator,
        threshold: { forecast: { crosses: 90, within: '4h', ...over } },
      }),
    });
  /** Two a hour, with noise and a reboot in between. */
  const rising = past(24, (hour, minute) => (hour === 9 ? 5 : 30 + 2 * (hour + minute / 60) + noise(hour * 60 + minute)));

  test.each([
    [81, 'clear'],
    [83, 'breach'],
    [95, 'breach'],
  ])('at %d is %s', (now, expected) => {
    const { verdict: said, lead } = verdict(forecast(), [only(now)], rising);
    expect([said, lead.threshold]).toEqual([expected, 90]);
    expect(lead.origin).toMatchObject({ kind: 'forecast', now });
    if (lead.origin?.kind === 'forecast') {
      expect(lead.origin.slopePerHour).toBeCloseTo(2, 0);
      expect(lead.origin.confidence).toBeGreaterThan(0.7);
    }
  });

  test('says when it will cross', () => {
    const { lead } = verdict(
      forecast(),
      [only(86)],
      past(24, (hour, minute) => 40 + 2 * (hour + minute / 60)),
    );
    expect(lead.origin).toMatchObject({ kind: 'forecast', crossesAt: new Date(AT + 2.4 * HOUR).toISOString() });
  });

  test('falling, it looks the other way', () => {
    const falling = past(24, (hour) => 200 - 3 * hour);
    expect(verdict(forecast({ crosses: 100 }, '<'), [only(110)], falling).verdict).toBe('breach');
    expect(verdict(forecast({ crosses: 90 }, '<'), [only(110)], falling).verdict).toBe('clear');
  });

  test('of five hours is not known', () => {
    const { verdict: said, lead } = verdict(
      forecast(),
      [only(89)],
      past(5, (hour) => 50 + hour),
    );
    expect([said, lead.notReady]).toEqual(['not_ready', 'forecast_not_ready']);
  });
});

describe('a budget', () => {
  const budget = ruleOf({
    condition: { metric: 'cost', window: 'month', timeZone: 'Europe/Berlin', threshold: { budget: { amount: 500, steps: [50, 80, 100] } } },
  });
  const MAY_11 = Date.parse('2026-05-11T00:00:00+02:00');

  test.each<[number, string, string, number]>([
    [249, 'clear', 'info', 250],
    [250, 'breach', 'info', 250],
    [400, 'breach', 'warning', 400],
    [500, 'breach', 'critical', 500],
  ])('%d spent is %s at %s', (spent, expected, severity, threshold) => {
    const judgement = verdict(budget, [only(spent)], undefined, MAY_11);
    expect([judgement.verdict, judgement.severity, judgement.lead.threshold]).toEqual([expected, severity, threshold]);
  });

  test('says on which day all will be spent', () => {
    const { lead } = verdict(budget, [only(200)], undefined, MAY_11);
    expect(lead.origin).toMatchObject({
      kind: 'budget',
      spent: 40,
      periodFrom: '2026-04-30T22:00:00.000Z',
      periodTo: '2026-05-31T22:00:00.000Z',
      overrunAt: '2026-05-25T22:00:00.000Z',
    });
  });
});

describe('a ratio', () => {
  const ratio = (over: object = {}): CompiledRule =>
    ruleOf({
      condition: {
        numerator: { metric: 'error_rate', aggregation: 'count' },
        denominator: { metric: 'throughput', aggregation: 'count' },
        window: '5m',
        operator: '>',
        threshold: 15,
        ...over,
      },
    });

  test.each<[object, number | null, number | null, string]>([
    [{}, 3, 4, 'breach 75'],
    [{}, 15, 100, 'clear 15'],
    [{}, 16, 100, 'breach 16'],
    [{}, 0, 0, 'unknown null'],
    [{}, null, 100, 'unknown null'],
    [{ unit: 'ratio', threshold: 0.15 }, 16, 100, 'breach 0.16'],
  ])('%j: %d of %d is %s', (over, hits, tries, expected) => {
    const counted = (value: number | null): QueryResult => only(value, value ?? 0);
    const { verdict: said, lead } = verdict(ratio(over), [counted(hits), counted(tries)]);
    expect(`${said} ${lead.value}`).toBe(expected);
  });

  test('minSamples is asked of the denominator', () => {
    const rule = ratio({ minSamples: 20 });
    expect([19, 20].map((tries) => verdict(rule, [only(10, 10), only(tries, tries)]).verdict)).toEqual(['unknown', 'breach']);
  });

  test('under wilson95, three of four are not 75 %', () => {
    const bounded = ratio({ bound: 'wilson95', threshold: 50 });
    const few = verdict(bounded, [only(3, 3), only(4, 4)]);
    expect(few.verdict).toBe('clear');
    expect(few.lead.value).toBeCloseTo(30.06, 1);
    expect(verdict(bounded, [only(75, 75), only(100, 100)])).toMatchObject({ verdict: 'breach' });
    const low = ratio({ bound: 'wilson95', operator: '<', threshold: 50 });
    expect(verdict(low, [only(1, 1), only(4, 4)]).verdict).toBe('clear');
  });

  test('a burn rate is two ratios that must both hold', () => {
    const slo = ruleOf({
      condition: {
        burnRate: { objective: 99.9, factor: 14.4, windows: ['1h', '5m'] },
        numerator: { name: 'http', where: { status: 'error' } },
        denominator: { name: 'http' },
        minSamples: 500,
      },
    });
    expect(slo.comparisons.map(({ windowMs, limits, minSamples }) => [windowMs, limits[0], minSamples])).toEqual([
      [HOUR, { kind: 'fixed', threshold: 1.44, recover: null }, 500],
      [5 * MINUTE, { kind: 'fixed', threshold: 1.44, recover: null }, 1],
    ]);
    const burn = (long: [number, number], short: [number, number]): string =>
      verdict(
        slo,
        [...long, ...short].map((count) => only(count, count)),
      ).verdict;
    expect([burn([20, 1_000], [2, 100]), burn([20, 1_000], [0, 100]), burn([10, 1_000], [9, 100])]).toEqual(['breach', 'clear', 'clear']);
  });
});

describe('absence', () => {
  const silent = ruleOf({ condition: { name: 'heartbeat', absentFor: '10m' }, groupBy: ['host'], newSeriesGrace: '2m' });
  const known = { seriesKey: '{"host":"a"}', labels: { host: 'a' }, isOpen: false };

  test('is a series that was there and sends nothing', () => {
    const [gone] = judge(silent, [{ kind: 'series', series: [], dropped: 0 }], [known]).judgements;
    expect(gone).toMatchObject({ verdict: 'breach', isAbsence: true, seen: false });
    const there: QueryResult = { kind: 'series', series: [{ labels: { host: 'a' }, value: 3, samples: 3 }], dropped: 0 };
    expect(judge(silent, [there], [known]).judgements[0]).toMatchObject({ verdict: 'clear', seen: true });
  });
});
