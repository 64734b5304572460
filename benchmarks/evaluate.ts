import { newId } from '@tocsin/db';
import type { MetricQuery, QueryResult, ReadRequest } from '@tocsin/domain';
import type { EventStore } from '@tocsin/events';
import postgres from 'postgres';
import { benchDatabase, type BenchDatabase } from './lib/bench-database.ts';
import { openStore } from './lib/open-store.ts';
import { cpuSeconds } from './lib/cpu-seconds.ts';
import { manyRules, RULES } from './lib/evaluation-rules.ts';
import { EVENTS_PER_MINUTE, loadSegments, settle, tenantSpans } from './lib/load-segments.ts';
import { median, type Result } from './lib/result.ts';
import { loadSpanRows, naiveReadings } from './lib/span-rows.ts';

const TENANTS = 1_000;
const QUERIES = RULES.map(({ query }) => query);
const MINUTE = 60_000;
const RUNS = 5;
const TENANTS_AT_ONCE = 50;
const BATCHES_IN_FLIGHT = 2;
/** The naive way is measured on every tenth tenant: on all of them it takes minutes. */
const NAIVE_EVERY = 10;
const NEVER = new AbortController().signal;

/** Readings of 10,000 rules of 1,000 tenants over 6 million events in the hour: cold, warm, and one SQL a rule; and what ten times as much costs. */
export async function run(): Promise<Result[]> {
  const bench = await benchDatabase();
  try {
    // Slots fall anywhere in a minute and wait for late events: windows cut through segments at both ends.
    const endMs = Math.floor(Date.now() / MINUTE) * MINUTE - 10_000;
    const load = async (tenants: number, eventsPerMinute: number): Promise<string[]> => {
      const ids = Array.from({ length: tenants }, () => newId());
      await loadSegments(bench, ids, endMs, eventsPerMinute);
      return ids;
    };
    const tenantIds = await load(TENANTS, EVENTS_PER_MINUTE);
    const ofFewEvents = await load(TENANTS, EVENTS_PER_MINUTE / 10);
    const few = await load(TENANTS / 10, EVENTS_PER_MINUTE / 10);
    const sampled = tenantIds.filter((_, tenant) => tenant % NAIVE_EVERY === 0);
    await loadSpanRows(bench.adminUrl, sampled.length, (at) => tenantSpans(at * NAIVE_EVERY, TENANTS, endMs));

    await settle(bench);
    const cold: number[] = [];
    for (let i = 0; i < RUNS; i++) {
      const store = openStore(bench);
      cold.push((TENANTS * RULES.length) / (await measured(bench, () => readAll(store, tenantIds, QUERIES, endMs))));
    }
    const steady = await slotAfterSlot(bench, tenantIds, QUERIES, endMs);
    const { readings } = steady;
    const warm = steady.rulesPerCoreSecond;
    const { rulesPerCoreSecond: warmFewEvents } = await slotAfterSlot(bench, ofFewEvents, QUERIES, endMs);
    const { rulesPerCoreSecond: warmFewTenants } = await slotAfterSlot(bench, few, QUERIES, endMs);
    const { rulesPerCoreSecond: warmManyRules } = await slotAfterSlot(bench, tenantIds, manyRules(), endMs);

    const sql = postgres(bench.adminUrl, { max: BATCHES_IN_FLIGHT, onnotice: () => {} });
    const naive: number[] = [];
    let naiveValues: (number | null)[][] = [];
    for (let i = 0; i < RUNS; i++) {
      const seconds = await measured(bench, async () => (naiveValues = await naiveReadings(sql, sampled.length, endMs, BATCHES_IN_FLIGHT)));
      naive.push((sampled.length * RULES.length) / seconds);
    }
    await sql.end();
    const error = largestError(
      naiveValues,
      readings.filter((_, tenant) => tenant % NAIVE_EVERY === 0),
    );
    return [
      {
        name: 'evaluate.cold',
        unit: 'rules per core-second',
        values: cold,
        target: 8_000,
        note: 'empty cache, exact, Node and PostgreSQL CPU together',
      },
      {
        name: 'evaluate.warm',
        unit: 'rules per core-second',
        values: warm,
        target: 30_000,
        note: 'in the steady state, one slot after another; the newest minute is read',
      },
      {
        name: 'evaluate.manyRules',
        unit: 'rules per core-second',
        values: warmManyRules,
        target: 50_000,
        note: 'the same with 100 rules a tenant',
      },
      {
        name: 'evaluate.growth.events',
        unit: 'times the cost',
        values: [median(warmFewEvents) / median(warm)],
        atMost: 2.5,
        note: 'warm, for 10 times the events of the same tenants and rules: 6 million instead of 600,000 in the hour',
      },
      {
        name: 'evaluate.growth.rules',
        unit: 'times the cost',
        values: [(10 * median(warm)) / median(warmManyRules)],
        atMost: 10,
        note: 'warm, for 10 times the rules of the same tenants and events',
      },
      {
        name: 'evaluate.growth.tenants',
        unit: 'times the cost',
        values: [(10 * median(warmFewTenants)) / median(warmFewEvents)],
        atMost: 10,
        note: 'warm, for 10 times the tenants, each with its ten rules, and as many events together: 1,000 instead of 100',
      },
      {
        name: 'evaluate.naive',
        unit: 'rules per core-second',
        values: naive,
        note: `one SQL statement a rule over an indexed row a span, every ${NAIVE_EVERY}th tenant`,
      },
      {
        name: 'evaluate.error',
        unit: 'relative',
        values: [error],
        atMost: 1e-9,
        note: 'largest difference from percentile_cont, avg, sum and count in PostgreSQL',
      },
    ];
  } finally {
    await bench.discard();
  }
}

