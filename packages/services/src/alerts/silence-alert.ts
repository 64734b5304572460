import { type Alert, SilenceAlert } from '@tocsin/contracts';
import { databaseNow, lockAlertToSilence, setAlertSilence, wakeWaiting } from '@tocsin/db';
import { AppError, notFound } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { idFrom, parse } from '../parse.ts';
import { readEnd } from '../silences/read-end.ts';
import { timeText } from '../time-text.ts';
import { verb } from '../verb.ts';
import { viewAlert } from './alert-view.ts';

/** Silences one alert alone, until then or until it is over or becomes worse. It goes on being evaluated. */
export const silenceAlert = verb(
  'silences:write',
  async ({ ctx, input }: { ctx: Context; input: { id: string; body: unknown } }): Promise<Alert> => {
    const id = idFrom(input.id, 'alert');
    return change(ctx, async (tx) => {
      const alert = await lockAlertToSilence(tx, ctx.tenantId, id);
      if (alert === null) throw notFound('alert');
      const { comment, ...end } = parse(SilenceAlert, input.body);
      if (alert.resolvedAtMs !== null) throw new AppError('alert_resolved', 'It is over.');
      const untilMs = readEnd(end, await databaseNow(tx));
      const data = { until: timeText(untilMs), onResolve: end.onResolve, ...(comment === '' ? {} : { comment }) };
      const row = await setAlertSilence(tx, alert, untilMs, { actor: ctx.actor, data });
      // it may end sooner than the silence that was waited for
      await wakeWaiting(tx, ctx.tenantId, [id]);
      await audit(tx, ctx, 'alert.silenced', id, data);
      return viewAlert(row);
    });
  },
);
