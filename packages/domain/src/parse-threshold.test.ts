import { describe, expect, test } from 'vitest';
import { comparison, draft } from '../test/a-rule.ts';
import { parseRule } from './parse-rule.ts';

/** What is wrong with a rule, as `pointer code`. */
const complaints = (over: object): string[] => {
  const parsed = parseRule(draft(over));
  return parsed.ok ? [] : parsed.issues.map(({ pointer, code }) => `${pointer} ${code}`);
};
const ofCondition = (condition: unknown): string[] => complaints({ condition }).map((each) => each.replace('/condition', ''));
const ofThreshold = (threshold: unknown, over: object = {}): string[] =>
  ofCondition(comparison({ threshold, ...over })).map((each) => each.replace('/threshold', ''));

type Rows = [string, unknown, object, string[]][];

describe('levels', () => {
  const rows: Rows = [
    ['none', {}, {}, [' invalid_value']],
    ['a list', [1, 2], {}, [' invalid_type']],
    ['text', { warning: '5' }, {}, ['/warning invalid_type']],
    ['not finite', { warning: Infinity }, {}, ['/warning not_finite']],
    ['an unknown level', { warning: 1, loud: 2 }, {}, ['/loud unknown_field']],
    ['the same twice, in other words', { warning: 1, medium: 2 }, {}, ['/medium duplicate']],
    ['a worse one that is milder', { warning: 9, critical: 5 }, {}, ['/critical level_order']],
    ['the same number twice', { warning: 5, critical: 5 }, {}, ['/critical level_order']],
    ['of a low threshold, the wrong way round', { warning: 5, critical: 9 }, { operator: '<' }, ['/critical level_order']],
    ['a budget within', { warning: { budget: { amount: 5 } } }, {}, ['/warning conflict']],
    ['recover of one number', { warning: 5, critical: 9 }, { recover: 4 }, ['/recover invalid_type']],
    ['recover of a level there is not', { warning: 5, critical: 9 }, { recover: { error: 4 } }, ['/recover/error conflict']],
    ['recover on the wrong side', { warning: 5, critical: 9 }, { recover: { critical: 10 } }, ['/recover/critical recover_side']],
    ['recover of a level that moves', { warning: { change: { percent: 5 } } }, { recover: { warning: 4 } }, ['/recover/warning conflict']],
    ['fine', { warning: 5, critical: 9 }, { recover: { warning: 4, critical: 8 } }, []],
    ['fine, of several kinds', { warning: { baseline: { multiplier: 2 } }, critical: 9 }, {}, []],
  ];
  test.each(rows)('%s', (_what, threshold, over, expected) => {
    expect(ofThreshold(threshold, over)).toEqual(expected);
  });

  test('stand for the severity, and have no meaning under not', () => {
    expect(complaints({ condition: comparison({ threshold: { warning: 5 } }), severity: 'error' })).toEqual([
      '/severity severity_with_levels',
    ]);
    expect(ofCondition({ not: comparison({ threshold: { warning: 5 } }) })).toEqual(['/not/threshold level_under_not']);
  });
});

