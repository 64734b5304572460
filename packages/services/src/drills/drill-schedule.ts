import { type DrillSchedule, PutDrillSchedule } from '@tocsin/contracts';
import { databaseNow, deleteDrillSchedule as deleteRow, findDrillSchedule, saveDrillSchedule, withTenant } from '@tocsin/db';
import { type CronInstants, finestStep, isTimeZone, readCron } from '@tocsin/domain';
import { invalid, notFound } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { checkDrillChannels } from './check-drill-channels.ts';
import { viewDrillSchedule } from './drill-view.ts';

const STEP_MIN_MS = 3_600_000;

export const getDrillSchedule = verb('channels:read', async ({ ctx }: { ctx: Context; input: undefined }): Promise<DrillSchedule> => {
  const row = await withTenant(ctx.db, ctx.tenantId, (tx) => findDrillSchedule(tx, ctx.tenantId));
  if (row === null) throw notFound('drill schedule');
  return viewDrillSchedule(row);
});

/** Has drills take place by themselves. Those of the platform's own tenant are what the heartbeat looks at. */
export const putDrillSchedule = verb(
  'channels:write',
  async ({ ctx, input }: { ctx: Context; input: { body: unknown } }): Promise<DrillSchedule> => {
    const { cron, timeZone, channels, severity } = parse(PutDrillSchedule, input.body);
    const { tenantId, actor } = ctx;
    const instants = cronOf(cron, timeZone);
    return change(ctx, async (tx) => {
      await checkDrillChannels(tx, tenantId, channels);
      const nowMs = await databaseNow(tx);
      const stepMs = finestStep(instants, nowMs);
      if (stepMs !== null && stepMs < STEP_MIN_MS) throw badCron('names instants less than an hour apart');
      await saveDrillSchedule(tx, { tenantId, cron, timeZone, channels, severity, nextAtMs: instants.after(nowMs), updatedBy: actor });
      await audit(tx, ctx, 'drill_schedule.updated', tenantId, { cron, timeZone, channels, severity });
      const row = await findDrillSchedule(tx, tenantId);
      if (row === null) throw new Error('a schedule that was written is gone');
      return viewDrillSchedule(row);
    });
  },
);

export const deleteDrillSchedule = verb('channels:write', async ({ ctx }: { ctx: Context; input: undefined }): Promise<void> =>
  change(ctx, async (tx) => {
    await deleteRow(tx, ctx.tenantId);
    await audit(tx, ctx, 'drill_schedule.deleted', ctx.tenantId);
  }),
);

function cronOf(cron: string, timeZone: string): CronInstants {
  if (!isTimeZone(timeZone))
    throw invalid([{ pointer: '/timeZone', code: 'unknown_time_zone', message: 'is no IANA time zone, such as Europe/Berlin' }]);
  try {
    return readCron(cron, timeZone);
  } catch (error) {
    throw badCron(error instanceof Error ? error.message : 'is not understood');
  }
}

const badCron = (message: string) => invalid([{ pointer: '/cron', code: 'bad_cron', message }]);
