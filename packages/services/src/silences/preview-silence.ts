import { PreviewSilence, type SilencePreview } from '@tocsin/contracts';
import { alertsById, databaseNow, openAlertsLike, toldSince, withTenant, withTenantsSql } from '@tocsin/db';
import { matches, valuesWanted } from '@tocsin/domain';
import { viewAlert } from '../alerts/alert-view.ts';
import type { Context } from '../context.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';

const WEEK_MS = 7 * 86_400_000;
const SHOWN = 20;
const LOOKED_AT_MAX = 50_000;

/** What matchers mute now, and would have muted in the last 7 days. Changes nothing. */
export const previewSilence = verb(
  'silences:read',
  async ({ ctx, input }: { ctx: Context; input: { body: unknown } }): Promise<SilencePreview> => {
    const { matchers } = parse(PreviewSilence, input.body);
    const { tenantId } = ctx;
    const values = valuesWanted(matchers);
    // an alert may have been told at another severity than it has now
    const { severity: _now, ...lasting } = values;
    const sinceMs = (await withTenant(ctx.db, tenantId, databaseNow)) - WEEK_MS;
    const { open, told } = await withTenantsSql(ctx.db, [tenantId], async (sql) => ({
      open: (await openAlertsLike(sql, [{ tenantId, values }])).filter((alert) => matches(matchers, alert)),
      told: await toldSince(sql, tenantId, { sinceMs, values: lasting, limit: LOOKED_AT_MAX + 1 }),
    }));
    const muted = told.slice(0, LOOKED_AT_MAX).filter((alert) => matches(matchers, alert));
    const newest = open.slice(-SHOWN).map(({ id }) => id);
    const shown = await withTenant(ctx.db, tenantId, (tx) => alertsById(tx, tenantId, newest));
    return {
      now: { alerts: open.length, shown: shown.map(viewAlert) },
      lastWeek: {
        alerts: new Set(muted.map(({ id }) => id)).size,
        notifications: muted.reduce((total, { notifications }) => total + notifications, 0),
      },
      complete: told.length <= LOOKED_AT_MAX,
    };
  },
);
