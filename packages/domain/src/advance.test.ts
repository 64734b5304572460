import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE, ruleOf } from '../test/a-rule.ts';
import { heard, judgementOf, phases, playSteps, reasons, START, symbolsOf } from '../test/play.ts';
import { advance, firstState, needsSaving } from './advance.ts';
import type { SeriesState } from './series-state.ts';

const free = { cooldown: '0s' };
const atOnce = ruleOf(free);
const patient = ruleOf({ ...free, for: '2m' });
const sticky = ruleOf({ ...free, keepFiringFor: '2m' });

describe('firing', () => {
  test('happens at the first breach where no `for` is asked', () => {
    expect(phases(atOnce, 'C B B')).toBe('off');
    expect(heard(atOnce, 'C B B')).toEqual(['1 fired']);
    expect(reasons(atOnce, 'C B B')).toEqual(['clear', 'fired', 'still_firing']);
  });

  test('waits until the breach has held for two minutes', () => {
    expect(phases(patient, 'B B B B')).toBe('ppff');
    expect(heard(patient, 'B B B B')).toEqual(['2 fired']);
    expect(reasons(patient, 'B B B B')).toEqual(['breach', 'holding', 'fired', 'still_firing']);
  });

  test('starts waiting anew after one clear slot', () => {
    expect(phases(patient, 'B B C B B B')).toBe('ppoppf');
  });

  test('is told once for as long as it lasts', () => {
    expect(heard(atOnce, 'B'.repeat(500))).toEqual(['0 fired']);
  });
});

describe('observed time', () => {
  test.each([
    ['without data', 'B . . B B', ['4 fired']],
    ['with a failing query', 'B F F B B', ['4 fired']],
    ['nobody looked at', 'B - - B B B', ['5 fired']],
    ['of too few samples', 'B ~ ~ B B', ['4 fired']],
  ])('%s is no part of `for`', (_what, symbols, expected) => {
    expect(heard(patient, symbols)).toEqual(expected);
  });

  test('a slot up to one and a half steps late leaves no gap', () => {
    const at = (minutes: number, before: SeriesState, previous: number) =>
      advance(before, judgementOf('B'), patient, {
        slotMs: START + minutes * MINUTE,
        previousSlotMs: START + previous * MINUTE,
        everyMs: MINUTE,
      }).state;
    const pending = at(0, firstState(START), -1);
    expect(at(1.5, pending, 0).unobservedMs).toBe(0);
    expect(at(1.51, pending, 0).unobservedMs).toBe(1.51 * MINUTE);
  });

  test('keepFiringFor counts clear slots alone', () => {
    expect(heard(sticky, 'B C . . C C')).toEqual(['0 fired', '5 resolved recovered']);
    expect(heard(sticky, 'B C F F C C')).toEqual(['0 fired', '5 resolved recovered']);
    expect(heard(sticky, 'B C - - C C C')).toEqual(['0 fired', '6 resolved recovered']);
  });
});

describe('resolving', () => {
  test('happens at the first clear slot where no keepFiringFor is asked', () => {
    expect(heard(atOnce, 'B C B C')).toEqual(['0 fired', '1 resolved recovered', '2 fired', '3 resolved recovered']);
  });

  test('waits until the series has been clear for two minutes', () => {
    expect(phases(sticky, 'B C C C')).toBe('frro');
    expect(reasons(sticky, 'B C C C')).toEqual(['fired', 'recovering', 'recovering', 'resolved']);
  });

  test('a breach while recovering is the same episode', () => {
    expect(phases(sticky, 'B C B C C C')).toBe('frfrro');
    expect(heard(sticky, 'B C B C C C')).toEqual(['0 fired', '5 resolved recovered']);
  });

  test('a value between recover and the threshold keeps an alert open and opens none', () => {
    expect(phases(atOnce, 'H B H H C H')).toBe('offfoo');
  });

  test('an oscillation around the threshold is one alert with recover and ten without', () => {
    const oscillation = 'BH'.repeat(10);
    expect(heard(atOnce, oscillation)).toEqual(['0 fired']);
    const naive = { ...atOnce, flapping: null };
    expect(heard(naive, oscillation.replaceAll('H', 'C'))).toHaveLength(20);
  });
});

