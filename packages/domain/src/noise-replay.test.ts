import { expect, test } from 'vitest';
import { comparison, HOUR, MINUTE, ruleOf } from '../test/a-rule.ts';
import { onlySeries, readings, replayOf } from '../test/replay.ts';

/** Twelve hours of 98 and 102 by turns, a minute each. */
const OSCILLATING = Array.from({ length: (12 * HOUR) / MINUTE }, (_, minute) => (minute % 2 === 0 ? 98 : 102));

function toldOf(over: object, condition: object = {}): { fired: number; resolved: number; open: boolean } {
  const rule = ruleOf({ condition: comparison({ threshold: 100, ...condition }), ...over });
  const { changes, firing } = onlySeries(replayOf(rule, [readings(OSCILLATING)]));
  return {
    fired: changes.filter(({ change }) => change.kind === 'fired').length,
    resolved: changes.filter(({ change }) => change.kind === 'resolved').length,
    open: firing.at(-1)?.to === null,
  };
}

const ATONCE = { cooldown: '0s' };

test('a value that swings around its threshold is one alert with recover, and hundreds the naive way', () => {
  const naive = toldOf({ ...ATONCE, flapping: 'off' });
  expect(naive).toEqual({ fired: 360, resolved: 359, open: true });
  expect(toldOf({ ...ATONCE, flapping: 'off' }, { recover: 90 })).toEqual({ fired: 1, resolved: 0, open: true });
  expect(toldOf(ATONCE, { recover: 90 })).toEqual({ fired: 1, resolved: 0, open: true });
});

test('without recover flapping folds it into one after the first few, the cooldown alone into one an hour, both into two', () => {
  const flapping = toldOf(ATONCE);
  expect(flapping).toEqual({ fired: 4, resolved: 3, open: true });
  expect(toldOf({ flapping: 'off' })).toEqual({ fired: 12, resolved: 12, open: false });
  expect(toldOf({})).toEqual({ fired: 2, resolved: 1, open: true });
});

test('with recover it is no flapping: the series never changes', () => {
  const rule = ruleOf({ condition: comparison({ threshold: 100, recover: 90 }), ...ATONCE });
  const { points } = onlySeries(replayOf(rule, [readings(OSCILLATING)]));
  expect(points.filter(({ reason }) => reason === 'flapping')).toEqual([]);
});
