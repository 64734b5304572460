import { describe, expect, test } from 'vitest';
import { comparison, draft, specOf } from '../test/a-rule.ts';
import { parseRule } from './parse-rule.ts';

/** What is wrong with a condition, as `pointer code` within it. */
const complaints = (condition: unknown, over: object = {}): string[] => {
  const parsed = parseRule(draft({ condition, ...over }));
  return parsed.ok ? [] : parsed.issues.map(({ pointer, code }) => `${pointer.replace('/condition', '')} ${code}`);
};

const nested = (levels: number, group: 'all' | 'not'): object =>
  Array.from({ length: levels }).reduce<object>((inner) => (group === 'not' ? { not: inner } : { all: [inner] }), comparison());
const many = (count: number): object[] => Array.from({ length: count }, () => comparison());

describe('trees', () => {
  test.each<[string, unknown, string[]]>([
    ['nothing', null, [' invalid_type']],
    ['empty', {}, [' empty']],
    ['a list', [comparison()], [' invalid_type']],
    ['text', 'latency > 5', [' invalid_type']],
    ['an empty all', { all: [] }, ['/all empty']],
    ['an empty any inside', { all: [{ any: [] }] }, ['/all/0/any empty']],
    ['an empty not', { not: {} }, ['/not empty']],
    ['not of a list', { not: [comparison()] }, ['/not invalid_type']],
    ['all that is no list', { all: comparison() }, ['/all invalid_type']],
    ['all and any at once', { all: [comparison()], any: [comparison()] }, [' conflict']],
    ['a comparison beside all', { all: [comparison()], metric: 'latency' }, ['/metric unknown_field']],
    ['33 comparisons', { all: [{ any: many(16) }, { any: many(17) }] }, [' too_many']],
    ['33 entries', { all: many(33) }, ['/all too_many']],
  ])('%s', (_what, condition, expected) => {
    expect(complaints(condition)).toEqual(expected);
  });

  test.each(['all', 'not'] as const)('eight levels of %s are taken, nine and a thousand are not', (group) => {
    expect(complaints(nested(8, group))).toEqual([]);
    expect(complaints(nested(9, group))).toEqual([expect.stringMatching(/ too_deep$/)]);
    expect(complaints(nested(1_000, group))).toEqual([expect.stringMatching(/ too_deep$/)]);
  });

  test('32 comparisons are taken', () => {
    expect(complaints({ all: [{ any: many(16) }, { any: many(16) }] })).toEqual([]);
  });

  test('one comparison stands alone', () => {
    expect(specOf(draft()).condition).toMatchObject({ metric: 'latency', threshold: 1_000 });
  });
});

