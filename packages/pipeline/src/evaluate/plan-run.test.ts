import type { LeasedRun } from '@tocsin/db';
import { compileRule, parseRule, WEEKDAYS } from '@tocsin/domain';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planRun } from './plan-run.ts';
import type { LoadedRules } from './rule-cache.ts';

const MINUTE = 60_000;
const NOON = 1_772_366_400_000;

function rule(every?: string, extraSlotMs: number | null = null): LoadedRules['evaluable'][number] {
  const parsed = parseRule({ name: 'Slow', every, condition: { metric: 'latency', window: '5m', operator: '>', threshold: 1 } });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  const compiled = compileRule(parsed.spec);
  return {
    rule: { tenantId: 't', id: every ?? 'r', version: 1, key: 'slow', name: 'Slow', labels: {}, packKey: null, compiled },
    head: { tenantId: 't', id: every ?? 'r', version: 1, health: 'ok', healthReason: null, marks: null, extraSlotMs },
  };
}

/** Of a tenant that is looked at every minute, on the full one. */
const run = (changes: Partial<LeasedRun> = {}): LeasedRun => ({
  tenantId: 't',
  id: 'run',
  slotMs: NOON,
  token: 'token',
  leasedMs: NOON,
  attempts: 1,
  kind: 'scheduled',
  ruleIds: null,
  observedSlotMs: NOON - MINUTE,
  everyMs: MINUTE,
  slotEveryMs: MINUTE,
  phaseMs: 0,
  failedRuns: 0,
  coversOlder: false,
  isCron: false,
  timeZone: 'UTC',
  activeHours: [],
  pausedUntilMs: null,
  ...changes,
});

/** No rule here follows how late events come. */
const NO_LAG = (): number => 0;

const times = (leased: LeasedRun, ...rules: LoadedRules['evaluable']): [slot: number, previous: number | null][] =>
  planRun(leased, rules, NO_LAG).map(({ slotMs, previousSlotMs }) => [
    slotMs - NOON,
    previousSlotMs === null ? null : previousSlotMs - NOON,
  ]);

test('a breach that cannot un-happen is looked for in the windows without the delay as well, grouped or not', () => {
  const ends = (over: object): number[] => {
    const condition = { aggregation: 'count', window: '5m', operator: '>', threshold: 1 };
    const parsed = parseRule({ name: 'Many', condition, ...over });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
    const many = rule();
    many.rule.compiled = compileRule(parsed.spec);
    return planRun(run(), [many], NO_LAG).flatMap(({ queries }) => queries.map(({ endMs }) => endMs - NOON));
  };
  expect(ends({})).toEqual([-10_000, 0]);
  expect(ends({ evaluationDelay: '0s' })).toEqual([0]);
  expect(ends({ groupBy: ['user'] })).toEqual([-10_000, 0]);
  expect(ends({ condition: { metric: 'latency', window: '5m', operator: '>', threshold: 1 } })).toEqual([-10_000]);
});

describe('a scheduled run', () => {
  test('evaluates what is due since the newest scheduled run that succeeded, and knows the slot before', () => {
    expect(times(run(), rule())).toEqual([[0, -MINUTE]]);
    expect(times(run({ observedSlotMs: null }), rule())).toEqual([[0, null]]);
    expect(times(run({ observedSlotMs: NOON - 3 * MINUTE }), rule())).toEqual([[0, -3 * MINUTE]]);
  });

  test('leaves out a rule with an `every` of its own until its slot comes', () => {
    expect(times(run(), rule('5m'))).toEqual([[0, -5 * MINUTE]]);
    expect(times(run({ slotMs: NOON + MINUTE, observedSlotMs: NOON }), rule('5m'))).toEqual([]);
    expect(times(run({ slotMs: NOON + 5 * MINUTE, observedSlotMs: NOON + 4 * MINUTE }), rule('5m'))).toEqual([[5 * MINUTE, 0]]);
  });

  test('after a run in between counts from that one, for the rules that it evaluated', () => {
    expect(times(run(), rule('1m', NOON - 20_000), rule())).toEqual([
      [0, -20_000],
      [0, -MINUTE],
    ]);
    expect(times(run({ slotMs: NOON + 5 * MINUTE, observedSlotMs: NOON + 4 * MINUTE }), rule('5m', NOON + 70_000))).toEqual([
      [5 * MINUTE, 70_000],
    ]);
  });

  test('makes up for what a failed run left out, unless it was evaluated in between', () => {
    const later = run({ slotMs: NOON + MINUTE, observedSlotMs: NOON - MINUTE });
    expect(times(later, rule('5m'))).toEqual([[0, -5 * MINUTE]]);
    expect(times(later, rule('5m', NOON + 30_000))).toEqual([]);
  });
});

