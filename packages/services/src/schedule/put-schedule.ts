import { PutSchedule, type Schedule } from '@tocsin/contracts';
import { findSchedule, refreshSchedule, setScheduleEvery } from '@tocsin/db';
import { formatDuration, parseDuration, RULE_BOUNDS } from '@tocsin/domain';
import { invalid, notFound } from '../app-error.ts';
import { audit } from '../audit.ts';
import { boundsOf } from '../bounds.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewSchedule } from './schedule-view.ts';

/** Sets how often rules without an `every` of their own are looked at, from their next slot on. */
export const putSchedule = verb('schedule:write', async ({ ctx, input }: { ctx: Context; input: { body: unknown } }): Promise<Schedule> => {
  const { every } = parse(PutSchedule, input.body);
  const everyMs = parseDuration(every);
  const [leastMs, mostMs] = [boundsOf(ctx).rule.minEveryMs, RULE_BOUNDS.maxEveryMs];
  if (everyMs === null || everyMs < leastMs || everyMs > mostMs) {
    const message = `must be a duration from ${formatDuration(leastMs)} to ${formatDuration(mostMs)}, such as 30s or 5m`;
    throw invalid([{ pointer: '/every', code: 'bad_duration', message }]);
  }
  return change(ctx, async (tx) => {
    await setScheduleEvery(tx, ctx.tenantId, everyMs);
    await refreshSchedule(tx, ctx.tenantId);
    await audit(tx, ctx, 'schedule.updated', ctx.tenantId, { every });
    const row = await findSchedule(tx, ctx.tenantId);
    if (row === null) throw notFound('schedule');
    return viewSchedule(row);
  });
});
