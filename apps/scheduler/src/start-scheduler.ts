import { type PipelineDeps, runScheduler } from '@tocsin/pipeline';
import type { ShutdownStack } from '@tocsin/runtime';

/** Claims slots and sweeps until the stack is unwound. */
export function startScheduler(deps: PipelineDeps, stack: ShutdownStack): void {
  const stopping = new AbortController();
  const running = runScheduler(deps, stopping.signal);
  stack.defer('scheduler', async () => {
    stopping.abort();
    await running;
  });
}
