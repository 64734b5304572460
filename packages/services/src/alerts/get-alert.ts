import type { AlertDetail, AlertTimelineEntry } from '@tocsin/contracts';
import { findAlert, selectAlertTimeline, selectArchivedTimeline, withTenant } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import type { Context } from '../context.ts';
import { idFrom } from '../parse.ts';
import { timeText } from '../time-text.ts';
import { verb } from '../verb.ts';
import { viewAlert } from './alert-view.ts';

const TIMELINE_MAX = 500;

export const getAlert = verb('alerts:read', async ({ ctx, input }: { ctx: Context; input: { id: string } }): Promise<AlertDetail> => {
  const id = idFrom(input.id, 'alert');
  return withTenant(ctx.db, ctx.tenantId, async (tx) => {
    const row = await findAlert(tx, ctx.tenantId, id);
    if (row === null) throw notFound('alert');
    const archived = await selectArchivedTimeline(tx, ctx.tenantId, id);
    const entries = archived ?? (await selectAlertTimeline(tx, ctx.tenantId, id, TIMELINE_MAX));
    const timeline = entries.map(({ atMs, ...entry }) => ({ at: timeText(atMs), ...entry }) as AlertTimelineEntry);
    return { ...viewAlert(row), timeline };
  });
});
