import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '@tocsin/domain';

/** The machine's clock. Only for waiting and for showing: what the pipeline decides by is the database's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
};
