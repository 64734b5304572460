import type { MetricQuery, MetricSource } from '@tocsin/domain';
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
const sourceOf = (users: number): MetricSource => ({
  read: async (requests) =>
    requests.map(({ queries }) =>
      queries.map(() => ({
        kind: 'series',
        series: Array.from({ length: users }, (_, user) => ({ labels: { user: String(user) }, value: 1, samples: user })),
        dropped: 0,
      })),
    ),
});

const read = (users: number, steps: number) =>
  queryRange(sourceOf(users), 'tenant', query, { fromMs: 0, toMs: steps * 60_000, stepMs: 60_000 }, 1_000, AbortSignal.timeout(10_000));

test('a range answers a hundred thousand points at most, of the series of most samples, and counts the rest', async () => {
  const { series, dropped } = await read(300, 500);
  expect([series.length, dropped]).toEqual([200, 100]);
  expect(series.every(({ points }) => points.length === 500)).toBe(true);
  expect(series.map(({ labels }) => Number(labels['user'])).sort((a, b) => a - b)[0]).toBe(100);
});

test('the more series there are, the fewer windows are read at a time', async () => {
  const read: number[] = [];
  const source = sourceOf(1_000);
  const counted: MetricSource = {
    read: (requests, signal) => {
      read.push(requests[0]?.queries.length ?? 0);
      return source.read(requests, signal);
    },
  };
  await queryRange(counted, 'tenant', query, { fromMs: 0, toMs: 100 * 60_000, stepMs: 60_000 }, 1_000, AbortSignal.timeout(10_000));
  expect(read).toEqual([10, 20, 20, 20, 20, 10]);
});

test('a range of few steps answers every series', async () => {
  expect(await read(300, 2)).toMatchObject({ dropped: 0, series: { length: 300 } });
});
