import { expect, test } from 'vitest';
import { readSavedQuery } from './metric-definition.ts';
import { parseMetricDefinition } from './parse-metric-definition.ts';

const QUERY = { measure: 'open', name: 'issues', aggregation: 'max', window: '5m', groupBy: ['team'] };
const definition = (over: object = {}): object => ({ name: 'Open issues', query: QUERY, ...over });
const saved = new Map([['backlog', { unit: null }]]);

test('what is left out is filled in', () => {
  expect(parseMetricDefinition(definition())).toEqual({
    ok: true,
    definition: { key: 'open-issues', name: 'Open issues', unit: null, query: QUERY, everyMs: 60_000, evaluationDelayMs: 10_000 },
    enabled: null,
  });
});

test.each<[object, string | null]>([
  [{ query: { metric: 'latency', window: '5m' } }, 'ms'],
  [{ query: { metric: 'throughput', window: '5m', unit: 'perHour' } }, 'per hour'],
  [{ query: { window: '5m' } }, 'events'],
  [{ query: { window: '5m' }, unit: 'issues' }, 'issues'],
  [{ query: { window: '5m' }, unit: 'perHour' }, 'per hour'],
  [{ query: { window: '5m' }, unit: '%' }, 'percent'],
  [{ query: { metric: 'latency', window: '5m' }, unit: null }, null],
])('the unit of %j is %s', (over, unit) => {
  expect(parseMetricDefinition(definition(over))).toMatchObject({ ok: true, definition: { unit } });
});

test.each<[string, object, string[]]>([
  ['no name', { name: undefined }, ['/name required']],
  ['no query', { query: undefined }, ['/query required']],
  ['no window', { query: { measure: 'open' } }, ['/query/window required']],
  ['a threshold', { query: { ...QUERY, threshold: 1 } }, ['/query/threshold unknown_field']],
  ['a source', { source: 'sql' }, ['/source unknown_field']],
  ['a key of the catalogue', { key: 'latency' }, ['/key invalid_value']],
  ['a key that is a word of comparisons', { key: 'measure' }, ['/key invalid_value']],
  ['a key with blanks', { key: 'open issues' }, ['/key invalid_value']],
  ['every second', { every: '1s' }, ['/every out_of_range']],
  ['a delay of a day', { evaluationDelay: '1d' }, ['/evaluationDelay out_of_range']],
  ['another saved metric', { query: { metric: 'backlog', window: '5m' } }, ['/query/metric conflict']],
  ['the events of another', { query: { ...QUERY, name: 'metric.backlog' } }, ['/query/name conflict']],
  ['a metric nobody knows', { query: { metric: 'backlogs', window: '5m' } }, ['/query/metric invalid_value']],
])('with %s it is refused', (_what, over, expected) => {
  const parsed = parseMetricDefinition(definition(over), undefined, saved);
  expect(parsed.ok ? [] : parsed.issues.map(({ pointer, code }) => `${pointer} ${code}`)).toEqual(expected);
});

test('a stored query is compiled, and one that is not understood is none', () => {
  expect(readSavedQuery(QUERY)).toMatchObject({ name: 'issues', aggregation: 'max', windowMs: 300_000, groupBy: ['team'] });
  for (const other of [
    null,
    {},
    { ...QUERY, aggregation: 'p42' },
    { ...QUERY, window: 'soon' },
    { ...QUERY, dim: 'x', aggregation: 'p95', measure: undefined },
  ])
    expect(readSavedQuery(other)).toBeNull();
});
