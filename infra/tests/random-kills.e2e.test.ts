import { describeQueues } from '@tocsin/testkit';
import { expect, test } from 'vitest';
import { chosenSeed } from '../chaos/dice.ts';
import { STORIES } from '../chaos/stories.ts';

describeQueues('kill -9 of anybody, fifty times', (backend) => {
  const seed = chosenSeed();
  test(`breaks no promise (TOCSIN_TEST_SEED=${seed})`, { timeout: 900_000 }, async () => {
    const report = await STORIES.kills.tell({ backend, seed, scale: 1 });
    expect(report.broken, JSON.stringify(report)).toEqual([]);
    expect(report.repeated, 'sends repeated').toBeLessThan(report.messages / 2);
  });
});
