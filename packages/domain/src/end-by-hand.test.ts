import { describe, expect, test } from 'vitest';
import { advance, firstState, type StepRule } from './advance.ts';
import { endByHand } from './end-by-hand.ts';
import type { Judgement, SeriesState, Verdict } from './series-state.ts';
import type { Severity } from './severity.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const RULE: StepRule = {
  groupBy: [],
  forMs: 0,
  keepFiringForMs: 0,
  cooldownMs: HOUR,
  noData: 'alert',
  onError: 'alert',
  flapping: { changes: 3, withinMs: HOUR },
  newSeriesGraceMs: 0,
};

function judgement(verdict: Verdict, severity: Severity = 'warning'): Judgement {
  const rank = severity === 'critical' ? 3 : 1;
  return {
    seriesKey: '{}',
    labels: {},
    verdict,
    whileFiring: verdict,
    seen: true,
    severity,
    rank,
    held: { severity, rank },
    isAbsence: false,
    lead: { comparison: 0, value: 1, operator: '>', threshold: 0, samples: 1, origin: null, notReady: null },
  };
}

interface Played {
  state: SeriesState;
  told: [minute: number, kind: string][];
  reasons: string[];
}

/** Takes a series over the minutes up to `to`, the last included. */
function play(state: SeriesState, from: number, to: number, what: Judgement, rule: StepRule = RULE): Played {
  const played: Played = { state, told: [], reasons: [] };
  for (let minute = from; minute <= to; minute += 1) {
    const step = advance(played.state, what, rule, { slotMs: minute * MINUTE, previousSlotMs: (minute - 1) * MINUTE, everyMs: MINUTE });
    played.state = step.state;
    played.reasons.push(step.reason);
    if (step.change !== null) played.told.push([minute, step.change.kind]);
  }
  return played;
}

const firing = (minutes: number, what: Judgement = judgement('breach')): SeriesState => play(firstState(0), 0, minutes, what).state;

describe('a breach that goes on after its alert was ended by hand', () => {
  test('is recorded as in cooldown, and fires when that ends, counted from the firing', () => {
    const after = play(endByHand(firing(10), 10 * MINUTE, HOUR), 11, 70, judgement('breach'));
    expect(after.told).toEqual([[60, 'fired']]);
    expect(after.reasons.slice(0, 49).every((reason) => reason === 'cooldown')).toBe(true);
  });

  test('waits for a cooldown of its own where that of the firing is over', () => {
    const after = play(endByHand(firing(200), 200 * MINUTE, HOUR), 201, 300, judgement('breach'));
    expect(after.told).toEqual([[260, 'fired']]);
  });

  test('is told at once where it becomes worse than was told', () => {
    const after = play(endByHand(firing(10), 10 * MINUTE, HOUR), 11, 12, judgement('breach', 'critical'));
    expect(after.told).toEqual([[11, 'fired']]);
  });

  test('fires at the next slot of a rule without a cooldown', () => {
    const rule = { ...RULE, cooldownMs: 0 };
    expect(play(endByHand(firing(10), 10 * MINUTE, 0), 11, 12, judgement('breach'), rule).told).toEqual([[11, 'fired']]);
  });

  test('fires when it comes again after the cooldown, and not before', () => {
    const clear = play(endByHand(firing(10), 10 * MINUTE, HOUR), 11, 20, judgement('clear'));
    expect([clear.told, clear.state.phase]).toEqual([[], 'ok']);
    expect(play(clear.state, 21, 70, judgement('breach')).told).toEqual([[60, 'fired']]);
  });

  test('has to hold for `for` again', () => {
    const rule = { ...RULE, forMs: 5 * MINUTE, cooldownMs: 0 };
    expect(play(endByHand(firing(10), 10 * MINUTE, 0), 11, 20, judgement('breach'), rule).told).toEqual([[16, 'fired']]);
  });
});

test.each(['unknown', 'failed'] as const)('an alert on %s is ended like one on a breach', (verdict) => {
  const ended = endByHand(firing(10, judgement(verdict)), 10 * MINUTE, HOUR);
  expect([ended.phase, ended.alertType, ended.severityFired]).toEqual(['ok', null, null]);
  expect(play(ended, 11, 59, judgement(verdict)).told).toEqual([]);
});

test('a series that flapped is steady in the eyes of whoever ended its alert', () => {
  let state = firstState(0);
  for (let minute = 0; minute < 9; minute += 1)
    state = play(state, minute, minute, judgement(minute % 2 === 0 ? 'breach' : 'clear'), { ...RULE, cooldownMs: 0 }).state;
  expect(state.isFlapping).toBe(true);
  const ended = endByHand(state, 9 * MINUTE, HOUR);
  expect([ended.isFlapping, ended.flips]).toEqual([undefined, undefined]);
});

test.each<[string, SeriesState]>([
  ['ok', firstState(0)],
  ['pending', { ...firstState(0), phase: 'pending', alertType: 'threshold' }],
])('a series that is %s has nothing to end', (_phase, state) => {
  expect(endByHand(state, MINUTE, HOUR)).toBe(state);
});

test('one that recovers is ended like one that fires', () => {
  const rule = { ...RULE, keepFiringForMs: HOUR };
  const recovering = play(firing(10), 11, 12, judgement('clear'), rule).state;
  expect(recovering.phase).toBe('recovering');
  expect(endByHand(recovering, 12 * MINUTE, HOUR).phase).toBe('ok');
});
