import { expect, test } from 'vitest';
import { escalationDue, type EscalationPolicy } from './escalation.ts';

const MINUTE = 60_000;
const OPENED = Date.UTC(2026, 10, 27, 10);
const steps = [
  { afterMs: 5 * MINUTE, channels: ['team'] },
  { afterMs: 15 * MINUTE, channels: ['lead', 'phone'] },
];
const all = (policy: EscalationPolicy): [number, string][] => {
  const told: [number, string][] = [];
  for (let step = 0; ; step += 1) {
    const due = escalationDue(policy, step, OPENED);
    if (due === null) return told;
    expect(due.dueMs).toBe(OPENED + due.afterMs);
    told.push([due.afterMs / MINUTE, due.channels.join()]);
  }
};

test.each<[string, EscalationPolicy['repeat'], [number, string][]]>([
  [
    'without repeats ends with its last step',
    null,
    [
      [5, 'team'],
      [15, 'lead,phone'],
    ],
  ],
  [
    'repeats its last step',
    { everyMs: 10 * MINUTE, times: 2 },
    [
      [5, 'team'],
      [15, 'lead,phone'],
      [25, 'lead,phone'],
      [35, 'lead,phone'],
    ],
  ],
])('a policy %s', (_, repeat, expected) => {
  expect(all({ steps, repeat })).toEqual(expected);
});
