import { readStanding, withPipeline } from '@tocsin/db';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { recordOwnEvents } from './own-events.ts';

/** Writes down how the installation stands, for the rules of its own tenant. */
export async function measurePlatform({ db, queues, logger }: PipelineDeps): Promise<void> {
  const standing = await withPipeline(db, (sql) => readStanding(sql));
  const depths = await queues.depth().catch((error: unknown) => {
    logger.warn({ err: error }, 'the queues do not say how deep they are');
    return {};
  });
  const { slotsLateMs, runsAgeMs, triggersAgeMs, deliveriesLateMs, retrying, channelsFailing, dead } = standing;
  await recordOwnEvents(db, [
    {
      name: 'tocsin.platform',
      dims: {},
      measures: {
        evaluation_lag_ms: Math.max(slotsLateMs, runsAgeMs),
        outbox_lag_ms: triggersAgeMs,
        deliveries_late_ms: deliveriesLateMs,
        deliveries_retrying: retrying,
        channels_failing: channelsFailing,
        dead_5m: dead,
      },
    },
    ...Object.entries(depths).map(([queue, { waiting, oldestWaitingMs }]) => ({
      name: 'tocsin.queue',
      dims: { queue },
      measures: { waiting, oldest_waiting_ms: oldestWaitingMs ?? 0 },
    })),
  ]);
}
