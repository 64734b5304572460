import { type DeliveryDeps, type HeartbeatOptions, startDispatcher, startHeartbeat } from '@tocsin/pipeline';
import type { ShutdownStack } from '@tocsin/runtime';

/**
 * Plans and sends until the stack is unwound. Resolves once hints are being taken.
 * @param heartbeat null: nobody outside is told that all is well
 */
export async function startDispatch(deps: DeliveryDeps, stack: ShutdownStack, heartbeat: HeartbeatOptions | null = null): Promise<void> {
  const dispatcher = startDispatcher(deps);
  stack.defer('dispatcher', () => dispatcher.close());
  await dispatcher.ready();
  if (heartbeat === null) return;
  const beating = startHeartbeat(deps, heartbeat);
  stack.defer('heartbeat', () => beating.close());
}
