import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MINUTE, ruleOf } from '../test/a-rule.ts';
import { playSteps, START, SYMBOLS, type Played, type Symbol } from '../test/play.ts';
import { needsSaving } from './advance.ts';
import type { CompiledRule } from './compiled-rule.ts';
import type { Phase, SeriesState } from './series-state.ts';

const minutes = (max: number): fc.Arbitrary<string> => fc.nat({ max }).map((count) => `${count}m`);
const rules: fc.Arbitrary<CompiledRule> = fc
  .record({
    for: minutes(4),
    keepFiringFor: minutes(4),
    cooldown: minutes(12),
    noData: fc.constantFrom('ok', 'keep', 'alert'),
    onError: fc.constantFrom('keep', 'alert'),
    groupBy: fc.constantFrom([], ['operation']),
  })
  .map(ruleOf);
const symbol: fc.Arbitrary<Symbol> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<Symbol>('B', 'C') },
  { weight: 2, arbitrary: fc.constantFrom(...SYMBOLS) },
);
// Runs of the same symbol, else a long `for` would hardly ever be reached.
const symbols = fc
  .array(fc.tuple(symbol, fc.integer({ min: 1, max: 6 })), { maxLength: 40 })
  .map((runs) => runs.flatMap(([one, count]) => Array.from({ length: count }, () => one)));
const plays = fc.tuple(rules, symbols);

/** A phase and those that may follow it at the next slot. */
const LEGAL: Record<Phase, Phase[]> = {
  ok: ['ok', 'pending', 'firing'],
  pending: ['pending', 'ok', 'firing'],
  // To pending: an alert on missing data or errors ended by a breach.
  firing: ['firing', 'recovering', 'ok', 'pending'],
  recovering: ['recovering', 'firing', 'ok', 'pending'],
};

const isOpen = (phase: Phase | undefined): boolean => phase === 'firing' || phase === 'recovering';
const pairs = (steps: readonly Played[]): [Played | undefined, Played][] => steps.map((step, index) => [steps[index - 1], step]);

test('only legal transitions happen', () => {
  fc.assert(
    fc.property(plays, ([rule, given]) => {
      for (const [before, { state }] of pairs(playSteps(rule, given))) expect(LEGAL[before?.state.phase ?? 'ok']).toContain(state.phase);
    }),
    { numRuns: 500 },
  );
});

test('an alert opens and ends by turns, and each end and beginning is told', () => {
  fc.assert(
    fc.property(plays, ([rule, given]) => {
      for (const [before, { state, change }] of pairs(playSteps(rule, given))) {
        const [was, is] = [isOpen(before?.state.phase), isOpen(state.phase)];
        if (!was && is) expect(['fired', 'no_data']).toContain(change?.kind);
        else if (was && !is) expect(change?.kind).toBe('resolved');
        else if (was) expect([undefined, 'escalated']).toContain(change?.kind);
        else expect(change).toBeNull();
      }
    }),
    { numRuns: 500 },
  );
});

test('state says what it is about exactly while there is something', () => {
  fc.assert(
    fc.property(plays, ([rule, given]) => {
      for (const { state } of playSteps(rule, given)) {
        expect(state.alertType === null).toBe(state.phase === 'ok');
        expect(state.severityFired === null).toBe(!isOpen(state.phase));
      }
    }),
  );
});

test('a failing query never opens or ends an alert under onError keep', () => {
  fc.assert(
    fc.property(plays, ([rule, given]) => {
      const kept: CompiledRule = { ...rule, onError: 'keep' };
      for (const [before, { state, change }] of pairs(playSteps(kept, given))) {
        if (state.health !== 'error') continue;
        expect(change).toBeNull();
        expect(state.phase).toBe(before?.state.phase ?? 'ok');
      }
    }),
  );
});

test('a firing follows `for` of breaches and stays the cooldown away from the one before', () => {
  fc.assert(
    fc.property(plays, ([rule, given]) => {
      const quiet: CompiledRule = { ...rule, noData: 'keep', onError: 'keep' };
      let last: Played | null = null;
      let breachingMs = 0;
      const steps = playSteps(
        quiet,
        given.map((one) => (one === 'W' ? 'B' : one)),
      );
      for (const [before, step] of pairs(steps)) {
        const symbolThen = given[(step.slotMs - START) / MINUTE];
        const wasPending = before?.state.phase === 'pending';
        if (symbolThen === 'B' || symbolThen === 'W')
          breachingMs += wasPending && before !== undefined && step.slotMs - before.slotMs <= MINUTE ? MINUTE : 0;
        if (step.change?.kind === 'fired') {
          expect(breachingMs).toBeGreaterThanOrEqual(quiet.forMs);
          if (last !== null) expect(step.slotMs - last.slotMs).toBeGreaterThanOrEqual(quiet.cooldownMs);
          last = step;
        }
        if (step.state.phase !== 'pending') breachingMs = 0;
      }
    }),
    { numRuns: 500 },
  );
});

test('a restart before any slot changes nothing: state survives as JSON, its keys in another order', () => {
  const stored = (state: SeriesState): SeriesState =>
    JSON.parse(JSON.stringify(Object.fromEntries(Object.entries(state).toReversed()))) as SeriesState;
  fc.assert(
    fc.property(plays, ([rule, given]) => {
      expect(playSteps(rule, given, stored)).toEqual(playSteps(rule, given));
    }),
  );
});

test('saving only what needs saving leaves the same phases, reasons and changes', () => {
  fc.assert(
    fc.property(plays, ([rule, given]) => {
      let saved: SeriesState | null = null;
      const lazily = playSteps(rule, given, (state) => (saved === null || needsSaving(saved, state) ? (saved = state) : saved));
      const said = (steps: readonly Played[]): unknown[] => steps.map(({ state, change, reason }) => [state.phase, change, reason]);
      expect(said(lazily)).toEqual(said(playSteps(rule, given)));
    }),
  );
});

test('the same input gives the same step, and what was given is left alone', () => {
  fc.assert(
    fc.property(plays, ([rule, given]) => {
      const freeze = (state: SeriesState): SeriesState => Object.freeze({ ...state, lastFired: Object.freeze({ ...state.lastFired }) });
      expect(playSteps(rule, given, freeze)).toEqual(playSteps(rule, given));
    }),
  );
});