describe('the cooldown', () => {
  const cooled = ruleOf({ cooldown: '10m' });

  test('holds a second breach back, on record, and lets it fire at its end if it still holds', () => {
    const symbols = 'B C B B B B B B B B B';
    expect(heard(cooled, symbols)).toEqual(['0 fired', '1 resolved recovered', '10 fired']);
    expect(reasons(cooled, symbols).slice(2, 10)).toEqual(Array.from({ length: 8 }, () => 'cooldown'));
    expect(phases(cooled, symbols)).toBe('foppppppppf');
  });

  test('a breach that is over by then was never told', () => {
    expect(heard(cooled, 'B C B B C C C C C C C C C')).toEqual(['0 fired', '1 resolved recovered']);
  });

  test('is pierced by a rise in severity, not by the same one', () => {
    expect(heard(cooled, 'B C B W')).toEqual(['0 fired', '1 resolved recovered', '3 fired']);
    expect(heard(cooled, 'W C W B')).toEqual(['0 fired', '1 resolved recovered']);
  });

  test('counts from the firing, not from the end of the alert', () => {
    expect(heard(cooled, 'BBBBBBBBBB C B')).toEqual(['0 fired', '10 resolved recovered', '11 fired']);
  });

  test('does not wait twice: `for` runs inside it', () => {
    expect(heard(ruleOf({ cooldown: '10m', for: '2m' }), 'BBB C BBBBBBBBBB')).toEqual(['2 fired', '3 resolved recovered', '12 fired']);
  });
});

describe('a rise in severity while firing', () => {
  test('escalates once, and a fall says nothing', () => {
    expect(heard(atOnce, 'B W W B W')).toEqual(['0 fired', '1 escalated']);
    expect(reasons(atOnce, 'B W W')).toEqual(['fired', 'escalated', 'still_firing']);
  });

  test('does not restart the cooldown', () => {
    expect(heard(ruleOf({ cooldown: '5m' }), 'B W C - - W')).toEqual(['0 fired', '1 escalated', '2 resolved recovered', '5 fired']);
  });
});

describe('no data', () => {
  test.each([
    ['keep', 'B . . .', 'ffff', ['0 fired'], 'no_data_kept'],
    ['keep', 'C . .', 'ooo', [], 'no_data_kept'],
    ['ok', 'B . .', 'foo', ['0 fired', '1 resolved no_data_ok'], 'no_data_ok'],
    ['alert', 'C . .', 'off', ['1 no_data'], 'no_data_alert'],
    ['alert', 'B . .', 'fff', ['0 fired'], 'no_data_alert'],
  ])('under noData %s: %s', (noData, symbols, phase, told, reason) => {
    const rule = ruleOf({ ...free, noData });
    expect(phases(rule, symbols)).toBe(phase);
    expect(heard(rule, symbols)).toEqual(told);
    expect(reasons(rule, symbols).at(-1)).toBe(reason);
  });

  test('is another axis than the phase', () => {
    expect(playSteps(atOnce, symbolsOf('B . F ~ B')).map(({ state }) => `${state.phase} ${state.health}`)).toEqual([
      'firing ok',
      'firing no_data',
      'firing error',
      'firing no_data',
      'firing ok',
    ]);
  });

  test('is told from too few samples', () => {
    expect(reasons(atOnce, '. ~')).toEqual(['no_data_kept', 'too_few_samples']);
  });

  test('resets a breach that waits under noData ok', () => {
    expect(phases(ruleOf({ ...free, for: '2m', noData: 'ok' }), 'B B . B B B')).toBe('ppoppf');
  });

  const loud = ruleOf({ ...free, noData: 'alert', for: '2m' });
  test('alerts after having been missing for as long as `for` says', () => {
    expect(heard(loud, 'C . . . C')).toEqual(['3 no_data', '4 resolved data_returned']);
  });

  test('a breach ends the alert on missing data and is told by itself', () => {
    expect(heard(ruleOf({ ...free, noData: 'alert' }), '. B B')).toEqual(['0 no_data', '1 resolved data_returned', '2 fired']);
  });

  test('recover is no concern of an alert on missing data', () => {
    expect(phases(ruleOf({ ...free, noData: 'alert' }), '. H')).toBe('fo');
  });

  test('its cooldown does not hold a breach back', () => {
    expect(heard(ruleOf({ cooldown: '60m', noData: 'alert' }), '. C B')).toEqual(['0 no_data', '1 resolved data_returned', '2 fired']);
    expect(heard(ruleOf({ cooldown: '60m', noData: 'alert' }), '. C .')).toEqual(['0 no_data', '1 resolved data_returned']);
  });
});

