import { insertSegments, newId, type NewSegment, withTenantsSql } from '@tocsin/db';
import type { MetricQuery, RangeQuery, RangeRequest } from '@tocsin/domain';
import { type EventStore, openEventStore } from '@tocsin/events';
import { createLogger, createMetrics, systemClock } from '@tocsin/runtime';
import { benchDatabase, type BenchDatabase } from './lib/bench-database.ts';
import { settle } from './lib/load-segments.ts';
import { quantileOf } from './lib/quantile-of.ts';
import type { Result } from './lib/result.ts';
import { seeded, spansOf } from './lib/span-data.ts';
import { segmentOf } from './lib/span-segments.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const RUNS = 21;
const WARMING_RUNS = 3;
const SERIES = 20;
const EVENTS_OF_DAY = 1_000_000;
const WINDOW_MS = 5 * MINUTE;
/** Of `source`: what they hold is in memory together. */
const WINDOWS_AT_ONCE = 100;
const SEGMENTS_PER_INSERT = 500;
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
    const day = { tenantId: busy, queries: queriesOver(DAY, endMs, ['operation']), maxSeries: SERIES };
    const month = { tenantId: quiet, queries: queriesOver(30 * DAY, endMs, []), maxSeries: 1 };
    const ofDay = await timed(bench, day, SERIES);
    const ofMonth = await timed(bench, month, 1);
    const apart = await oneByOne(bench, day);
    const dayNote = `${EVENTS_OF_DAY} events of ${SERIES} series, p95, avg and count of 5m at ${day.queries[0]!.windows.length} steps of 1m`;
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

function openStore({ db }: BenchDatabase): EventStore {
  return openEventStore({ db, logger: createLogger('bench', 'warn'), metrics: createMetrics('bench'), clock: systemClock });
}

async function load({ db }: BenchDatabase, segments: Iterable<NewSegment>): Promise<void> {
  let some: NewSegment[] = [];
  const insert = (): Promise<void> => withTenantsSql(db, [some[0]!.tenantId], (sql) => insertSegments(sql, some));
  for (const segment of segments) {
    some.push(segment);
    if (some.length < SEGMENTS_PER_INSERT) continue;
    await insert();
    some = [];
  }
  if (some.length > 0) await insert();
}

/** A segment a minute, as they are until they are a day old. */
function* minutesOfDay(tenantId: string, endMs: number): Generator<NewSegment> {
  const random = seeded(1);
  for (let minuteMs = Math.floor((endMs - DAY) / MINUTE) * MINUTE; minuteMs < endMs; minuteMs += MINUTE) {
    const spans = spansOf(0, minuteMs, Math.ceil((EVENTS_OF_DAY * MINUTE) / DAY));
    for (let row = 0; row < spans.count; row++) spans.operation[row] = Math.floor(random() * SERIES);
    yield segmentOf(tenantId, spans);
  }
}

/** A segment an hour, as they are afterwards. */
function* hoursOfMonth(tenantId: string, endMs: number): Generator<NewSegment> {
  for (let hourMs = Math.floor((endMs - 30 * DAY) / HOUR) * HOUR; hourMs < endMs; hourMs += HOUR) {
    const spans = spansOf(1, hourMs, HOUR / 10_000);
    for (let row = 0; row < spans.count; row++) spans.tsMs[row] = hourMs + row * 10_000;
    yield segmentOf(tenantId, spans);
  }
}

if (import.meta.main) console.log(JSON.stringify(await run(), null, 2));