/** An evaluator at work. What is read again is kept, so the first two slots are not yet like the others. */
async function slotAfterSlot(
  bench: BenchDatabase,
  tenantIds: readonly string[],
  queries: readonly MetricQuery[],
  endMs: number,
): Promise<{ rulesPerCoreSecond: number[]; readings: QueryResult[][] }> {
  const store = openStore(bench);
  for (let before = RUNS + 1; before >= RUNS; before--) await readAll(store, tenantIds, queries, endMs - before * MINUTE);
  const rulesPerCoreSecond: number[] = [];
  let readings: QueryResult[][] = [];
  for (let before = RUNS - 1; before >= 0; before--) {
    const seconds = await measured(bench, async () => (readings = await readAll(store, tenantIds, queries, endMs - before * MINUTE)));
    rulesPerCoreSecond.push((tenantIds.length * queries.length) / seconds);
  }
  return { rulesPerCoreSecond, readings };
}

async function readAll(
  store: EventStore,
  tenantIds: readonly string[],
  metricQueries: readonly MetricQuery[],
  endMs: number,
): Promise<QueryResult[][]> {
  const queries = metricQueries.map((query) => ({ query, endMs }));
  const results: QueryResult[][] = [];
  const starts = Array.from({ length: Math.ceil(tenantIds.length / TENANTS_AT_ONCE) }, (_, batch) => batch * TENANTS_AT_ONCE);
  await Promise.all(
    Array.from({ length: BATCHES_IN_FLIGHT }, async () => {
      for (let from = starts.shift(); from !== undefined; from = starts.shift()) {
        const requests = tenantIds.slice(from, from + TENANTS_AT_ONCE).map((tenantId): ReadRequest => ({ tenantId, queries }));
        for (const [at, answer] of (await store.source.read(requests, NEVER)).entries()) results[from + at] = answer;
      }
    }),
  );
  return results;
}

/** CPU seconds of this process and of the server. */
async function measured({ serverPid }: BenchDatabase, work: () => Promise<unknown>): Promise<number> {
  const before = cpuSeconds(serverPid);
  const own = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(own);
  return cpuSeconds(serverPid) - before + (user + system) / 1e6;
}

function largestError(expected: readonly (number | null)[][], readings: readonly QueryResult[][]): number {
  let largest = 0;
  for (const [tenant, values] of expected.entries()) {
    for (const [place, value] of values.entries()) {
      const result = readings[tenant]![place]!;
      const answer = result.kind === 'series' ? result.series[0]!.value : NaN;
      const error =
        value === null || answer === null
          ? (value ?? 0) === (answer ?? 0)
            ? 0
            : Infinity
          : Math.abs(answer - value) / Math.max(1e-9, Math.abs(value));
      largest = Math.max(largest, error);
    }
  }
  return largest;
}

if (import.meta.main) console.log(JSON.stringify(await run(), null, 2));