describe('kinds of threshold', () => {
  const rows: Rows = [
    ['an unknown kind', { basline: { multiplier: 2 } }, {}, [' invalid_value']],
    ['two kinds', { baseline: { multiplier: 2 }, change: { percent: 5 } }, {}, [' conflict']],
    ['a kind and a field beside it', { baseline: { multiplier: 2 }, floor: 5 }, {}, ['/floor unknown_field']],
    ['a baseline of text', { baseline: '2x' }, {}, ['/baseline invalid_type']],
    ['a baseline without multiplier', { baseline: {} }, {}, ['/baseline/multiplier required']],
    ['a multiplier below 0', { baseline: { multiplier: -1 } }, {}, ['/baseline/multiplier out_of_range']],
    ['a multiplier of text', { baseline: { multiplier: '2' } }, {}, ['/baseline/multiplier invalid_type']],
    ['an unknown season', { baseline: { multiplier: 2, season: 'month' } }, {}, ['/baseline/season invalid_value']],
    ['an unknown statistic', { baseline: { multiplier: 2, statistic: 'p95' } }, {}, ['/baseline/statistic invalid_value']],
    ['a lookback of two days', { baseline: { multiplier: 2, lookback: '2d' } }, {}, ['/baseline/lookback out_of_range']],
    [
      'a week for hours of the week',
      { baseline: { multiplier: 2, season: 'hourOfWeek', lookback: '7d' } },
      {},
      ['/baseline/lookback out_of_range'],
    ],
    ['a lookback of 61 days', { baseline: { multiplier: 2, lookback: '61d' } }, {}, ['/baseline/lookback out_of_range']],
    ['a floor of text', { baseline: { multiplier: 2, floor: 'low' } }, {}, ['/baseline/floor invalid_type']],
    ['an unknown field of a baseline', { baseline: { multiplier: 2, percent: 5 } }, {}, ['/baseline/percent unknown_field']],
    ['a recover above the multiplier', { baseline: { multiplier: 2, recover: 3 } }, {}, ['/baseline/recover recover_side']],
    [
      'a recover below it where little is bad',
      { baseline: { multiplier: 0.5, recover: 0.4 } },
      { operator: '<' },
      ['/baseline/recover recover_side'],
    ],
    ['a recover outside of it', { baseline: { multiplier: 2 } }, { recover: 1 }, ['/recover conflict']],
    ['a change without percent', { change: {} }, {}, ['/change/percent required']],
    ['a change of less than nothing', { change: { percent: -20 } }, {}, ['/change/percent out_of_range']],
    ['a change versus 2h', { change: { percent: 20, versus: '2h' } }, {}, ['/change/versus invalid_value']],
    ['a recover above the percent', { change: { percent: 20, recover: 30 } }, {}, ['/change/recover recover_side']],
    ['an unknown field of a change', { change: { percent: 20, lookback: '7d' } }, {}, ['/change/lookback unknown_field']],
    ['a score below a half', { anomaly: { score: 0.4 } }, {}, ['/anomaly/score out_of_range']],
    ['a direction against the operator', { anomaly: { direction: 'below' } }, { operator: '>' }, ['/anomaly/direction conflict']],
    ['an unknown direction', { anomaly: { direction: 'up' } }, { operator: undefined }, ['/anomaly/direction invalid_value']],
    ['an unknown method', { anomaly: { method: 'prophet' } }, {}, ['/anomaly/method invalid_value']],
    ['three days for a seasonal model', { anomaly: { method: 'seasonal', lookback: '3d' } }, {}, ['/anomaly/lookback out_of_range']],
    ['a floor below 0', { anomaly: { floor: -1 } }, {}, ['/anomaly/floor out_of_range']],
    ['a recover above the score', { anomaly: { score: 3, recover: 4 } }, {}, ['/anomaly/recover recover_side']],
    ['a forecast of nothing', { forecast: {} }, {}, ['/forecast/crosses required']],
    ['a forecast further than its past', { forecast: { crosses: 90, within: '2d' } }, {}, ['/forecast/within out_of_range']],
    ['a forecast of five hours', { forecast: { crosses: 90, lookback: '5h' } }, {}, ['/forecast/lookback out_of_range']],
    ['a forecast that recovers', { forecast: { crosses: 90 } }, { recover: 80 }, ['/recover conflict']],
    ['an unknown field of a forecast', { forecast: { crosses: 90, score: 3 } }, {}, ['/forecast/score unknown_field']],
    ['a budget over 1d', { budget: { amount: 5 } }, { window: '1d' }, ['/budget conflict']],
    ['a baseline of a month', { baseline: { multiplier: 2 } }, { window: 'month' }, ['/baseline no_meaning']],
  ];
  test.each(rows)('%s', (_what, threshold, over, expected) => {
    expect(ofThreshold(threshold, over)).toEqual(expected);
  });
});

describe('budgets', () => {
  const spent = (threshold: unknown, over: object = {}): string[] =>
    ofCondition({ metric: 'cost', window: 'month', threshold, ...over }).map((each) => each.replace('/threshold', ''));
  const rows: Rows = [
    ['nothing', { budget: {} }, {}, ['/budget/amount invalid_type']],
    ['of 0', { budget: { amount: 0 } }, {}, ['/budget/amount out_of_range']],
    ['without steps', { budget: { amount: 5, steps: [] } }, {}, ['/budget/steps empty']],
    ['of steps that fall', { budget: { amount: 5, steps: [80, 50] } }, {}, ['/budget/steps/1 out_of_range']],
    ['of a step of 0', { budget: { amount: 5, steps: [0] } }, {}, ['/budget/steps/0 out_of_range']],
    ['of steps of text', { budget: { amount: 5, steps: ['80 %'] } }, {}, ['/budget/steps/0 invalid_type']],
    ['of eleven steps', { budget: { amount: 5, steps: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] } }, {}, ['/budget/steps too_many']],
    ['that recovers', { budget: { amount: 5 } }, { recover: 4 }, ['/recover no_meaning']],
    ['in no time zone', { budget: { amount: 5 } }, { timeZone: 'Berlin' }, ['/timeZone invalid_value']],
    ['fine', { budget: { amount: 5, steps: [80, 100, 120] } }, { timeZone: 'Europe/Berlin' }, []],
  ];
  test.each(rows)('%s', (_what, threshold, over, expected) => {
    expect(spent(threshold, over)).toEqual(expected);
  });

  test('a time zone goes with a calendar alone', () => {
    expect(ofCondition(comparison({ timeZone: 'Europe/Berlin' }))).toEqual(['/timeZone conflict']);
  });

  test('a rule has one, without levels beside it and not under not', () => {
    const budget = { metric: 'cost', window: 'day', threshold: { budget: { amount: 5 } } };
    expect(complaints({ condition: { all: [budget, budget] } })).toEqual(['/condition conflict']);
    expect(complaints({ condition: { any: [budget, comparison({ threshold: { warning: 5 } })] } })).toEqual(['/condition conflict']);
    expect(ofCondition({ not: budget })).toEqual(['/not/threshold level_under_not']);
  });
});

