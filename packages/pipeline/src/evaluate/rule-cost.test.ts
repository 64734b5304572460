import { expect, test } from 'vitest';
import { costToWrite, costWritten, noteLook, type Look } from './rule-cost.ts';
import type { EvaluableRule } from './rule-cache.ts';

const MINUTE = 60_000;
const look = (ms: number, more: Partial<Look> = {}): Look => ({ ms, segments: 5, events: 100, series: 1, ...more });
const aRule = (): EvaluableRule => ({ id: 'r' }) as EvaluableRule;

/** Looks at the rule every minute; answers in which minutes its cost was written. */
function play(rule: EvaluableRule, looks: readonly Look[], fromMinute = 0): number[] {
  return looks.flatMap((each, index) => {
    const minute = fromMinute + index;
    noteLook(rule, { ...each }, minute * MINUTE);
    const cost = costToWrite(rule);
    if (cost === null) return [];
    costWritten(rule, cost);
    return [minute];
  });
}

test('a cost that stays is written once, and again after six hours', () => {
  const rule = aRule();
  expect(
    play(
      rule,
      Array.from({ length: 721 }, () => look(2)),
    ),
  ).toEqual([0, 360, 720]);
});

test('a cost that jumps about by less than half is not written again', () => {
  const rule = aRule();
  expect(
    play(
      rule,
      Array.from({ length: 300 }, (_, minute) => look(minute % 2 === 0 ? 2 : 2.8)),
    ),
  ).toEqual([0]);
});

test('one that moved by more than half is, five minutes later at the earliest', () => {
  const rule = aRule();
  play(rule, [look(2), look(2)]);
  expect(
    play(
      rule,
      Array.from({ length: 20 }, () => look(9)),
      2,
    ),
  ).toEqual([5, 12]);
});

test('what the first look of a process takes does not weigh on the average', () => {
  const rule = aRule();
  play(rule, [look(900, { events: 1e6 }), look(2), look(2)]);
  for (let minute = 3; minute < 5; minute += 1) noteLook(rule, look(2), minute * MINUTE);
  noteLook(rule, look(4), 5 * MINUTE);
  expect(costToWrite(rule)).toEqual({ ms: 2.25, lastMs: 4, segments: 5, events: 100, series: 1, atMs: 5 * MINUTE });
});

test('tiny costs are not told apart', () => {
  const rule = aRule();
  expect(
    play(
      rule,
      Array.from({ length: 60 }, (_, minute) => look(0.01 * (minute % 30), { events: minute, segments: 1 })),
    ),
  ).toEqual([0]);
});
