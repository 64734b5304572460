import type { Schedule } from '@tocsin/contracts';
import { withTenant } from '@tocsin/db';
import type { Context } from '../context.ts';
import { verb } from '../verb.ts';
import { showSchedule } from './show-schedule.ts';

export const getSchedule = verb('schedule:read', ({ ctx }: { ctx: Context; input: undefined }): Promise<Schedule> =>
  withTenant(ctx.db, ctx.tenantId, (tx) => showSchedule(tx, ctx.tenantId)),
);
