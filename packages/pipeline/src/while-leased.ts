import type { PipelineDeps } from './pipeline-deps.ts';

/** Short, so that the work of a process that died is taken up soon; whoever works longer renews it. */
export const LEASE_MS = 10_000;
const RENEW_EVERY_MS = 3_000;

/** Keeps a lease alive while `work` runs. A renewal that fails is only logged: the fence at the commit decides whose work counts. */
export async function whileLeased<T>({ clock, logger }: PipelineDeps, renew: () => Promise<unknown>, work: () => Promise<T>): Promise<T> {
  const finished = new AbortController();
  const renewing = renewUntil(finished.signal);
  try {
    return await work();
  } finally {
    finished.abort();
    await renewing;
  }

  async function renewUntil(signal: AbortSignal): Promise<void> {
    for (;;) {
      await clock.sleep(RENEW_EVERY_MS, signal);
      if (signal.aborted) return;
      await renew().catch((error: unknown) => logger.warn({ err: error }, 'a lease was not renewed'));
    }
  }
}
