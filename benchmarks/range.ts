import { newId } from '@tocsin/db';
import type { MetricQuery, RangeQuery, RangeRequest } from '@tocsin/domain';
import type { EventStore } from '@tocsin/events';
import { benchDatabase, type BenchDatabase } from './lib/bench-database.ts';
import { openStore } from './lib/open-store.ts';
import { settle } from './lib/load-segments.ts';
import { quantileOf } from './lib/quantile-of.ts';
import { DAY_EVENTS, DAY_SERIES, hoursOfMonth, load, minutesOfDay } from './lib/range-data.ts';
import type { Result } from './lib/result.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const RUNS = 21;
const WARMING_RUNS = 3;
const WINDOW_MS = 5 * MINUTE;
/** Of `source`: what they hold is in memory together. */
const WINDOWS_AT_ONCE = 100;
const NEVER = new AbortController().signal;

const LATENCY: MetricQuery = {
  name: 'llm.call',
  subject: { kind: 'measure', measures: ['duration_ms'], orSumOf: [] },
  aggregation: 'p95',
  filters: [],
  groupBy: [],
  windowMs: WINDOW_MS,
  ratePerMs: MINUTE,
};

/** What a preview and a backtest read: p95, average and count of windows that end a minute apart, over a day of many events and a month of few. */
export async function run(): Promise<Result[]> {
  const bench = await benchDatabase();
  try {
    const endMs = Math.floor(Date.now() / MINUTE) * MINUTE - 10_000;
    const [busy, quiet] = [newId(), newId()];
    await load(bench, minutesOfDay(busy, endMs));
    await load(bench, hoursOfMonth(quiet, endMs));
    await settle(bench);
    const day = { tenantId: busy, queries: queriesOver(DAY, endMs, ['operation']), maxSeries: DAY_SERIES };
    const month = { tenantId: quiet, queries: queriesOver(30 * DAY, endMs, []), maxSeries: 1 };
    const ofDay = await timed(bench, day, DAY_SERIES);
    const ofMonth = await timed(bench, month, 1);
    const apart = await oneByOne(bench, day);
    const dayNote = `${DAY_EVENTS} events of ${DAY_SERIES} series, p95, avg and count of 5m at ${day.queries[0]!.windows.length} steps of 1m`;
    const monthNote = `30 days of an event every 10 s, p95, avg and count of 5m at ${month.queries[0]!.windows.length} steps of 1m`;
    return [
      { name: 'range.day', unit: 'ms', values: ofDay.warm, note: `${dayNote}, segments cached` },
      { name: 'range.day.p95', unit: 'ms', values: [quantileOf(ofDay.warm, 0.95)], atMost: 250, note: `of ${RUNS} such calls` },
      { name: 'range.day.cpu', unit: 'ms', values: ofDay.cpu, note: 'CPU of the process, of such a call' },
      { name: 'range.day.cold', unit: 'ms', values: ofDay.cold, note: 'the same with an empty cache' },
      { name: 'range.day.apart', unit: 'ms', values: apart, note: 'the same windows as so many queries, segments cached' },
      { name: 'range.month', unit: 'ms', values: ofMonth.warm, note: `${monthNote}, segments cached` },
      { name: 'range.month.p95', unit: 'ms', values: [quantileOf(ofMonth.warm, 0.95)], atMost: 2_000, note: `of ${RUNS} such calls` },
      { name: 'range.month.cpu', unit: 'ms', values: ofMonth.cpu, note: 'CPU of the process, of such a call' },
      { name: 'range.month.cold', unit: 'ms', values: ofMonth.cold, note: 'the same with an empty cache' },
    ];
  } finally {
    await bench.discard();
  }
}

function queriesOver(spanMs: number, endMs: number, groupBy: readonly string[]): RangeQuery[] {
  const count = spanMs / MINUTE;
  const windows = Array.from({ length: count }, (_, step) => {
    const toMs = endMs - (count - 1 - step) * MINUTE;
    return { fromMs: toMs - WINDOW_MS, toMs };
  });
  return (['p95', 'avg', 'count'] as const).map((aggregation) => ({ query: { ...LATENCY, aggregation, groupBy }, windows }));
}

/** In milliseconds: by a store that has read it before, of which the CPU is told, too, and by new ones. */
async function timed(
  bench: BenchDatabase,
  request: RangeRequest,
  series: number,
): Promise<{ warm: number[]; cpu: number[]; cold: number[] }> {
  const once = async (store: EventStore): Promise<number> => {
    const startedMs = performance.now();
    for (const result of await store.readRange(request, NEVER)) {
      if (result.kind !== 'range' || result.series.length !== series) throw new Error(`not read: ${JSON.stringify(result)}`);
    }
    return performance.now() - startedMs;
  };
  const cold: number[] = [];
  for (let i = 0; i < 3; i++) cold.push(await once(openStore(bench)));
  const store = openStore(bench);
  for (let i = 0; i < WARMING_RUNS; i++) await once(store);
  const warm: number[] = [];
  const cpu: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const before = process.cpuUsage();
    warm.push(await once(store));
    const { user, system } = process.cpuUsage(before);
    cpu.push((user + system) / 1_000);
  }
  return { warm, cpu, cold };
}

/** What a range spares: every window as a query of its own. In milliseconds. */
async function oneByOne(bench: BenchDatabase, { tenantId, queries }: RangeRequest): Promise<number[]> {
  const store = openStore(bench);
  const asked = queries.flatMap(({ query, windows }) => windows.map(({ toMs }) => ({ query, endMs: toMs })));
  const took: number[] = [];
  for (let run = 0; run < 4; run++) {
    const startedMs = performance.now();
    for (let from = 0; from < asked.length; from += WINDOWS_AT_ONCE) {
      await store.source.read([{ tenantId, queries: asked.slice(from, from + WINDOWS_AT_ONCE) }], NEVER);
    }
    took.push(performance.now() - startedMs);
  }
  return took.slice(1);
}

if (import.meta.main) console.log(JSON.stringify(await run(), null, 2));
