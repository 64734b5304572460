import { setTimeout as sleep } from 'node:timers/promises';

/** True when the promise settles in time; whether it is fulfilled is passed on, what comes later is dropped. */
export async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const late = sleep(ms, false, { signal: timer.signal }).catch(() => false);
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    timer.abort();
  }
}