describe('a run that is not scheduled', () => {
  const manual = run({ kind: 'manual', slotMs: NOON + 30_000, observedSlotMs: NOON });

  test('evaluates every rule at its own slot, due or not', () => {
    expect(times(manual, rule(), rule('5m'), rule('1h'))).toEqual([
      [30_000, 0],
      [30_000, 0],
      [30_000, 0],
    ]);
    expect(times({ ...manual, observedSlotMs: null }, rule())).toEqual([[30_000, null]]);
  });

  test('after another of its kind counts from that one', () => {
    expect(times(manual, rule('1m', NOON + 10_000))).toEqual([[30_000, 10_000]]);
  });
});

describe('a tenant that is not always looked at', () => {
  const hours = [{ days: WEEKDAYS, from: '12:00', to: '13:00' }];

  test('of a cron has all its rules evaluated at each of its instants, and a gap is what is longer than its closest two', () => {
    const cron = run({ isCron: true, slotEveryMs: 10 * MINUTE, observedSlotMs: NOON - 10 * MINUTE });
    expect(times(cron, rule(), rule('1m'), rule('1d'))).toEqual(Array.from({ length: 3 }, () => [0, -10 * MINUTE]));
    expect(planRun(cron, [rule('1d')], NO_LAG)[0]?.everyMs).toBe(10 * MINUTE);
  });

  test('evaluates a rule whose slot lay outside of the active hours at their beginning', () => {
    const opening = run({ activeHours: hours, observedSlotMs: NOON - 23 * 60 * MINUTE });
    const at = (every: string): unknown => times({ ...opening, phaseMs: -20 * MINUTE }, rule(every));
    expect(at('1d')).toEqual([[0, -24 * 60 * MINUTE]]);
    expect(times({ ...opening, slotMs: NOON + MINUTE, observedSlotMs: NOON, phaseMs: -20 * MINUTE }, rule('1d'))).toEqual([]);
  });

  test('evaluates what was due in a pause at its end', () => {
    const pausedUntilMs = NOON - 90_000;
    const first = run({ slotMs: pausedUntilMs, observedSlotMs: NOON - 60 * MINUTE, pausedUntilMs });
    expect(times(first, rule('7m'))).toEqual([[-90_000, expect.any(Number)]]);
    const later = run({ observedSlotMs: pausedUntilMs, pausedUntilMs });
    expect(times(later, rule('1m'))).toEqual([[0, -90_000]]);
  });

  test('knows that slots a debounce keeps apart are no gap', () => {
    const spaced = run({ slotEveryMs: 5 * MINUTE, observedSlotMs: NOON - 5 * MINUTE });
    expect(planRun(spaced, [rule('1m'), rule('4m'), rule('7m')], NO_LAG).map(({ everyMs }) => everyMs / MINUTE)).toEqual([5, 8, 7]);
  });

  test('whose runs stand for older slots is observed all the time', () => {
    const rare = run({ observedSlotMs: NOON - 15 * MINUTE });
    expect(planRun(rare, [rule()], NO_LAG)[0]?.everyMs).toBe(MINUTE);
    expect(planRun({ ...rare, coversOlder: true }, [rule()], NO_LAG)[0]?.everyMs).toBe(15 * MINUTE);
  });
});

test('however runs are mixed, a rule’s slots grow, each follows the one before, and each slot of its grid is evaluated or covered by a later one', () => {
  const step = fc.record({ isExtra: fc.boolean(), fails: fc.boolean(), afterS: fc.integer({ min: 1, max: 59 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.constantFrom(undefined, '2m', '90s', '5m'), (steps, every) => {
      let observedSlotMs = NOON;
      let extraSlotMs: number | null = null;
      let gridMs = NOON;
      const evaluated = [NOON];
      let skipped = 0;
      for (const { isExtra, fails, afterS } of steps) {
        if (!isExtra) gridMs += MINUTE;
        const slotMs: number = isExtra ? Math.max(gridMs + afterS * 1_000, (extraSlotMs ?? 0) + 1) : gridMs;
        if (isExtra && slotMs >= gridMs + MINUTE) continue;
        if (fails) continue;
        const [planned] = planRun(
          run({ kind: isExtra ? 'manual' : 'scheduled', slotMs, observedSlotMs }),
          [rule(every, extraSlotMs)],
          NO_LAG,
        );
        if (isExtra) extraSlotMs = slotMs;
        else observedSlotMs = slotMs;
        if (planned === undefined) {
          skipped += 1;
          continue;
        }
        const last: number = evaluated.at(-1) ?? 0;
        expect(planned.slotMs).toBeGreaterThan(last);
        if (every === undefined) expect(planned.previousSlotMs).toBe(last);
        evaluated.push(planned.slotMs);
      }
      if (every === undefined) expect(skipped).toBe(0);
    }),
  );
});
