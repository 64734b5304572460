import { newId } from '@tocsin/db';
import { type CompiledRule, compileRule, countReplay, parseRule, warningsOf } from '@tocsin/domain';
import type { EventStore } from '@tocsin/events';
import { playRule } from '@tocsin/pipeline';
import { benchDatabase } from './lib/bench-database.ts';
import { openStore } from './lib/open-store.ts';
import { settle } from './lib/load-segments.ts';
import { quantileOf } from './lib/quantile-of.ts';
import { DAY_EVENTS, DAY_SERIES, hoursOfMonth, load, minutesOfDay } from './lib/range-data.ts';
import type { Result } from './lib/result.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const RUNS = 21;
const WARMING_RUNS = 3;
const NEVER = new AbortController().signal;

/** What people wait for when they drag a threshold: a rule over a day of many events, and over a month of few, every slot of it. */
export async function run(): Promise<Result[]> {
  const bench = await benchDatabase();
  try {
    const endMs = Math.floor(Date.now() / MINUTE) * MINUTE - 10_000;
    const [busy, quiet] = [newId(), newId()];
    await load(bench, minutesOfDay(busy, endMs));
    await load(bench, hoursOfMonth(quiet, endMs));
    await settle(bench);
    const store = openStore(bench);
    const ownBefore = process.cpuUsage();
    const day = await timed(store, busy, ruleOf({ groupBy: ['operation'] }), { fromMs: endMs - DAY, toMs: endMs }, DAY_SERIES);
    const { user, system } = process.cpuUsage(ownBefore);
    const month = await timed(store, quiet, ruleOf({}), { fromMs: endMs - 30 * DAY, toMs: endMs }, 1);
    const monthly = ruleOf({ condition: { ...SLOW, window: '24h' } });
    const cutMonth = await timed(store, quiet, monthly, { fromMs: endMs - 29 * DAY, toMs: endMs }, 1);
    const dayNote = `24 h × ${DAY_SERIES} series × 1 m steps over ${DAY_EVENTS} events, p95 of 5m, segments cached`;
    return [
      { name: 'preview.day', unit: 'ms', values: day, note: dayNote },
      { name: 'preview.day.p95', unit: 'ms', values: [quantileOf(day, 0.95)], atMost: 500, note: `of ${RUNS} such previews` },
      {
        name: 'preview.day.cpu',
        unit: 'ms',
        values: [(user + system) / 1_000 / (RUNS + WARMING_RUNS)],
        note: 'CPU of the process, of such a preview; the first, which reads everything, counts too',
      },
      {
        name: 'preview.month',
        unit: 'ms',
        values: month,
        atMost: 3_000,
        note: '30 d × 1 series × 1 m steps, an event every 10 s, p95 of 5m, segments cached',
      },
      {
        name: 'preview.month.long',
        unit: 'ms',
        values: cutMonth,
        atMost: 3_000,
        note: '29 d of the same, p95 of 24h: every hour is cut by some window, so that all is read event by event and held by class',
      },
    ];
  } finally {
    await bench.discard();
  }
}

const SLOW = { metric: 'latency', name: 'llm.call', aggregation: 'p95', window: '5m', operator: '>', threshold: 2_000, recover: 1_500 };

function ruleOf(over: object): CompiledRule {
  const parsed = parseRule({
    name: 'Slow',
    every: '1m',
    for: '2m',
    condition: SLOW,
    ...over,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return compileRule(parsed.spec);
}

/** In milliseconds: reading, playing and counting. */
async function timed(
  store: EventStore,
  tenantId: string,
  rule: CompiledRule,
  range: { fromMs: number; toMs: number },
  series: number,
): Promise<number[]> {
  const play = { tenantId, rule, others: new Map<string, CompiledRule>(), ...range, everyMs: MINUTE, phaseMs: 0, maxSeries: 1_000 };
  const once = async (): Promise<number> => {
    const startedMs = performance.now();
    const { replay } = await playRule({ ranges: store, histories: store }, play, NEVER);
    warningsOf(rule, replay, countReplay(rule, replay, range), range);
    if (replay.series.length !== series) throw new Error(`${replay.series.length} series were played`);
    return performance.now() - startedMs;
  };
  for (let i = 0; i < WARMING_RUNS; i++) await once();
  const values: number[] = [];
  for (let i = 0; i < RUNS; i++) values.push(await once());
  return values;
}

if (import.meta.main) console.log(JSON.stringify(await run(), null, 2));
