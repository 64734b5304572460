import { insertSegments, type NewSegment, withTenantsSql } from '@tocsin/db';
import { type HoursNeed, type MetricQuery, type QueryResult } from '@tocsin/domain';
import type { EventStore } from '@tocsin/events';
import { makeTenant } from '@tocsin/testkit';
import { benchDatabase, type BenchDatabase } from './lib/bench-database.ts';
import { openStore } from './lib/open-store.ts';
import { cpuSeconds } from './lib/cpu-seconds.ts';
import { settle } from './lib/load-segments.ts';
import { median, type Result } from './lib/result.ts';
import { type Spans, spansOf } from './lib/span-data.ts';
import { segmentOf } from './lib/span-segments.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const MONTH_HOURS = 720;
const TENANTS = 10;
/** In the hours that windows begin and end in, and in the others: only the making of their sums depends on these. */
const EVENTS = { atEnds: 6_000, between: 300 };
/** Slots before the measured ones: what is read again is kept by then. */
const WARM_UP = 2;
const RUNS = 5;
/** Measured together, to be long enough for the clock of CPU time. */
const TIMES = 20;
const NEVER = new AbortController().signal;

const MS: MetricQuery['subject'] = { kind: 'measure', measures: ['duration_ms'], orSumOf: [] };
const COST: MetricQuery['subject'] = { kind: 'measure', measures: ['cost'], orSumOf: [] };

/** A month's windows beside an hour's: what a reading costs once all is warm, and what making the sums costs. */
export async function run(): Promise<Result[]> {
  const bench = await benchDatabase();
  try {
    const endMs = Math.floor(Date.now() / MINUTE) * MINUTE - 10_000;
    const tenantIds: string[] = [];
    for (let tenant = 0; tenant < TENANTS; tenant++) {
      const { tenantId } = await makeTenant(bench.db);
      await load(bench, tenant, tenantId, endMs);
      tenantIds.push(tenantId);
    }
    await settle(bench);

    const store = openStore(bench);
    const needs = queriesOver(30 * 24 * HOUR).map((query): HoursNeed => ({ kind: 'partial', query, lookbackMs: query.windowMs + HOUR }));
    let made = 0;
    const fillSeconds = await measured(bench, async () => {
      for (const tenantId of tenantIds) made += await prepare(store, tenantId, needs);
    });
    const hour = await warm(bench, store, tenantIds, queriesOver(HOUR), endMs);
    const month = await warm(bench, store, tenantIds, queriesOver(30 * 24 * HOUR), endMs);
    return [
      {
        name: 'hours.hour',
        unit: 'µs a reading',
        values: hour,
        note: 'a window of 1 h, 6,000 events, every event read; warm, one slot after another',
      },
      {
        name: 'hours.month',
        unit: 'µs a reading',
        values: month,
        note: 'the same queries over 30 d, from sums of closed hours and the events at both ends',
      },
      {
        name: 'hours.growth',
        unit: 'times the cost',
        values: [median(month) / median(hour)],
        atMost: 1,
        note: 'a month’s window for an hour’s',
      },
      {
        name: 'hours.fill',
        unit: 'ms an hour and key',
        values: [(1_000 * fillSeconds) / made],
        note: 'making the sums, from 300 events an hour',
      },
    ];
  } finally {
    await bench.discard();
  }
}

const queriesOver = (windowMs: number): MetricQuery[] =>
  [
    { subject: COST, aggregation: 'sum' as const },
    { subject: { kind: 'event' as const }, aggregation: 'count' as const },
    { subject: MS, aggregation: 'avg' as const },
    { subject: MS, aggregation: 'p95' as const },
  ].map((each) => ({ ...each, name: null, filters: [], groupBy: [], windowMs, ratePerMs: MINUTE }));

async function prepare(store: EventStore, tenantId: string, needs: readonly HoursNeed[]): Promise<number> {
  let made = 0;
  for (;;) {
    const filled = await store.prepare(tenantId, needs, NEVER);
    made += filled.made;
    if (filled.missing === 0) return made;
  }
}

/** An hour is one segment, but for the newest, which are minutes. */
async function load({ db }: BenchDatabase, tenant: number, tenantId: string, endMs: number): Promise<void> {
  const thisHour = Math.floor(endMs / HOUR) * HOUR;
  const segments: NewSegment[] = [];
  for (let ago = 2; ago <= MONTH_HOURS + 1; ago++) {
    const count = ago < 4 || ago > MONTH_HOURS - 2 ? EVENTS.atEnds : EVENTS.between;
    segments.push({ ...segmentOf(tenantId, stretched(spansOf(tenant, thisHour - ago * HOUR, count))), level: 2 });
  }
  for (let minuteMs = thisHour - HOUR; minuteMs <= endMs; minuteMs += MINUTE)
    segments.push(segmentOf(tenantId, spansOf(tenant, minuteMs, EVENTS.atEnds / 60)));
  for (let from = 0; from < segments.length; from += 100)
    await withTenantsSql(db, [tenantId], (sql) => insertSegments(sql, segments.slice(from, from + 100)));
}

/** A minute's spans over an hour. */
function stretched(spans: Spans): Spans {
  return { ...spans, tsMs: spans.tsMs.map((tsMs) => spans.minuteMs + Math.floor(((tsMs - spans.minuteMs) * HOUR) / MINUTE)) };
}

/** Microseconds of CPU a reading, Node's and PostgreSQL's together, each time a slot later. */
async function warm(
  bench: BenchDatabase,
  store: EventStore,
  tenantIds: readonly string[],
  queries: readonly MetricQuery[],
  endMs: number,
): Promise<number[]> {
  const slotMs = 10_000;
  let end = endMs - (WARM_UP + RUNS) * TIMES * slotMs;
  const readings = TIMES * tenantIds.length * queries.length;
  const costs: number[] = [];
  for (let run = -WARM_UP; run < RUNS; run++) {
    const seconds = await measured(bench, async () => {
      for (let time = 0; time < TIMES; time++) {
        end += slotMs;
        const asked = queries.map((query) => ({ query, endMs: end }));
        const answers = await store.source.read(
          tenantIds.map((tenantId) => ({ tenantId, queries: asked })),
          NEVER,
        );
        check(answers.flat());
      }
    });
    if (run >= 0) costs.push((1e6 * seconds) / readings);
  }
  return costs;
}

function check(results: readonly QueryResult[]): void {
  const other = results.find(({ kind }) => kind !== 'series');
  if (other !== undefined) throw new Error(JSON.stringify(other));
}

/** CPU seconds of this process and of the server. */
async function measured({ serverPid }: BenchDatabase, work: () => Promise<unknown>): Promise<number> {
  const before = cpuSeconds(serverPid);
  const own = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(own);
  return cpuSeconds(serverPid) - before + (user + system) / 1e6;
}

if (import.meta.main) console.log(JSON.stringify(await run(), null, 2));
