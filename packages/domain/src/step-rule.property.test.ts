import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { answered, comparison, MINUTE, only, ruleOf, SECOND } from '../test/a-rule.ts';
import { answers, onlySeries, readings, replayOf } from '../test/replay.ts';
import type { CompiledRule } from './compiled-rule.ts';
import type { QueryResult } from './reading.ts';
import type { SeriesState, Step } from './series-state.ts';
import { stepRule, type RememberedSeries } from './step-rule.ts';

// A second or two of work each, on a machine that may have much else to do.
vi.setConfig({ testTimeout: 60_000 });

const START = 1_772_366_400_000;
const RUNS = { seed: 4, numRuns: 200 };

interface PlayedSlot {
  slotMs: number;
  /** By series key, each with what it was before. */
  series: Map<string, { before: SeriesState | null; step: Step; value: number | null }>;
}

/** Takes a rule over slots, keeping states as a store does; `stored` is what comes back from it. */
function playSlots(
  rule: CompiledRule,
  results: readonly QueryResult[][],
  everyMs: number = MINUTE,
  stored: (state: SeriesState, slot: number) => SeriesState = (state) => state,
): PlayedSlot[] {
  let remembered: RememberedSeries[] = [];
  return results.map((result, slot) => {
    const slotMs = START + slot * everyMs;
    const time = { slotMs, previousSlotMs: slot === 0 ? null : slotMs - everyMs, everyMs };
    const { series, forgotten } = stepRule(rule, result, remembered, time);
    const next = new Map(remembered.filter((each) => !forgotten.includes(each)).map((each) => [each.seriesKey, each]));
    for (const { judgement, step } of series) {
      const { seriesKey, labels } = judgement;
      next.set(seriesKey, {
        seriesKey,
        labels,
        state: stored(step.state, slot),
        isOpen: isOpen(step.state),
        lastSeenMs: step.state.lastSeenMs,
      });
    }
    remembered = [...next.values()];
    return {
      slotMs,
      series: new Map(
        series.map(({ judgement, known, step }) => [
          judgement.seriesKey,
          { before: known?.state ?? null, step, value: judgement.lead.value },
        ]),
      ),
    };
  });
}

const isOpen = (state: SeriesState | null): boolean => state?.phase === 'firing' || state?.phase === 'recovering';
const stepsOf = (slots: readonly PlayedSlot[], key = '{}') => slots.flatMap(({ series, slotMs }) => ({ slotMs, ...series.get(key)! }));

/** Runs of like values, so that what must hold for a while is reached. */
const runsOf = <Value>(value: fc.Arbitrary<Value>, longest: number): fc.Arbitrary<Value[]> =>
  fc
    .array(fc.tuple(value, fc.integer({ min: 1, max: longest })), { minLength: 1, maxLength: 30 })
    .map((runs) => runs.flatMap(([one, count]) => Array.from({ length: count }, () => one)));

describe('levels', () => {
  const rules = fc
    .record({
      for: fc.constantFrom('0s', '2m'),
      keepFiringFor: fc.constantFrom('0s', '3m'),
      cooldown: fc.constantFrom('0s', '10m'),
      flapping: fc.constantFrom('off', { changes: 3, within: '10m' }),
      recover: fc.constantFrom(undefined, { warning: 80, critical: 250 }),
    })
    .map(({ recover, ...over }) =>
      ruleOf({
        ...over,
        condition: comparison({ threshold: { warning: 100, error: 200, critical: 300 }, ...(recover === undefined ? {} : { recover }) }),
      }),
    );
  const values = runsOf(fc.constantFrom(50, 90, 120, 220, 260, 350, null), 4);

  test('rise by a trigger that names a rank never told of this episode before, and ease untold', () => {
    fc.assert(
      fc.property(fc.tuple(rules, values), ([rule, given]) => {
        let toldRank = -1;
        const slots = playSlots(
          rule,
          given.map((value) => [only(value)]),
        );
        for (const { before, step } of stepsOf(slots)) {
          const { change, state } = step;
          const [was, is] = [before?.rankFired ?? -1, state.rankFired ?? -1];
          if (change?.kind === 'fired') {
            expect(isOpen(before)).toBe(false);
            toldRank = is;
          } else if (change?.kind === 'escalated') {
            expect(is).toBeGreaterThan(toldRank);
            expect(change.severity).toBe(state.severityFired);
            toldRank = is;
          } else if (change?.kind === 'resolved') {
            expect(isOpen(before)).toBe(true);
            toldRank = -1;
          } else if (isOpen(state)) {
            expect(is).toBeLessThanOrEqual(toldRank);
            if (is !== was) expect(step.reason).toBe(is < was ? 'eased' : 'worsened');
          }
        }
      }),
      RUNS,
    );
  });

  test('are told at the worst that held: nobody hears a milder word than is true for a whole slot of an open alert', () => {
    fc.assert(
      fc.property(fc.tuple(rules, values), ([rule, given]) => {
        const rankOf = (value: number): number => (value > 300 ? 3 : value > 200 ? 2 : value > 100 ? 1 : -1);
        let worstTold = -1;
        const slots = playSlots(
          rule,
          given.map((value) => [only(value)]),
        );
        for (const { step, value } of stepsOf(slots)) {
          if (step.change?.kind === 'fired' || step.change?.kind === 'escalated') worstTold = step.state.rankFired ?? -1;
          if (step.change?.kind === 'resolved') worstTold = -1;
          if (isOpen(step.state) && value !== null) expect(worstTold).toBeGreaterThanOrEqual(rankOf(value));
        }
      }),
      RUNS,
    );
  });
});

