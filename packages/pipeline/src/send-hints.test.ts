import { newId } from '@tocsin/db';
import type { Queues } from '@tocsin/queue';
import { createLogger, createMetrics } from '@tocsin/runtime';
import { expect, test } from 'vitest';
import { hintRuns } from './send-hints.ts';

interface Run {
  tenantId: string;
  runId: string;
}

/** How the runs are shared out. */
async function hinted(runs: readonly Run[]): Promise<Run[][]> {
  const groups: Run[][] = [];
  const send = async (payloads: readonly { runs: Run[] }[]): Promise<void> => void groups.push(...payloads.map((each) => each.runs));
  const queues = { producer: () => ({ send }) } as unknown as Queues;
  await hintRuns({ queues, logger: createLogger('test', 'silent'), metrics: createMetrics('test') }, runs);
  return groups;
}

test.each([
  [0, 0, 0],
  [1, 1, 1],
  [5, 5, 1],
  [20, 7, 3],
  [200, 8, 25],
  [1_000, 40, 25],
])('%i runs go in %i hints of up to %i, each of them in one', async (count, hints, most) => {
  const runs = Array.from({ length: count }, () => ({ tenantId: newId(), runId: newId() }));
  const groups = await hinted(runs);
  expect(groups).toHaveLength(hints);
  expect(Math.max(0, ...groups.map((group) => group.length))).toBe(most);
  expect(groups.flat()).toEqual(runs);
});
