import type { ShutdownStack } from '@tocsin/runtime';
import { applyDefaults, type Defaults, type Services } from '@tocsin/services';

const AGAIN_MS = 5_000;

/** Gives all tenants what the installation's file says while requests are answered already, and again until it has worked. Ends with the stack. */
export function startDefaults(services: Services, defaults: Defaults, stack: ShutdownStack): void {
  const closing = new AbortController();
  const giving = give(services, defaults, closing.signal);
  stack.defer('default rules', async () => {
    closing.abort();
    await giving;
  });
}

async function give(services: Services, defaults: Defaults, signal: AbortSignal): Promise<void> {
  const { clock, logger } = services;
  while (!signal.aborted) {
    try {
      const tenants = await applyDefaults(services, defaults, signal);
      if (tenants > 0) logger.info({ tenants }, 'default rules given');
      return;
    } catch (error) {
      logger.warn({ err: error }, 'the default rules could not be given; trying again');
      await clock.sleep(AGAIN_MS, signal);
    }
  }
}
