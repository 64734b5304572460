import { redisProgram } from '@tocsin/testkit';
import { describe, expect, test } from 'vitest';
import { chosenSeed } from '../chaos/dice.ts';
import { STORIES } from '../chaos/stories.ts';

/** Each on the queue that it is hardest for, and no longer than it takes; `npm run chaos` tells them at length, on both. */
const TOLD = [
  ['postgres-restarts', 'postgres', 0.9],
  ['clocks', 'postgres', 0.5],
  ['redis-flushed', 'redis', 0.5],
] as const;

describe.for(TOLD)('%s, on %s', ([story, backend, scale]) => {
  const seed = chosenSeed();
  test.skipIf(backend === 'redis' && redisProgram === null)(
    `breaks no promise (TOCSIN_TEST_SEED=${seed})`,
    { timeout: 900_000 },
    async () => {
      const report = await STORIES[story].tell({ backend, seed, scale });
      expect(report.broken, JSON.stringify(report)).toEqual([]);
    },
  );
});
