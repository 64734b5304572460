import type { MetricQuery, RangeSource } from '@tocsin/domain';
import { expect, test } from 'vitest';
import { queryRange } from './query-range.ts';

const query: MetricQuery = {
  name: null,
  subject: { kind: 'measure', measures: ['v'], orSumOf: [] },
  aggregation: 'avg',
  filters: [],
  groupBy: ['user'],
  windowMs: 300_000,
  ratePerMs: 60_000,
};

/** A source in which each of so many users has as many samples as its number. */
const sourceOf = (users: number): RangeSource => ({
  readRange: async ({ queries, maxSeries }) =>
    queries.map(({ windows }) => ({
      kind: 'range',
      series: Array.from({ length: Math.min(users, maxSeries) }, (_, place) => ({
        labels: { user: String(users - 1 - place) },
        values: new Float64Array(windows.length).fill(1),
        samples: new Float64Array(windows.length).fill(users - 1 - place),
      })),
      dropped: Math.max(0, users - maxSeries),
    })),
});

const read = (users: number, steps: number) =>
  queryRange(sourceOf(users), 'tenant', query, { fromMs: 0, toMs: steps * 60_000, stepMs: 60_000 }, 1_000, AbortSignal.timeout(10_000));

test('a range answers a hundred thousand points at most, of the series of most samples, and counts the rest', async () => {
  const { series, dropped } = await read(300, 500);
  expect([series.length, dropped]).toEqual([200, 100]);
  expect(series.every(({ points }) => points.length === 500)).toBe(true);
  expect(series.map(({ labels }) => Number(labels['user'])).sort((a, b) => a - b)[0]).toBe(100);
});

test('a range of few steps answers every series', async () => {
  expect(await read(300, 2)).toMatchObject({ dropped: 0, series: { length: 300 } });
});
