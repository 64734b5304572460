import type { Schedule } from '@tocsin/contracts';
import { findSchedule, withTenant } from '@tocsin/db';
import type { Context } from '../context.ts';
import { notFound } from '../app-error.ts';
import { verb } from '../verb.ts';
import { viewSchedule } from './schedule-view.ts';

export const getSchedule = verb('schedule:read', async ({ ctx }: { ctx: Context; input: undefined }): Promise<Schedule> => {
  const row = await withTenant(ctx.db, ctx.tenantId, (tx) => findSchedule(tx, ctx.tenantId));
  if (row === null) throw notFound('schedule');
  return viewSchedule(row);
});
