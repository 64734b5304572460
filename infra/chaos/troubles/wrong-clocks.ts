import { join } from 'node:path';

const PRELOAD = join(import.meta.dirname, '../shift-clock.ts');

/** The environment of a process on a machine whose clock is wrong by so much. */
export const wrongClock = (shiftMs: number): Record<string, string> => ({
  NODE_OPTIONS: `--import=${PRELOAD}`,
  TOCSIN_TEST_CLOCK_SHIFT_MS: String(shiftMs),
});
