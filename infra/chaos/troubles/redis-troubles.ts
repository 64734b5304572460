import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisServer } from '@tocsin/testkit';
import type { Target } from '../storm.ts';

type Trouble = (target: Target) => Promise<void>;

/** FLUSHALL, `times` times. */
export const flushes =
  (redis: RedisServer, times: number, everyMs: number): Trouble =>
  async ({ dice }) => {
    for (let flushed = 0; flushed < times; flushed += 1) {
      await sleep(dice.between(0, 2 * everyMs));
      await redis.flush();
    }
  };

/** Gone for `ms`, and back with nothing of what it held. */
export const absence =
  (redis: RedisServer, ms: number): Trouble =>
  async () => {
    await sleep(LEAD_MS);
    await redis.kill();
    await sleep(ms);
    await redis.restart();
  };

/** It takes no more writes for `ms`, but answers. */
export const fullMemory =
  (redis: RedisServer, ms: number): Trouble =>
  async () => {
    await sleep(LEAD_MS);
    await redis.configure('maxmemory', '1');
    await sleep(ms);
    await redis.configure('maxmemory', '0');
  };

/** Of load before the fault. */
const LEAD_MS = 3_000;
