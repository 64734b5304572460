import { type PipelineDeps, runScheduler } from '@tocsin/pipeline';
import type { DependencyChecks, ShutdownStack } from '@tocsin/runtime';

/** A scheduler looks for due work every other second at least; one that has not for so long is stuck, or its database is. */
const STUCK_MS = 15_000;

/**
 * Claims slots and sweeps until the stack is unwound. Answers what `/readyz` asks of it.
 * @param scheduler `external`: who claims slots is somebody else
 */
export function startScheduler(deps: PipelineDeps, stack: ShutdownStack, scheduler: 'internal' | 'external'): DependencyChecks {
  const stopping = new AbortController();
  let lastLookMs = deps.clock.now();
  const looked = (): void => {
    lastLookMs = deps.clock.now();
  };
  const running = runScheduler(deps, stopping.signal, { claims: scheduler === 'internal', looked });
  stack.defer('scheduler', async () => {
    stopping.abort();
    await running;
  });
  return {
    progress: async () => {
      if (deps.clock.now() - lastLookMs > STUCK_MS) throw new Error('no look for due work has worked lately');
    },
  };
}
