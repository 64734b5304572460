import { AlertNote, type IncidentAnswer, ResolveAlert } from '@tocsin/contracts';
import { findIncident, selectAlertsOfIncidents } from '@tocsin/db';
import { acknowledge, type AlertAction, resolve } from '../alerts/alert-actions.ts';
import { countsOf } from '../alerts/bulk-alerts.ts';
import { changeAlerts, handleAll } from '../alerts/handle-alerts.ts';
import { notFound } from '../app-error.ts';
import type { Context } from '../context.ts';
import { idFrom, parse } from '../parse.ts';
import { verb } from '../verb.ts';

interface Input {
  id: string;
  body: unknown;
}

/** Does one thing to all of an incident's alerts that are open, in one transaction, and says of each what became of it. */
const incidentVerb = (action: AlertAction, textOf: (body: unknown) => string | undefined) =>
  verb(action.permission, async ({ ctx, input }: { ctx: Context; input: Input }): Promise<IncidentAnswer> => {
    const id = idFrom(input.id, 'incident');
    return changeAlerts(ctx, async (tx) => {
      if ((await findIncident(tx, ctx.tenantId, id)) === null) throw notFound('incident');
      const text = textOf(input.body) ?? null;
      const alerts = await selectAlertsOfIncidents(tx, ctx.tenantId, [id]);
      const open = alerts.flatMap(({ alert }) => (alert.resolvedAtMs === null ? alert.id : []));
      const { output, triggerIds } = await handleAll(ctx, tx, action, open, text);
      return { output: { data: output, counts: countsOf(output) }, triggerIds };
    });
  });

export const acknowledgeIncident = incidentVerb(acknowledge, (body) => parse(AlertNote, body).note);

export const resolveIncident = incidentVerb(resolve, (body) => parse(ResolveAlert, body).notes);
