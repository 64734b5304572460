import fc from 'fast-check';
import { expect, test } from 'vitest';
import { escalationNow } from './escalation-now.ts';

const MINUTE = 60_000;
const policy = {
  steps: [
    { afterMs: 5 * MINUTE, channels: ['lead'] },
    { afterMs: 15 * MINUTE, channels: ['lead', 'boss'] },
  ],
  repeat: { everyMs: 10 * MINUTE, times: 2 },
};
const at = (step: number, minutes: number) => {
  const { told, nextStep, nextMs } = escalationNow(policy, step, 1_000, 1_000 + minutes * MINUTE);
  return [told?.channels ?? null, nextStep, nextMs === null ? null : (nextMs - 1_000) / MINUTE];
};

test.each([
  ['nobody before the first is due', 0, 4, [null, 0, 5]],
  ['the first to the instant', 0, 5, [['lead'], 1, 15]],
  ['the second', 1, 15, [['lead', 'boss'], 2, 25]],
  ['the last once more', 2, 25, [['lead', 'boss'], 3, 35]],
  ['and a last time', 3, 35, [['lead', 'boss'], 4, null]],
  ['then nobody', 4, 1_000, [null, 4, null]],
  ['what has passed is one', 0, 16, [['lead', 'boss'], 2, 25]],
  ['with the repeats', 0, 1_000, [['lead', 'boss'], 4, null]],
])('%s', (_name, step, minutes, expected) => {
  expect(at(step, minutes)).toEqual(expected);
});

test('whenever it is looked at, no step is told twice and none is left out', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 20 }), (waits) => {
      let [step, minutes] = [0, 0];
      const seen: number[] = [];
      for (const wait of [...waits, 1_000]) {
        minutes += wait;
        const { told, nextStep } = escalationNow(policy, step, 0, minutes * MINUTE);
        if (told !== null) for (let each = step; each <= told.lastStep; each += 1) seen.push(each);
        step = nextStep;
      }
      expect(seen).toEqual([0, 1, 2, 3]);
    }),
  );
});
