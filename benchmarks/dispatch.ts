import { sendHints } from '@tocsin/pipeline';
import { dispatchTrigger, openQueues, type Queues } from '@tocsin/queue';
import { createLogger, createMetrics } from '@tocsin/runtime';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { benchDatabase, type BenchDatabase } from './lib/bench-database.ts';
import { burstAlertmanager, hasAlertmanager } from './lib/burst-alertmanager.ts';
import { cpuSeconds } from './lib/cpu-seconds.ts';
import { commitTriggers, makeRule, type RuleRef } from './lib/latency-channels.ts';
import { onEachQueue } from './lib/on-each-queue.ts';
import type { Result } from './lib/result.ts';
import { startDispatcher } from './lib/start-dispatcher.ts';
import { timedReceiver, type TimedReceiver } from './lib/timed-receiver.ts';

const TENANTS = 100;
const BURST = 10_000;
const WARM_UP = 2_000;
const RUNS = 3;
const ARRIVE_MS = 120_000;

/** A burst of triggers until the last is received and recorded: rate, and CPU of dispatcher, PostgreSQL and Redis; the receiver's is not counted. */
export async function run(): Promise<Result[]> {
  const bench = await benchDatabase();
  const admin = postgres(bench.adminUrl, { max: 1, onnotice: () => {} });
  const receiver = await timedReceiver();
  const results: Result[] = [];
  try {
    const rules = await Promise.all(Array.from({ length: TENANTS }, () => makeRule(bench, receiver.url)));
    await onEachQueue(bench, async ({ backend, url, pid }) => {
      const queues = await openQueues({ url, logger: createLogger('bench', 'warn') });
      const dispatcher = await startDispatcher(bench, url);
      const servers = { postgres: bench.serverPid, ...(pid === null ? {} : { redis: pid }) };
      const scene: Scene = { bench, admin, queues, rules, receiver, pids: { dispatcher: dispatcher.pid, ...servers } };
      try {
        await burst(scene, WARM_UP);
        // as where it has been at work for a while
        await admin`analyze`;
        const runs: Burst[] = [];
        for (let i = 0; i < RUNS; i++) runs.push(await burst(scene, BURST));
        results.push(...resultsOf(`dispatch.${backend}`, runs, `${BURST} triggers of ${TENANTS} tenants at once, queue on ${backend}`));
      } finally {
        await dispatcher.stop();
        await queues.close();
      }
    });
    results.push(...(await peer(receiver)));
    return results;
  } finally {
    await receiver.close();
    await admin.end();
    await bench.discard();
  }
}

interface Scene {
  bench: BenchDatabase;
  admin: postgres.Sql;
  queues: Queues;
  rules: readonly RuleRef[];
  receiver: TimedReceiver;
  pids: Readonly<Record<string, number>>;
}

interface Burst {
  /** From the first hint to the last request. */
  seconds: number;
  /** By process, until the last outcome is recorded. */
  cpu: Record<string, number>;
  requests: number;
}

async function burst({ bench, admin, queues, rules, receiver, pids }: Scene, triggers: number): Promise<Burst> {
  const deps = { queues, logger: createLogger('bench', 'warn'), metrics: createMetrics('bench') };
  const each = triggers / rules.length;
  const batches: { tenantId: string; triggerId: string }[][] = [];
  for (const rule of rules) {
    const committed = await commitTriggers(bench, rule, each);
    batches.push(committed.map(({ triggerId }) => ({ tenantId: rule.tenantId, triggerId })));
  }
  await admin`checkpoint`;
  const before = cpuOf(pids);
  const [receivedBefore, startedMs] = [receiver.received.length, performance.now()];
  for (const batch of batches) await sendHints(deps, dispatchTrigger, batch);
  while (receiver.received.length - receivedBefore < triggers) {
    if (performance.now() > startedMs + ARRIVE_MS)
      throw new Error(`${receiver.received.length - receivedBefore} requests for ${triggers} triggers`);
    await sleep(10);
  }
  await untilRecorded(admin);
  const after = cpuOf(pids);
  const ids = receiver.received.slice(receivedBefore).map(({ body }) => (JSON.parse(body) as { id: string }).id);
  if (new Set(ids).size !== ids.length || ids.length !== triggers) throw new Error(`${ids.length} requests for ${triggers} triggers`);
  return {
    seconds: (receiver.received.at(-1)!.atMs - startedMs) / 1_000,
    cpu: Object.fromEntries(Object.keys(pids).map((name) => [name, after[name]! - before[name]!])),
    requests: triggers,
  };
}

const cpuOf = (pids: Scene['pids']): Record<string, number> =>
  Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, cpuSeconds(pid)]));

async function untilRecorded(admin: postgres.Sql): Promise<void> {
  for (;;) {
    const [open] = await admin`select 1 from tocsin.deliveries where status <> 'delivered' limit 1`;
    if (open === undefined) return;
    await sleep(20);
  }
}

function resultsOf(name: string, runs: readonly Burst[], note: string): Result[] {
  const total = ({ cpu, requests }: Burst): number => (Object.values(cpu).reduce((sum, each) => sum + each, 0) / requests) * 1_000;
  return [
    { name: `${name}.rate`, unit: 'notifications/s', values: runs.map(({ requests, seconds }) => requests / seconds), note },
    { name: `${name}.cpu`, unit: 'ms a notification', values: runs.map(total), note: `all processes' CPU but the receiver's; ${note}` },
    ...Object.keys(runs[0]!.cpu).map((process): Result => ({
      name: `${name}.cpu.${process}`,
      unit: 'ms a notification',
      values: runs.map(({ cpu, requests }) => (cpu[process]! / requests) * 1_000),
      note,
    })),
  ];
}

async function peer(receiver: TimedReceiver): Promise<Result[]> {
  if (!hasAlertmanager()) {
    console.error('no prometheus-alertmanager on the PATH: it is not measured beside');
    return [];
  }
  const runs: Burst[] = [];
  for (let i = 0; i < RUNS; i++) {
    const { seconds, cpu } = await burstAlertmanager(receiver, BURST);
    runs.push({ seconds, cpu: { alertmanager: cpu }, requests: BURST });
  }
  return resultsOf('dispatch.alertmanager', runs, `${BURST} alerts in requests of 1000, a group each; it keeps them in memory`).slice(0, 2);
}

if (import.meta.main) console.log(JSON.stringify(await run(), null, 2));
