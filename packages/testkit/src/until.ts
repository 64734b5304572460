import { setTimeout as sleep } from 'node:timers/promises';

/** What `look` answers once it no longer throws; its last error when it still does after `timeoutMs`. Works outside of a test runner too. */
export async function until<T>(look: () => T | Promise<T>, timeoutMs: number, everyMs = 50): Promise<T> {
  const giveUpAtMs = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (performance.now() >= giveUpAtMs) throw error;
    }
    await sleep(everyMs);
  }
}
