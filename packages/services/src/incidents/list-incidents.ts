import { type Incident, ListIncidents, type Page } from '@tocsin/contracts';
import { selectAlertsOfIncidents, selectIncidents, withTenant } from '@tocsin/db';
import type { Context } from '../context.ts';
import { idOfCursor, pageOfRows } from '../page.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewIncident } from './incident-view.ts';

/** Newest first. */
export const listIncidents = verb(
  'alerts:read',
  async ({ ctx: { db, tenantId }, input }: { ctx: Context; input: { query: unknown } }): Promise<Page<Incident>> => {
    const { limit, cursor, status } = parse(ListIncidents, input.query, 'query');
    const filter = { beforeId: idOfCursor(cursor), limit: limit + 1, isOpen: status === undefined ? null : status === 'open' };
    return withTenant(db, tenantId, async (tx) => {
      const rows = await selectIncidents(tx, tenantId, filter);
      const ids = rows.map(({ id }) => id);
      const alerts = Map.groupBy(await selectAlertsOfIncidents(tx, tenantId, ids), ({ incidentId }) => incidentId);
      return pageOfRows(rows, limit, (row) =>
        viewIncident(
          row,
          (alerts.get(row.id) ?? []).map(({ alert }) => alert),
        ),
      );
    });
  },
);
