import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import type { Target } from '../storm.ts';

const ASKED_FOR = 150;
const BETWEEN_MS = 5_000;

/** Somebody else takes every connection that PostgreSQL has left, and holds them for `ms`; `times` times. */
export function connectionsTaken(times: number, ms: number): (target: Target) => Promise<void> {
  return async ({ appUrl }) => {
    for (let time = 0; time < times; time += 1) {
      await sleep(BETWEEN_MS);
      const hog = postgres(appUrl, { max: ASKED_FOR, onnotice: () => {} });
      const taken = Array.from({ length: ASKED_FOR }, () => hog`select pg_sleep(${ms / 1_000}::float8)`);
      await Promise.allSettled(taken);
      await hog.end({ timeout: 1 });
    }
  };
}
