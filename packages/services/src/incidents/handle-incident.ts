import { AlertNote, type IncidentAnswer, ResolveAlert } from '@tocsin/contracts';
import { findIncident, selectAlertsOfIncidents } from '@tocsin/db';
import { acknowledging, type AlertAction, resolving } from '../alerts/alert-actions.ts';
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
const incidentVerb = (actionOf: (body: unknown) => AlertAction) =>
  verb('alerts:handle', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<IncidentAnswer> => {
    const id = idFrom(input.id, 'incident');
    return changeAlerts(ctx, async (tx) => {
      if ((await findIncident(tx, ctx.tenantId, id)) === null) throw notFound('incident');
      const action = actionOf(input.body);
      const alerts = await selectAlertsOfIncidents(tx, ctx.tenantId, [id]);
      const open = alerts.flatMap(({ alert }) => (alert.resolvedAtMs === null ? alert.id : []));
      const { output, triggerIds } = await handleAll(ctx, tx, action, open);
      return { output: { data: output, counts: countsOf(output) }, triggerIds };
    });
  });

export const acknowledgeIncident = incidentVerb((body) => acknowledging(parse(AlertNote, body).note ?? null));

export const resolveIncident = incidentVerb((body) => resolving(parse(ResolveAlert, body).notes ?? null));
