import { type DeliveryDeps, startDispatcher } from '@tocsin/pipeline';
import type { ShutdownStack } from '@tocsin/runtime';

/** Plans and sends until the stack is unwound. Resolves once hints are being taken. */
export async function startDispatch(deps: DeliveryDeps, stack: ShutdownStack): Promise<void> {
  const dispatcher = startDispatcher(deps);
  stack.defer('dispatcher', () => dispatcher.close());
  await dispatcher.ready();
}