describe('comparisons', () => {
  const NO_METRIC = { metric: undefined };
  test.each<[string, object, string[]]>([
    ['no window', comparison({ window: undefined }), ['/window required']],
    ['no operator', comparison({ operator: undefined }), ['/operator required']],
    ['no threshold', comparison({ threshold: undefined }), ['/threshold required']],
    ['a window of 9 s', comparison({ window: '9s' }), ['/window out_of_range']],
    ['a window of zero', comparison({ window: '0s' }), ['/window out_of_range']],
    ['a window of 31 d', comparison({ window: '31d' }), ['/window out_of_range']],
    ['a window that is a number', comparison({ window: 300 }), ['/window invalid_type']],
    ['a threshold that is text', comparison({ threshold: '95' }), ['/threshold invalid_type']],
    ['a threshold that is null', comparison({ threshold: null }), ['/threshold invalid_type']],
    ['a threshold that is a boolean', comparison({ threshold: true }), ['/threshold invalid_type']],
    ['a threshold NaN', comparison({ threshold: Number.NaN }), ['/threshold not_finite']],
    ['a threshold 1e400', comparison({ threshold: JSON.parse('1e400') as number }), ['/threshold not_finite']],
    ['a threshold −Infinity', comparison({ threshold: -Infinity }), ['/threshold not_finite']],
    ['recover NaN', comparison({ recover: Number.NaN }), ['/recover not_finite']],
    ['an unknown metric', comparison({ metric: 'latencyy' }), ['/metric invalid_value']],
    ['a metric of Object.prototype', comparison({ metric: 'toString' }), ['/metric invalid_value']],
    ['an unknown operator', comparison({ operator: '~' }), ['/operator invalid_value']],
    ['an operator of Object.prototype', comparison({ operator: 'constructor' }), ['/operator invalid_value']],
    ['an unknown aggregation', comparison({ aggregation: 'p42' }), ['/aggregation invalid_value']],
    ['metric and measure', comparison({ measure: 'cost' }), ['/measure conflict']],
    ['measure and dim', comparison({ ...NO_METRIC, measure: 'cost', dim: 'user' }), ['/dim conflict']],
    ['minSamples 0', comparison({ minSamples: 0 }), ['/minSamples out_of_range']],
    ['minSamples 1.5', comparison({ minSamples: 1.5 }), ['/minSamples out_of_range']],
    ['groupBy of its own', comparison({ groupBy: ['env'] }), ['/groupBy invalid_value']],
    ['an unknown field', comparison({ lookback: '7d' }), ['/lookback unknown_field']],
    ['the p95 of an error rate', comparison({ metric: 'error_rate', aggregation: 'p95' }), ['/aggregation no_meaning']],
    ['the max of throughput', comparison({ metric: 'throughput', aggregation: 'max' }), ['/aggregation no_meaning']],
    ['the avg of events', comparison({ ...NO_METRIC, aggregation: 'avg' }), ['/aggregation no_meaning']],
    ['the avg of a dimension', comparison({ ...NO_METRIC, dim: 'user', aggregation: 'avg' }), ['/aggregation no_meaning']],
    ['distinct over 7 h', comparison({ ...NO_METRIC, dim: 'user', window: '7h' }), ['/window out_of_range']],
    ['last over 7 h', comparison({ aggregation: 'last', window: '7h' }), ['/window out_of_range']],
    ['latency in seconds', comparison({ unit: 's' }), ['/unit invalid_value']],
    ['latency per hour', comparison({ unit: 'perHour' }), ['/unit invalid_value']],
    ['throughput in ms', comparison({ metric: 'throughput', unit: 'ms' }), ['/unit invalid_value']],
    ['a unit for a count', comparison({ ...NO_METRIC, unit: 'ms' }), ['/unit invalid_value']],
  ])('%s', (_what, condition, expected) => {
    expect(complaints(condition)).toEqual(expected);
  });

  test.each([
    comparison({ window: '10s' }),
    comparison({ window: '30d' }),
    comparison({ threshold: -0 }),
    comparison({ threshold: 2 ** 53 + 1 }),
    comparison({ ...NO_METRIC, dim: 'user', window: '6h' }),
    comparison({ aggregation: 'last', window: '6h' }),
    comparison({ ...NO_METRIC, measure: 'queue_depth', unit: 'jobs' }),
    comparison({ metric: 'cost', unit: 'EUR' }),
    comparison({ unit: 'ms' }),
    comparison({ metric: 'throughput', unit: 'perHour' }),
    comparison({ metric: 'cost', aggregation: 'rate', unit: 'perHour' }),
    comparison({ name: 'checkout' }),
    comparison({ ...NO_METRIC, name: 'signup' }),
  ])('%j is taken', (condition) => {
    expect(complaints(condition)).toEqual([]);
  });

  test.each([
    [{}, 'p95'],
    [{ metric: 'ttft' }, 'p95'],
    [{ metric: 'error_rate' }, 'avg'],
    [{ metric: 'timeout_rate' }, 'avg'],
    [{ metric: 'cost' }, 'sum'],
    [{ metric: 'throughput' }, 'rate'],
    [{ metric: 'token_usage' }, 'sum'],
    [{ metric: 'anomaly_severity' }, 'max'],
    [{ ...NO_METRIC, measure: 'queue_depth' }, 'avg'],
    [{ ...NO_METRIC, dim: 'user' }, 'distinct'],
    [NO_METRIC, 'count'],
  ])('%j has the aggregation %s by default', (over, aggregation) => {
    expect(specOf(draft({ condition: comparison(over) })).condition).toMatchObject({ aggregation });
  });
});

describe('recover', () => {
  test.each<[string, number, boolean]>([
    ['>', 999, true],
    ['>', 1_000, true],
    ['>', 1_001, false],
    ['>=', 999, true],
    ['>=', 1_001, false],
    ['<', 1_001, true],
    ['<', 1_000, true],
    ['<', 999, false],
    ['<=', 1_001, true],
    ['<=', 999, false],
    ['==', 1_000, false],
    ['==', 5, false],
    ['!=', 5, false],
  ])('%s 1000 with recover %d: %s', (operator, recover, isTaken) => {
    expect(complaints(comparison({ operator, recover }))).toEqual(isTaken ? [] : ['/recover recover_side']);
  });

  test('means nothing under not, however deep', () => {
    expect(complaints({ not: { any: [{ all: [comparison({ recover: 900 })] }] } })).toEqual(['/not/any/0/all/0/recover recover_under_not']);
    expect(complaints({ not: { not: comparison({ recover: 900 }) } })).toEqual(['/not/not/recover recover_under_not']);
  });
});

describe('joining every series', () => {
  test('one comparison may, all of them may not', () => {
    expect(complaints({ all: [comparison(), comparison({ groupBy: [] })] }, { groupBy: ['env'] })).toEqual([]);
    expect(complaints({ any: [comparison({ groupBy: [] }), { not: comparison({ groupBy: [] }) }] }, { groupBy: ['env'] })).toEqual([
      '/groupBy no_series',
    ]);
    expect(complaints(comparison({ groupBy: [] }))).toEqual([]);
  });
});
