import type { AlertTimelineEntry, IncidentDetail } from '@tocsin/contracts';
import { findIncident, selectAlertsOfIncidents, selectIncidentTimeline, withTenant } from '@tocsin/db';
import { viewAlert } from '../alerts/alert-view.ts';
import { notFound } from '../app-error.ts';
import type { Context } from '../context.ts';
import { idFrom } from '../parse.ts';
import { timeText } from '../time-text.ts';
import { verb } from '../verb.ts';
import { viewIncident } from './incident-view.ts';

const TIMELINE_MAX = 500;

export const getIncident = verb(
  'alerts:read',
  async ({ ctx: { db, tenantId }, input }: { ctx: Context; input: { id: string } }): Promise<IncidentDetail> => {
    const id = idFrom(input.id, 'incident');
    return withTenant(db, tenantId, async (tx) => {
      const row = await findIncident(tx, tenantId, id);
      if (row === null) throw notFound('incident');
      const alerts = (await selectAlertsOfIncidents(tx, tenantId, [id])).map(({ alert }) => alert);
      const entries = await selectIncidentTimeline(tx, tenantId, id, TIMELINE_MAX);
      return {
        incident: viewIncident(row, alerts),
        alerts: alerts.map(viewAlert),
        timeline: entries.map(({ atMs, ...entry }) => ({ at: timeText(atMs), ...entry }) as AlertTimelineEntry & { alertId: string }),
      };
    });
  },
);
