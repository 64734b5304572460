import { openEventStore, type EventStore } from '@tocsin/events';
import { compileRule, hoursNeededBy, parseRule, phaseOf, type CompiledRule } from '@tocsin/domain';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addRule, asTenant, openStage, tenantWith, type Stage } from '../../test/stage.ts';
import { evaluateBatch } from '../evaluate/evaluate-batch.ts';
import { evaluationOf } from '../evaluate/start-evaluator.ts';
import { claimDueSlots } from '../schedule/claim-due-slots.ts';
import { playRule } from './play-rule.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DELAY_MS = 10_000;
const NEVER = new AbortController().signal;

let stage: Stage;
let store: EventStore;
beforeAll(async () => {
  stage = await openStage('postgres');
  store = openEventStore({ ...stage.deps, clock: { ...stage.deps.clock, now: () => Date.now() + stage.db.clock.shiftMs } });
});
afterAll(async () => {
  await store.close();
  await stage.close();
});

const latency = (over: object) => ({ metric: 'latency', aggregation: 'p95', window: '3m', operator: '>', threshold: 500, ...over });

/** One of each kind that can say something within an hour, and all at once. */
const RULES: Record<string, object> = {
  plain: { condition: latency({ recover: 400 }), for: '1m', keepFiringFor: '2m', cooldown: '5m' },
  levels: { condition: latency({ threshold: { warning: 300, critical: 700 }, recover: { warning: 200 } }), cooldown: '0s' },
  grouped: {
    condition: latency({ aggregation: 'avg', minSamples: 2 }),
    groupBy: ['model'],
    cooldown: '2m',
    flapping: { changes: 3, within: '10m' },
  },
  change: {
    condition: latency({ aggregation: 'sum', threshold: { change: { percent: 40, versus: 'previous', floor: 300 } } }),
    cooldown: '0s',
  },
  ratio: {
    condition: {
      numerator: { metric: 'error_rate', aggregation: 'count' },
      denominator: { metric: 'throughput', aggregation: 'count' },
      window: '5m',
      operator: '>',
      threshold: 20,
      bound: 'wilson95',
      minSamples: 3,
    },
    cooldown: '1m',
  },
  together: {
    condition: { all: [{ rule: 'plain', is: 'firing' }, { not: latency({ aggregation: 'min', operator: '<', threshold: 50 }) }] },
    cooldown: '0s',
  },
  long: { condition: latency({ window: '7h', threshold: 600 }), groupBy: ['model'], cooldown: '0s' },
  budget: {
    condition: latency({
      aggregation: 'sum',
      window: 'day',
      timeZone: 'Asia/Kolkata',
      threshold: { budget: { amount: 20_000, steps: [80, 100] } },
    }),
    cooldown: '0s',
  },
  few: { condition: latency({}), groupBy: ['model'], maxOpenAlerts: 1, maxSeries: 2, cooldown: '0s', noData: 'ok' },
};

/** What a preview plays before its first slot opens episodes over windows that reach so far back; live the rule did not yet exist. */
const told = (key: string, reason: string | null): string | null => (key === 'long' || key === 'budget' ? '' : reason);

const call = fc.record({
  model: fc.constantFrom('a', 'b', 'c'),
  duration: fc.integer({ min: 10, max: 1_000 }),
  status: fc.constantFrom('ok', 'ok', 'error'),
  /** Into the minute before the slot's window ends. */
  beforeMs: fc.integer({ min: 1, max: MINUTE }),
});
/** Long ago, for windows that reach so far back. */
const past = fc.array(fc.tuple(call, fc.integer({ min: 1, max: 20 })), { maxLength: 40 });
const minutes = fc.array(fc.array(call, { maxLength: 8 }), { minLength: 15, maxLength: 25 });

test('a preview of the past agrees with what was recorded live, slot by slot, where events came in time', async () => {
  await fc.assert(
    fc.asyncProperty(minutes, past, fc.boolean(), async (calls, before, prepares) => {
      const tenantId = await tenantWith(stage.db, MINUTE);
      const compiled = new Map<string, CompiledRule>();
      const ids = new Map<string, string>();
      for (const [key, words] of Object.entries(RULES)) {
        const parsed = parseRule({ key, name: key, ...words });
        if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
        compiled.set(key, compileRule(parsed.spec));
        ids.set(key, await addRule(stage.db, tenantId, { key, name: key, ...words }));
      }
      await ingest(
        tenantId,
        before.map(([each, hours]) => ({ ...each, atMs: Date.now() + stage.db.clock.shiftMs - each.beforeMs - (hours + 0.5) * HOUR })),
      );
      const needs = [...compiled.values()].flatMap(hoursNeededBy);
      for (let missing = Infinity; missing > 0;) ({ missing } = await store.prepare(tenantId, needs, NEVER));
      const slots = await live(tenantId, calls);
      // Nothing depends on what is kept of hours.
      if (!prepares) await asTenant(stage.db, tenantId, (sql) => sql`delete from partials`);

      for (const [key, rule] of compiled) {
        const play = { tenantId, rule, others: compiled, everyMs: MINUTE, phaseMs: phaseOf(tenantId), maxSeries: 1_000 };
        const range = { fromMs: slots[0]! - 1, toMs: slots.at(-1)! };
        const { replay } = await playRule({ ranges: store, histories: store }, { ...play, ...range }, NEVER);
        const previewed = replay.series.flatMap(({ seriesKey, points }) =>
          points.map(({ at, value, threshold, reason }) => `${at} ${seriesKey} ${value} ${threshold} ${told(key, reason)}`),
        );
        const { rows } = await store.readEvaluations(tenantId, ids.get(key)!, { limit: 1_000 });
        const recorded = rows
          .filter(({ reason }) => reason !== 'no_series')
          .map(({ slotMs, seriesKey, value, threshold, reason }) => `${slotMs} ${seriesKey} ${value} ${threshold} ${told(key, reason)}`);
        expect([key, previewed.toSorted()]).toEqual([key, recorded.toSorted()]);
      }
    }),
    { numRuns: 4, endOnFailure: true },
  );
}, 120_000);

async function ingest(
  tenantId: string,
  calls: readonly { model: string; duration: number; status: string; atMs: number }[],
): Promise<void> {
  const { rejected } = await store.ingest(
    tenantId,
    calls.map(({ model, duration, status, atMs }) => ({
      ts: atMs,
      name: 'call',
      dims: { model, status },
      measures: { duration_ms: duration },
    })),
  );
  expect(rejected).toEqual([]);
}

/** Sends each minute's calls before the slot they are for, and evaluates it as an evaluator would. Answers the slots. */
async function live(
  tenantId: string,
  calls: readonly { model: string; duration: number; status: string; beforeMs: number }[][],
): Promise<number[]> {
  const evaluation = evaluationOf({ ...stage.deps, source: store.source, histories: store });
  const slots: number[] = [];
  for (const ofMinute of calls) {
    const [schedule] = await asTenant(stage.db, tenantId, (sql) => sql<{ next: number }[]>`select next_slot_at as next from schedules`);
    const slotMs = schedule!.next;
    stage.db.clock.shiftMs = slotMs - Date.now() + 20;
    await ingest(
      tenantId,
      ofMinute.map((each) => ({ ...each, atMs: slotMs - DELAY_MS - each.beforeMs })),
    );
    await claimDueSlots(stage.deps);
    expect(await evaluateBatch(evaluation, [tenantId])).toEqual(new Map());
    slots.push(slotMs);
  }
  return slots;
}
