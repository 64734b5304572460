import { newId } from '@tocsin/db';
import { type CompiledRule, compileRule, parseRule, stepRule, windowsAt } from '@tocsin/domain';
import type { EventStore } from '@tocsin/events';
import { openKnownFits, type KnownFits } from '@tocsin/pipeline';
import { benchDatabase, type BenchDatabase } from './lib/bench-database.ts';
import { openStore } from './lib/open-store.ts';
import { cpuSeconds } from './lib/cpu-seconds.ts';
import { settle } from './lib/load-segments.ts';
import { hoursOfMonth, load } from './lib/range-data.ts';
import { median, type Result } from './lib/result.ts';

const MINUTE = 60_000;
const TENANTS = 5;
const RUNS = 7;
/** Slots before the measured ones: what is usual, and what is read again, is kept by then. */
const WARM_UP = 3;
/** Measured together, to be long enough for the clock of CPU time. */
const SLOTS = 60;
const NEVER = new AbortController().signal;

const THRESHOLDS = {
  static: 2_000,
  baseline: { baseline: { multiplier: 2 } },
  anomaly: { anomaly: { score: 3, direction: 'above' } },
} as const;

/** What thresholds that follow the past cost, once it is known, beside plain numbers: reading, judging and stepping of the same windows. */
export async function run(): Promise<Result[]> {
  const bench = await benchDatabase();
  try {
    const endMs = Math.floor(Date.now() / MINUTE) * MINUTE - 10_000;
    const tenantIds = Array.from({ length: TENANTS }, () => newId());
    for (const tenantId of tenantIds) await load(bench, hoursOfMonth(tenantId, endMs));
    await settle(bench);
    const store = openStore(bench);
    const fits = openKnownFits(store);
    const costs = new Map<string, number[]>();
    for (const [kind, threshold] of Object.entries(THRESHOLDS))
      costs.set(kind, await cost(bench, store, fits, tenantIds, ruleOf(threshold), endMs));
    const plain = median(costs.get('static')!);
    return [...costs].flatMap(([kind, values]): Result[] => [
      { name: `thresholds.${kind}`, unit: 'µs a rule', values, note: 'warm, CPU of Node and PostgreSQL, one slot after another' },
      ...(kind === 'static'
        ? []
        : [
            {
              name: `thresholds.${kind}.ratio`,
              unit: 'times a plain number',
              values: [median(values) / plain],
              atMost: 1.5,
              note: 'of the medians',
            },
          ]),
    ]);
  } finally {
    await bench.discard();
  }
}

function ruleOf(threshold: (typeof THRESHOLDS)[keyof typeof THRESHOLDS]): CompiledRule[] {
  return [5, 10, 15, 30, 60].map((minutes) => {
    const condition = { metric: 'latency', name: 'llm.call', aggregation: 'avg', window: `${minutes}m`, operator: '>', threshold };
    const parsed = parseRule({ name: 'Slow', condition });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
    return compileRule(parsed.spec);
  });
}

async function cost(
  bench: BenchDatabase,
  store: EventStore,
  fits: KnownFits,
  tenantIds: readonly string[],
  rules: readonly CompiledRule[],
  endMs: number,
): Promise<number[]> {
  const slot = async (slotMs: number): Promise<void> => {
    const wanted = tenantIds.flatMap((tenantId) => rules.map((compiled) => ({ tenantId, compiled, endMs: slotMs })));
    const known = await fits.load(wanted, NEVER, { compute: true });
    const requests = tenantIds.map((tenantId) => ({ tenantId, queries: rules.flatMap((rule) => windowsAt(rule, slotMs)) }));
    const answers = await store.source.read(requests, NEVER);
    for (const [index, want] of wanted.entries()) {
      const ofTenant = answers[Math.floor(index / rules.length)]!;
      const time = { slotMs, previousSlotMs: slotMs - MINUTE, everyMs: MINUTE };
      const step = stepRule(want.compiled, [ofTenant[index % rules.length]!], [], time, { endMs: slotMs, fits: known.get(want) ?? [] });
      if (step.health !== 'ok') throw new Error(`not judged: ${step.healthReason}`);
    }
  };
  const slots = SLOTS * RUNS + WARM_UP;
  let at = endMs - slots * MINUTE;
  for (let i = 0; i < WARM_UP; i++) await slot((at += MINUTE));
  const values: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const before = cpuSeconds(bench.serverPid);
    const own = process.cpuUsage();
    for (let each = 0; each < SLOTS; each++) await slot((at += MINUTE));
    const { user, system } = process.cpuUsage(own);
    const seconds = cpuSeconds(bench.serverPid) - before + (user + system) / 1e6;
    values.push((seconds * 1e6) / (SLOTS * tenantIds.length * rules.length));
  }
  return values;
}

if (import.meta.main) console.log(JSON.stringify(await run(), null, 2));