describe('errors', () => {
  test('neither fire nor resolve under onError keep', () => {
    expect(phases(atOnce, 'F F B F F C F')).toBe('oofffoo');
    expect(heard(atOnce, 'F F B F F C F')).toEqual(['2 fired', '5 resolved recovered']);
    expect(reasons(atOnce, 'F')).toEqual(['error_kept']);
  });

  const loud = ruleOf({ ...free, onError: 'alert' });
  test.each([
    ['C F F C', ['1 fired', '3 resolved query_answered']],
    ['F .', ['0 fired', '1 resolved query_answered']],
    ['F B B', ['0 fired', '1 resolved query_answered', '2 fired']],
    ['B F C', ['0 fired', '2 resolved recovered']],
  ])('alert under onError alert: %s', (symbols, expected) => {
    expect(heard(loud, symbols)).toEqual(expected);
  });

  test('make way for missing data, as another alert', () => {
    expect(heard(ruleOf({ ...free, onError: 'alert', noData: 'alert' }), 'F . .')).toEqual([
      '0 fired',
      '1 resolved query_answered',
      '2 no_data',
    ]);
  });
});

describe('a series that is gone', () => {
  const grouped = ruleOf({ ...free, groupBy: ['operation'] });
  const day = (symbol: string): string => symbol.repeat(24 * 60);

  test('resolves after 24 hours unseen, not a slot before', () => {
    expect(heard(grouped, `B ${day('.')}`)).toEqual(['0 fired', '1440 resolved series_gone']);
    expect(heard(grouped, `B ${day('.').slice(1)}`)).toEqual(['0 fired']);
  });

  test('is gone even where its absence counts as a breach', () => {
    const below = judgementOf('B');
    const before = playSteps(grouped, ['B'])[0]?.state ?? firstState(START);
    const step = advance(before, { ...below, seen: false }, grouped, {
      slotMs: START + 24 * HOUR,
      previousSlotMs: START + 24 * HOUR - MINUTE,
      everyMs: MINUTE,
    });
    expect(step).toMatchObject({ change: { kind: 'resolved', why: 'series_gone' }, reason: 'series_gone', state: { phase: 'ok' } });
  });

  test('is not gone while queries fail or nobody looks', () => {
    expect(heard(grouped, `B ${day('F')} F F`)).toEqual(['0 fired']);
    expect(heard(grouped, `B ${day('F')} .`)).toEqual(['0 fired']);
    expect(heard(grouped, `B ${day('-')} .`)).toEqual(['0 fired']);
  });

  test('is gone an hour after such a time, if it stays away', () => {
    expect(heard(grouped, `B ${day('-')} ${'.'.repeat(61)}`)).toEqual(['0 fired', '1501 resolved series_gone']);
  });

  test('that waits goes without a word', () => {
    expect(heard(ruleOf({ ...free, groupBy: ['operation'], for: '2m' }), `B ${day('.')}`)).toEqual([]);
  });

  test('is never the one series of a rule without group-by that alerts on missing data', () => {
    const loud = { ...free, noData: 'alert' };
    expect(heard(ruleOf(loud), `C . ${day('.')}`)).toEqual(['1 no_data']);
    expect(heard(ruleOf({ ...loud, groupBy: ['operation'] }), `C . ${day('.')}`).slice(0, 2)).toEqual([
      '1 no_data',
      '1440 resolved series_gone',
    ]);
  });
});

describe('what needs saving', () => {
  const seen: SeriesState = firstState(START);
  test.each<[string, SeriesState | null, SeriesState, boolean]>([
    ['a new series', null, seen, true],
    ['the same series a minute later', seen, { ...seen, lastSeenMs: START + MINUTE }, false],
    ['the same series an hour later', seen, { ...seen, lastSeenMs: START + HOUR }, true],
    ['another phase', seen, { ...seen, phase: 'pending' }, true],
    ['another health', seen, { ...seen, health: 'no_data' }, true],
    ['unobserved time', seen, { ...seen, unobservedMs: MINUTE }, true],
  ])('%s', (_what, before, after, is) => {
    expect(needsSaving(before, after)).toBe(is);
  });

  test('an alert that goes on costs no write', () => {
    const steps = playSteps(atOnce, symbolsOf('B B B'));
    expect(needsSaving(steps[1]?.state ?? null, steps[2]?.state ?? firstState(START))).toBe(false);
  });
});