describe('flapping', () => {
  const cases = fc.tuple(fc.integer({ min: 2, max: 8 }), fc.integer({ min: 5, max: 40 }), runsOf(fc.boolean(), 8));

  test('tells no more than one change above the measure within the time, beside the end of what flapped', () => {
    fc.assert(
      fc.property(cases, ([changes, within, given]) => {
        const rule = ruleOf({ condition: comparison(), cooldown: '0s', flapping: { changes, within: `${within}m` } });
        const steps = stepsOf(
          playSlots(
            rule,
            given.map((isBad) => [only(isBad ? 2_000 : 1)]),
          ),
        );
        const told = steps.filter(({ step, before }) => step.change !== null && !(step.change.kind === 'resolved' && before?.isFlapping));
        for (const { slotMs } of told) {
          const lately = told.filter((each) => each.slotMs > slotMs - within * MINUTE && each.slotMs <= slotMs);
          expect(lately.length).toBeLessThanOrEqual(changes + 1);
        }
      }),
      RUNS,
    );
  });

  test('ends once it is calm: nothing is open after the time without a change', () => {
    fc.assert(
      fc.property(cases, ([changes, within, given]) => {
        const rule = ruleOf({ condition: comparison(), cooldown: '0s', flapping: { changes, within: `${within}m` } });
        const calm = Array.from({ length: within + 1 }, () => false);
        const last = stepsOf(
          playSlots(
            rule,
            [...given, ...calm].map((isBad) => [only(isBad ? 2_000 : 1)]),
          ),
        ).at(-1);
        expect(last?.step.state).toMatchObject({ phase: 'ok', alertType: null });
        expect(last?.step.state).not.toHaveProperty('isFlapping');
      }),
      RUNS,
    );
  });
});

describe('maxOpenAlerts', () => {
  const hosts = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  const table = fc.array(fc.array(fc.constantFrom(null, 10, 2_000, 3_000, 4_000), { minLength: 8, maxLength: 8 }), {
    minLength: 1,
    maxLength: 12,
  });
  const ruleOfMost = (most: number): CompiledRule =>
    ruleOf({ condition: comparison(), groupBy: ['host'], cooldown: '0s', flapping: 'off', maxOpenAlerts: most });
  const resultOf = (row: readonly (number | null)[], order: readonly number[]): QueryResult[] => [
    answered(
      ...order.flatMap((place) =>
        row[place] === null ? [] : [{ labels: { host: hosts[place]! }, value: row[place] ?? null, samples: 5 }],
      ),
    ),
  ];
  const inOrder = hosts.map((_, place) => place);

  test('is never passed, and the worst come first', () => {
    fc.assert(
      fc.property(fc.tuple(fc.integer({ min: 1, max: 8 }), table), ([most, rows]) => {
        const slots = playSlots(
          ruleOfMost(most),
          rows.map((row) => resultOf(row, inOrder)),
        );
        for (const { series } of slots) {
          const steps = [...series.values()];
          expect(steps.filter(({ step }) => isOpen(step.state)).length).toBeLessThanOrEqual(most);
          const opened = steps.filter(({ step }) => step.change?.kind === 'fired').map(({ value }) => value ?? 0);
          const refused = steps.filter(({ step }) => step.reason === 'max_open_alerts').map(({ value }) => value ?? 0);
          if (opened.length > 0 && refused.length > 0) expect(Math.min(...opened)).toBeGreaterThanOrEqual(Math.max(...refused));
          if (refused.length > 0) expect(steps.filter(({ step }) => isOpen(step.state))).toHaveLength(most);
        }
      }),
      RUNS,
    );
  });

  test('leaves nothing to chance: the order in which series are answered changes nothing', () => {
    const orders = fc.shuffledSubarray(inOrder, { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(fc.tuple(fc.integer({ min: 1, max: 8 }), table, orders), ([most, rows, order]) => {
        const said = (places: readonly number[]) =>
          playSlots(
            ruleOfMost(most),
            rows.map((row) => resultOf(row, places)),
          ).map(({ series }) => [...series].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, { step }]) => [key, step.reason, step.state]));
        expect(said(order)).toEqual(said(inOrder));
      }),
      RUNS,
    );
  });
});

