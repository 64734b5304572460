import type { Schedule } from '@tocsin/contracts';
import { databaseNow, refreshSchedule, setSchedule } from '@tocsin/db';
import { audit } from '../audit.ts';
import { boundsOf } from '../bounds.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { verb } from '../verb.ts';
import { readScheduleBody } from './read-schedule-body.ts';
import { showSchedule } from './show-schedule.ts';

/** Sets the whole schedule, from its next slot on; what is not sent is the default. */
export const putSchedule = verb('schedule:write', async ({ ctx, input }: { ctx: Context; input: { body: unknown } }): Promise<Schedule> => {
  const { tenantId } = ctx;
  const leastMs = boundsOf(ctx).rule.minEveryMs;
  return change(ctx, async (tx) => {
    const settings = readScheduleBody(input.body, { leastMs, nowMs: await databaseNow(tx) });
    await setSchedule(tx, tenantId, settings);
    await refreshSchedule(tx, tenantId);
    const schedule = await showSchedule(tx, tenantId);
    const { every, debounce, timeZone, cron, activeHours, pausedUntil } = schedule;
    await audit(tx, ctx, 'schedule.updated', tenantId, { every, debounce, timeZone, cron, activeHours, pausedUntil });
    return schedule;
  });
});
