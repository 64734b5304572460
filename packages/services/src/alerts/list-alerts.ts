import { type Alert, ListAlerts, type Page } from '@tocsin/contracts';
import { selectAlerts, withTenant } from '@tocsin/db';
import { ALERT_STATUSES, type AlertStatus } from '@tocsin/domain';
import type { Context } from '../context.ts';
import { idOfCursor, pageOfRows } from '../page.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewAlert } from './alert-view.ts';

export const listAlerts = verb('alerts:read', async ({ ctx, input }: { ctx: Context; input: { query: unknown } }): Promise<Page<Alert>> => {
  const query = parse(ListAlerts, input.query, 'query');
  const filter = {
    beforeId: idOfCursor(query.cursor),
    limit: query.limit + 1,
    statuses: query.status?.flatMap(statusesMeant) ?? null,
    severities: query.severity ?? null,
    ruleId: query.ruleId ?? null,
    ruleKey: query.ruleKey ?? null,
    sinceMs: query.since ?? null,
    untilMs: query.until ?? null,
  };
  const rows = await withTenant(ctx.db, ctx.tenantId, (tx) => selectAlerts(tx, ctx.tenantId, filter));
  return pageOfRows(rows, query.limit, viewAlert);
});

const statusesMeant = (word: AlertStatus | 'open'): AlertStatus[] =>
  word === 'open' ? ALERT_STATUSES.filter((status) => status !== 'resolved') : [word];
