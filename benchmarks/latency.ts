import { sendHints } from '@tocsin/pipeline';
import { dispatchTrigger, openQueues, type Queues } from '@tocsin/queue';
import { createLogger, createMetrics, systemClock } from '@tocsin/runtime';
import { setTimeout as sleep } from 'node:timers/promises';
import { benchDatabase, type BenchDatabase } from './lib/bench-database.ts';
import { commitTriggers, makeRule, type RuleRef } from './lib/latency-channels.ts';
import { onEachQueue } from './lib/on-each-queue.ts';
import { startDispatcher } from './lib/start-dispatcher.ts';
import { timedReceiver, type TimedReceiver } from './lib/timed-receiver.ts';
import type { Result } from './lib/result.ts';
import { seeded } from './lib/span-data.ts';

const RULES = 50;
const TRIGGERS_PER_SECOND = 50;
const SECONDS = 5;
const RUNS = 5;
const WARM_UP_SECONDS = 2;
const ARRIVE_MS = 10_000;
const TARGET_MS = { redis: 50, postgres: 150 };
const QUANTILES = { p50: 0.5, p95: 0.95, p99: 0.99 };

/** From a trigger's commit to its request at a webhook: hint, dispatcher process, plan, attempt written, signed request over HTTP. */
export async function run(): Promise<Result[]> {
  const bench = await benchDatabase();
  const receiver = await timedReceiver();
  const results: Result[] = [];
  try {
    const rules = await Promise.all(Array.from({ length: RULES }, () => makeRule(bench, receiver.url)));
    await onEachQueue(bench, async ({ backend, url }) => {
      const queues = await openQueues({ url, logger: createLogger('bench', 'warn') });
      const dispatcher = await startDispatcher(bench, url);
      const scene = { bench, queues, rules, receiver };
      try {
        await fire(scene, WARM_UP_SECONDS);
        const runs: number[][] = [];
        for (let i = 0; i < RUNS; i++) runs.push(await fire(scene, SECONDS));
        for (const [name, share] of Object.entries(QUANTILES)) {
          results.push({
            name: `latency.${backend}.${name}`,
            unit: 'ms',
            values: runs.map((sorted) => sorted[Math.floor(share * (sorted.length - 1))]!),
            ...(name === 'p50' ? { atMost: TARGET_MS[backend] } : {}),
            note: `trigger committed to request received, ${TRIGGERS_PER_SECOND} triggers/s at random moments, queue on ${backend}`,
          });
        }
      } finally {
        await dispatcher.stop();
        await queues.close();
      }
    });
    return results;
  } finally {
    await receiver.close();
    await bench.discard();
  }
}

interface Scene {
  bench: BenchDatabase;
  queues: Queues;
  rules: readonly RuleRef[];
  receiver: TimedReceiver;
}

/** Fires for so long and answers how many milliseconds each trigger took, sorted. Throws when one did not arrive, or arrived twice. */
async function fire({ bench, queues, rules, receiver }: Scene, seconds: number): Promise<number[]> {
  const random = seeded(seconds);
  const deps = { queues, logger: createLogger('bench', 'warn'), metrics: createMetrics('bench'), clock: systemClock };
  const committedMs = new Map<string, number>();
  const receivedBefore = receiver.received.length;
  const fireOne = async (rule: RuleRef): Promise<void> => {
    const triggers = await commitTriggers(bench, rule, 1);
    for (const { alertId } of triggers) committedMs.set(alertId, performance.now());
    await sendHints(
      deps,
      dispatchTrigger,
      triggers.map(({ triggerId }) => ({ tenantId: rule.tenantId, triggerId })),
    );
  };
  const count = seconds * TRIGGERS_PER_SECOND;
  const startedMs = performance.now();
  const firing: Promise<void>[] = [];
  let atMs = 0;
  for (let trigger = 0; trigger < count; trigger++) {
    // As many as are due: a timer is late by a millisecond, and the next ones must not be for that.
    atMs += (-Math.log(1 - random()) * 1_000) / TRIGGERS_PER_SECOND;
    await sleep(Math.max(0, startedMs + atMs - performance.now()));
    firing.push(fireOne(rules[trigger % rules.length]!));
  }
  await Promise.all(firing);
  const giveUpAtMs = performance.now() + ARRIVE_MS;
  while (receiver.received.length - receivedBefore < count && performance.now() < giveUpAtMs) await sleep(10);

  const took = receiver.received.slice(receivedBefore).map(({ body, atMs }) => {
    const { data } = JSON.parse(body) as { data: { alert: { id: string } } };
    const fromMs = committedMs.get(data.alert.id);
    if (fromMs === undefined) throw new Error('a request that was sent before, or for no trigger');
    committedMs.delete(data.alert.id);
    return atMs - fromMs;
  });
  if (took.length !== count) throw new Error(`${took.length} requests for ${count} triggers`);
  return took.sort((a, b) => a - b);
}

if (import.meta.main) console.log(JSON.stringify(await run(), null, 2));