test('what is not ready never fires and never ends', () => {
  const WARMING: QueryResult = { kind: 'warming', missingHours: 2 };
  const given = runsOf(fc.constantFrom<QueryResult>(only(2_000), only(1), WARMING), 6);
  const rules = fc
    .record({ for: fc.constantFrom('0s', '3m'), noData: fc.constantFrom('ok', 'keep', 'alert'), onError: fc.constantFrom('keep', 'alert') })
    .map((over) => ruleOf({ ...over, condition: comparison(), cooldown: '0s' }));
  fc.assert(
    fc.property(fc.tuple(rules, given), ([rule, results]) => {
      const slots = playSlots(
        rule,
        results.map((result) => [result]),
      );
      for (const [slot, { before, step }] of stepsOf(slots).entries()) {
        if (results[slot] !== WARMING) continue;
        expect([step.change, step.state.phase, step.state.health]).toEqual([null, before?.phase ?? 'ok', 'warming']);
      }
    }),
    RUNS,
  );
});

test('a series that is new is not missed before newSeriesGrace is over', () => {
  const rule = ruleOf({ condition: { name: 'beat', absentFor: '1m' }, groupBy: ['host'], newSeriesGrace: '5m', cooldown: '0s' });
  const beats = fc.array(fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(beats, (rows) => {
      const met = new Map<string, number>();
      const slots = playSlots(
        rule,
        rows.map((row) => [
          answered(...row.flatMap((beat, host) => (beat ? [{ labels: { host: String(host) }, value: 1, samples: 1 }] : []))),
        ]),
      );
      for (const { slotMs, series } of slots) {
        for (const [key, { step }] of series) {
          if (!met.has(key)) met.set(key, slotMs);
          if (step.change?.kind === 'fired') expect(slotMs - met.get(key)!).toBeGreaterThanOrEqual(5 * MINUTE);
        }
      }
    }),
    RUNS,
  );
});

test('the same events in any order of arrival, cut into any segments, are the same decisions', () => {
  interface Sent {
    atMs: number;
    value: number;
  }
  const event = fc.record({ atMs: fc.integer({ min: 0, max: 40 * MINUTE - 1 }), value: fc.integer({ min: 0, max: 500 }) });
  const events = fc.array(event, { maxLength: 120 });
  const rule = ruleOf({
    condition: { measure: 'amount', aggregation: 'sum', window: '3m', operator: '>', threshold: 2_000, recover: 1_500 },
  });
  /** Sums of each segment, then of all: as a reader does that never sees all events at once. */
  const sums = (segments: readonly (readonly Sent[])[]): number[] =>
    Array.from({ length: 40 }, (_, slot) => {
      const endMs = (slot + 1) * MINUTE;
      return segments
        .map((segment) =>
          segment.filter(({ atMs }) => atMs >= endMs - 3 * MINUTE && atMs < endMs).reduce((sum, { value }) => sum + value, 0),
        )
        .reduce((sum, each) => sum + each, 0);
    });
  const arrivals = events.chain((sent) =>
    fc.tuple(
      fc.constant(sent),
      fc.shuffledSubarray(sent, { minLength: sent.length, maxLength: sent.length }),
      fc.array(fc.nat({ max: 7 }), { minLength: sent.length, maxLength: sent.length }),
    ),
  );
  fc.assert(
    fc.property(arrivals, ([sent, arrived, segmentOf]) => {
      const segments = [...Map.groupBy(arrived, (_, index) => segmentOf[index]!).values()];
      const decided = (values: number[]) => onlySeries(replayOf(rule, [readings(values)], { startMs: START }));
      expect(decided(sums(segments))).toEqual(decided(sums([sent])));
    }),
    RUNS,
  );
});

test('series in any order are the same decisions', () => {
  const rows = fc.array(fc.array(fc.constantFrom(null, 1, 900, 2_000), { minLength: 20, maxLength: 20 }), { minLength: 2, maxLength: 6 });
  const rule = ruleOf({ condition: comparison({ recover: 500 }), groupBy: ['host'], for: '1m', keepFiringFor: '2m', cooldown: '3m' });
  fc.assert(
    fc.property(rows, (table) => {
      const series = table.map((values, host) => ({ labels: { host: String(host) }, values }));
      const decided = (given: typeof series) =>
        replayOf(rule, [answers(...given)], { startMs: START }).series.toSorted((a, b) => (a.seriesKey < b.seriesKey ? -1 : 1));
      expect(decided(series.toReversed())).toEqual(decided(series));
    }),
    RUNS,
  );
});

test('a restart at any second of a `for` fires at the same second', () => {
  const rule = ruleOf({ condition: comparison(), for: '60s' });
  const results = Array.from({ length: 100 }, (_, second) => [only(second >= 5 ? 2_000 : 1)]);
  const firedAt = (stored?: (state: SeriesState, slot: number) => SeriesState): number[] =>
    playSlots(rule, results, SECOND, stored).flatMap(({ series, slotMs }) =>
      series.get('{}')?.step.change?.kind === 'fired' ? [(slotMs - START) / SECOND] : [],
    );
  const asJson = (state: SeriesState): SeriesState => JSON.parse(JSON.stringify(state)) as SeriesState;
  expect(firedAt()).toEqual([65]);
  expect(firedAt(asJson)).toEqual([65]);
  for (let second = 0; second < 100; second++) expect(firedAt((state, slot) => (slot === second ? asJson(state) : state))).toEqual([65]);
});
