import { type PipelineDeps, runScheduler } from '@tocsin/pipeline';
import type { DependencyChecks, ShutdownStack } from '@tocsin/runtime';

/** A scheduler looks for due slots every second; one that has not for so long is stuck, or its database is. */
const STUCK_MS = 15_000;

/** Claims slots and sweeps until the stack is unwound. Answers what `/readyz` asks of it. */
export function startScheduler(deps: PipelineDeps, stack: ShutdownStack): DependencyChecks {
  const stopping = new AbortController();
  let lastClaimMs = deps.clock.now();
  const running = runScheduler(deps, stopping.signal, () => {
    lastClaimMs = deps.clock.now();
  });
  stack.defer('scheduler', async () => {
    stopping.abort();
    await running;
  });
  return {
    progress: async () => {
      if (deps.clock.now() - lastClaimMs > STUCK_MS) throw new Error('no look for due slots has worked lately');
    },
  };
}
