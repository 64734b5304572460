import type { Standing } from '@tocsin/db';
import { expect, test } from 'vitest';
import { troublesOf } from './all-is-well.ts';

const WELL: Standing = {
  slotsLateMs: 0,
  runsAgeMs: 900,
  triggersAgeMs: 0,
  deliveriesLateMs: 60_000,
  retrying: 4,
  channelsFailing: 1,
  dead: 2,
};

test.each<[string, Partial<Standing>, Parameters<typeof troublesOf>[1], string[]]>([
  ['nothing waits for long: well, whatever receivers do', {}, null, []],
  ['the latest drill passed', {}, { status: 'passed' }, []],
  ['the latest drill failed', {}, { status: 'failed' }, ['the latest scheduled fire drill failed']],
  ['no scheduler', { slotsLateMs: 61_000 }, null, ['slots are late: 61 s']],
  ['no evaluator', { runsAgeMs: 90_000 }, null, ['runs wait to be evaluated: 90 s']],
  [
    'no dispatcher',
    { triggersAgeMs: 70_000, deliveriesLateMs: 75_000 },
    null,
    ['the outbox is not drained: 70 s', 'deliveries are overdue: 75 s'],
  ],
])('%s', (_name, change, drill, expected) => {
  expect(troublesOf({ ...WELL, ...change }, drill)).toEqual(expected);
});
