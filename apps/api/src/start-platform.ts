import { recordOwnEvents } from '@tocsin/pipeline';
import type { ShutdownStack } from '@tocsin/runtime';
import { AppError, ensurePlatform, type Services } from '@tocsin/services';

const AGAIN_MS = 5_000;
const EVERY_MS = 30_000;

/** Makes the installation's own tenant, and tells it every half minute how many events this process took in. Ends with the stack. */
export function startPlatform(services: Services, stack: ShutdownStack): void {
  const closing = new AbortController();
  const running = run(services, closing.signal);
  stack.defer('platform', async () => {
    closing.abort();
    await running;
  });
}

async function run(services: Services, signal: AbortSignal): Promise<void> {
  const { clock, db, logger } = services;
  for (let isMade = false; !isMade && !signal.aborted;) {
    isMade = await make(services);
    if (!isMade) await clock.sleep(AGAIN_MS, signal);
  }
  let before = await takenIn(services);
  while (!signal.aborted) {
    await clock.sleep(EVERY_MS, signal);
    if (signal.aborted) return;
    const now = await takenIn(services);
    const measures = { accepted: now - before };
    await recordOwnEvents(db, [{ name: 'tocsin.ingest', dims: {}, measures }]).then(
      () => (before = now),
      (error: unknown) => logger.warn({ err: error }, 'how many events came in could not be recorded; it is told next time'),
    );
  }
}

/** True also where it can never be made: that another tenant has its name does not end by itself. */
async function make(services: Services): Promise<boolean> {
  try {
    await ensurePlatform(services);
    return true;
  } catch (error) {
    const isRefused = error instanceof AppError && error.status < 500;
    services.logger.warn(
      { err: error },
      isRefused ? 'the platform has no tenant of its own' : 'the platform’s tenant could not be made; trying again',
    );
    return isRefused;
  }
}

async function takenIn({ metrics }: Services): Promise<number> {
  const { values } = await metrics.ingestEvents.get();
  return values.reduce((sum, { labels, value }) => sum + (labels.result === 'accepted' ? value : 0), 0);
}
