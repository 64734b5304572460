import type { Schedule } from '@tocsin/contracts';
import { type DrizzleTx, findSchedule, lastRunEnd } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import { viewSchedule } from './schedule-view.ts';

/** The schedule as it is in this transaction. Throws a 404 where there is no such tenant. */
export async function showSchedule(tx: DrizzleTx, tenantId: string): Promise<Schedule> {
  const row = await findSchedule(tx, tenantId);
  if (row === null) throw notFound('schedule');
  return viewSchedule(row, await lastRunEnd(tx, tenantId));
}
