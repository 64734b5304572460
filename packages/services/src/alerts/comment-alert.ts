import { type AlertTimelineEntry, CommentAlert } from '@tocsin/contracts';
import { noteHandled } from '@tocsin/db';
import type { Context } from '../context.ts';
import { idFrom, parse } from '../parse.ts';
import { timeText } from '../time-text.ts';
import { verb } from '../verb.ts';
import { changeAlerts, lockAlert } from './handle-alerts.ts';

interface Input {
  id: string;
  body: unknown;
}

/** Adds to an alert's timeline, open or over. */
export const commentAlert = verb('alerts:handle', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<AlertTimelineEntry> => {
  const id = idFrom(input.id, 'alert');
  return changeAlerts(ctx, async (tx) => {
    await lockAlert(ctx, tx, id);
    const { text } = parse(CommentAlert, input.body);
    const entry = { kind: 'commented', actor: ctx.actor, data: { text } };
    const atMs = await noteHandled(tx, ctx.tenantId, [id], entry);
    return { output: { at: timeText(atMs), reason: null, ...entry }, triggerIds: [] };
  });
});
