import { claimDueSlots } from '@tocsin/pipeline';
import { openQueues, type Queues } from '@tocsin/queue';
import { createLogger, createMetrics, systemClock } from '@tocsin/runtime';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { benchDatabase, type BenchDatabase } from './lib/bench-database.ts';
import { cpuSeconds } from './lib/cpu-seconds.ts';
import { type BenchQueue, onEachQueue } from './lib/on-each-queue.ts';
import { startApp } from './lib/start-app.ts';
import { loadSegments, settle } from './lib/load-segments.ts';
import { makeTenants, RULES_PER_TENANT } from './lib/pipeline-tenants.ts';
import type { Result } from './lib/result.ts';

const TENANTS = 1_000;
const RULES = TENANTS * RULES_PER_TENANT;
const EVALUATORS = [1, 3];
const RUNS = 5;
/** By then an evaluator has nearly every tenant's segments, whoever took which run. */
const WARM_UPS = 3;
const MINUTE = 60_000;
const POLL_MS = 20;
const SLOT_TIMEOUT_MS = 60_000;

/** From slots that fall due to runs committed, for 10,000 rules of 1,000 tenants: claim, queue, leases, readings, state, alerts and history. */
export async function run(): Promise<Result[]> {
  const bench = await benchDatabase();
  const admin = postgres(bench.adminUrl, { max: 1, onnotice: () => {} });
  const results: Result[] = [];
  try {
    const lastSlotMs = Math.floor(Date.now() / MINUTE) * MINUTE;
    const firstSlotMs = lastSlotMs - (WARM_UPS + RUNS - 1) * MINUTE;
    await loadSegments(bench, await makeTenants(bench, TENANTS, firstSlotMs), lastSlotMs - 10_000);
    await onEachQueue(bench, async (queue) => {
      for (const evaluators of EVALUATORS) {
        await startOver(admin, firstSlotMs);
        await settle(bench);
        results.push(...(await measure({ bench, admin, queue, evaluators, firstSlotMs })));
      }
    });
    return results;
  } finally {
    await admin.end();
    await bench.discard();
  }
}

/** As if no slot had been evaluated yet. */
async function startOver(admin: postgres.Sql, firstSlotMs: number): Promise<void> {
  await admin`truncate tocsin.runs, tocsin.series_states, tocsin.alerts, tocsin.alert_events, tocsin.triggers cascade`;
  await admin`delete from tocsin.segments where stream = 'evaluations'`;
  await admin`update tocsin.schedules set last_slot_at = null, next_slot_at = to_timestamp(${firstSlotMs}::float8 / 1000)`;
}

interface Scene {
  bench: BenchDatabase;
  admin: postgres.Sql;
  queue: BenchQueue;
  evaluators: number;
  firstSlotMs: number;
}

async function measure(scene: Scene): Promise<Result[]> {
  const { bench, queue, evaluators: count, firstSlotMs } = scene;
  const queues = await openQueues({ url: queue.url, logger: createLogger('bench', 'warn') });
  const env = { TOCSIN_DATABASE_URL: bench.appUrl, TOCSIN_QUEUE_URL: queue.url };
  const starting = await Promise.allSettled(Array.from({ length: count }, () => startApp('evaluator', env)));
  const evaluators = starting.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  try {
    for (const each of starting) if (each.status === 'rejected') throw each.reason;
    const pids = [...evaluators.map(({ pid }) => pid), bench.serverPid, ...(queue.pid === null ? [] : [queue.pid])];
    const rates: number[] = [];
    const perCore: number[] = [];
    for (let slot = 0; slot < WARM_UPS + RUNS; slot++) {
      const before = cpuOf(pids);
      const startedMs = performance.now();
      await evaluateSlot(scene, queues, firstSlotMs + slot * MINUTE);
      const seconds = (performance.now() - startedMs) / 1_000;
      if (slot < WARM_UPS) continue;
      rates.push(RULES / seconds);
      perCore.push(RULES / (cpuOf(pids) - before));
    }
    const name = `pipeline.${queue.backend}.${count}`;
    const shape = `${count} evaluator process${count === 1 ? '' : 'es'}, queue on ${queue.backend}, warm, 1 % of the rules firing`;
    return [
      { name: `${name}.rate`, unit: 'rules/s', values: rates, note: `wall clock; ${shape}` },
      { name: `${name}.cpu`, unit: 'rules per core-second', values: perCore, note: `all processes' CPU together; ${shape}` },
    ];
  } finally {
    await Promise.all(evaluators.map(({ stop }) => stop()));
    await queues.close();
  }
}

/** CPU of the evaluators, PostgreSQL, Redis and of this process, which is the scheduler. */
function cpuOf(pids: readonly number[]): number {
  const { user, system } = process.cpuUsage();
  return pids.reduce((total, pid) => total + cpuSeconds(pid), (user + system) / 1e6);
}

/** Claims the slot for every tenant as the scheduler does, on a clock that shows its time, and waits until all runs have ended. */
async function evaluateSlot({ bench: { db }, admin }: Scene, queues: Queues, slotMs: number): Promise<void> {
  const deps = { db, queues, logger: createLogger('bench', 'warn'), metrics: createMetrics('bench'), clock: systemClock };
  db.clock.shiftMs = slotMs + 1_000 - Date.now();
  let claimed = 0;
  for (let runs = -1; runs !== 0; claimed += runs) ({ runs } = await claimDueSlots(deps));
  db.clock.shiftMs = 0;
  if (claimed !== TENANTS) throw new Error(`${claimed} runs of ${TENANTS} tenants`);

  const giveUpAtMs = performance.now() + SLOT_TIMEOUT_MS;
  // Answered by an index of its own: to look on costs next to nothing.
  const unfinished = async (): Promise<number> =>
    (await admin<{ runs: number }[]>`select count(*)::int as runs from tocsin.runs where finished_at is null`)[0]?.runs ?? 0;
  while ((await unfinished()) > 0 && performance.now() < giveUpAtMs) await sleep(POLL_MS);
  const [ended] = await admin<{ runs: number; rules: number; failed: number }[]>`
    select count(*)::int as runs, coalesce(sum(rules), 0)::int as rules, count(*) filter (where status = 'failed')::int as failed
    from tocsin.runs where slot_at = to_timestamp(${slotMs}::float8 / 1000) and finished_at is not null`;
  if (ended?.runs !== TENANTS || ended.rules !== RULES) {
    throw new Error(`evaluated ${ended?.rules} rules in ${ended?.runs} runs, ${ended?.failed} failed`);
  }
}

if (import.meta.main) console.log(JSON.stringify(await run(), null, 2));
