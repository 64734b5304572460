import { type Alert, UnsilenceAlert } from '@tocsin/contracts';
import { databaseNow, lockAlertToSilence, setAlertSilence, wakeWaiting } from '@tocsin/db';
import { AppError, notFound } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { idFrom, parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewAlert } from './alert-view.ts';

/** Ends the silence of an alert alone: whoever has not heard of it does now. An alert without one stays as it is. */
export const unsilenceAlert = verb(
  'silences:write',
  async ({ ctx, input }: { ctx: Context; input: { id: string; body: unknown } }): Promise<Alert> => {
    const id = idFrom(input.id, 'alert');
    return change(ctx, async (tx) => {
      const alert = await lockAlertToSilence(tx, ctx.tenantId, id);
      if (alert === null) throw notFound('alert');
      const { comment } = parse(UnsilenceAlert, input.body ?? {});
      if (alert.resolvedAtMs !== null) throw new AppError('alert_resolved', 'It is over.');
      if (alert.silencedUntilMs === null || alert.silencedUntilMs <= (await databaseNow(tx))) return viewAlert(alert);
      const data = comment === '' ? {} : { comment };
      const row = await setAlertSilence(tx, alert, null, { actor: ctx.actor, data });
      await wakeWaiting(tx, ctx.tenantId, [id]);
      await audit(tx, ctx, 'alert.unsilenced', id, data);
      return viewAlert(row);
    });
  },
);