describe('other comparisons', () => {
  const counts = {
    numerator: { metric: 'error_rate', aggregation: 'count' },
    denominator: { metric: 'throughput', aggregation: 'count' },
    window: '5m',
    operator: '>',
    threshold: 5,
  };
  const burn = (over: object, beside: object = {}): object => ({
    numerator: counts.numerator,
    denominator: counts.denominator,
    burnRate: { objective: 99.9, factor: 14.4, windows: ['1h', '5m'], ...over },
    ...beside,
  });
  test.each<[string, object, string[]]>([
    ['a ratio without denominator', { ...counts, denominator: undefined }, ['/denominator required']],
    [
      'a ratio with a window in its part',
      { ...counts, numerator: { ...counts.numerator, window: '5m' } },
      ['/numerator/window unknown_field'],
    ],
    ['a ratio in ms', { ...counts, unit: 'ms' }, ['/unit invalid_value']],
    ['a bound of 99 %', { ...counts, bound: 'wilson99' }, ['/bound invalid_value']],
    ['a bound of what is no share', { ...counts, numerator: { metric: 'cost' }, bound: 'wilson95' }, ['/bound no_meaning']],
    ['a ratio against a baseline', { ...counts, threshold: { baseline: { multiplier: 2 } } }, ['/threshold/baseline no_meaning']],
    ['a ratio, fine', { ...counts, unit: '%', bound: 'wilson95', minSamples: 20 }, []],
    ['an objective of 100 %', burn({ objective: 100 }), ['/burnRate/objective out_of_range']],
    ['a factor of 0', burn({ factor: 0 }), ['/burnRate/factor out_of_range']],
    ['a factor no errors can reach', burn({ objective: 90, factor: 14.4 }), ['/burnRate/factor out_of_range']],
    ['one window', burn({ windows: ['1h'] }), ['/burnRate/windows invalid_value']],
    ['an unknown field of a burn rate', burn({ slo: 5 }), ['/burnRate/slo unknown_field']],
    ['a burn rate with a threshold', burn({}, { threshold: 5 }), ['/threshold unknown_field']],
    ['silence with a threshold', { absentFor: '5m', threshold: 5 }, ['/threshold unknown_field']],
    ['silence of 5 s', { absentFor: '5s' }, ['/absentFor out_of_range']],
    ['silence of a number', { absentFor: 5 }, ['/absentFor invalid_type']],
    ['another rule without key', { rule: '' }, ['/rule empty']],
    ['another rule that is broken', { rule: 'x', is: 'broken' }, ['/is invalid_value']],
    ['another rule with a threshold', { rule: 'x', threshold: 5 }, ['/threshold unknown_field']],
    ['of on another metric', comparison({ of: { metric: 'cost' } }), ['/of conflict']],
    [
      'the anomaly severity of an unknown metric',
      comparison({ metric: 'anomaly_severity', of: { metric: 'cosst' }, threshold: 2 }),
      ['/of/metric invalid_value'],
    ],
    [
      'the anomaly severity with a short lookback',
      comparison({ metric: 'anomaly_severity', of: { metric: 'cost' }, threshold: 2, lookback: '1d' }),
      ['/lookback out_of_range'],
    ],
  ])('%s', (_what, condition, expected) => {
    expect(ofCondition(condition)).toEqual(expected);
  });
});

describe('fields of the rule', () => {
  test.each<[object, string[]]>([
    [{ newSeriesGrace: '25h' }, ['/newSeriesGrace out_of_range']],
    [{ newSeriesGrace: 60 }, ['/newSeriesGrace invalid_type']],
    [{ newSeriesGrace: '0s' }, []],
    [{ flapping: 'on' }, ['/flapping invalid_type']],
    [{ flapping: { changes: 1 } }, ['/flapping/changes out_of_range']],
    [{ flapping: { changes: 51 } }, ['/flapping/changes out_of_range']],
    [{ flapping: { changes: 2.5 } }, ['/flapping/changes out_of_range']],
    [{ flapping: { within: '59s' } }, ['/flapping/within out_of_range']],
    [{ flapping: { within: '25h' } }, ['/flapping/within out_of_range']],
    [{ flapping: { times: 3 } }, ['/flapping/times unknown_field']],
    [{ flapping: 'off' }, []],
    [{ maxOpenAlerts: 0 }, ['/maxOpenAlerts out_of_range']],
    [{ maxOpenAlerts: 10_001 }, ['/maxOpenAlerts out_of_range']],
    [{ maxOpenAlerts: '5' }, ['/maxOpenAlerts invalid_type']],
    [{ maxSeries: 0 }, ['/maxSeries out_of_range']],
    [{ maxSeries: 1_001 }, ['/maxSeries out_of_range']],
    [{ mode: 'silent' }, ['/mode invalid_value']],
    [{ mode: 'shadow' }, []],
  ])('%j: %j', (over, expected) => {
    expect(complaints(over)).toEqual(expected);
  });
});
