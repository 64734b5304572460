import { PutSchedule, type Schedule } from '@tocsin/contracts';
import { findSchedule, refreshSchedule, setScheduleEvery } from '@tocsin/db';
import { parseDuration } from '@tocsin/domain';
import { invalid, notFound } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewSchedule } from './schedule-view.ts';

const EVERY_MIN_MS = 10_000;
const EVERY_MAX_MS = 86_400_000;

/** Sets how often rules without an `every` of their own are looked at, from their next slot on. */
export const putSchedule = verb('schedule:write', async ({ ctx, input }: { ctx: Context; input: { body: unknown } }): Promise<Schedule> => {
  const { every } = parse(PutSchedule, input.body);
  const everyMs = parseDuration(every);
  if (everyMs === null || everyMs < EVERY_MIN_MS || everyMs > EVERY_MAX_MS) {
    throw invalid([{ pointer: '/every', code: 'bad_duration', message: 'must be a duration from 10s to 24h, such as 30s or 5m' }]);
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
