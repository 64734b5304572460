import { type Alert, ListAlerts, type Page } from '@tocsin/contracts';
import { selectAlerts, withTenant } from '@tocsin/db';
import type { Context } from '../context.ts';
import { type Download, download } from '../export/download.ts';
import { idOfCursor, pageOfRows } from '../page.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { ALERT_COLUMNS } from './alert-columns.ts';
import { alertFilterOf } from './alert-filter.ts';
import { viewAlert } from './alert-view.ts';

export const listAlerts = verb(
  'alerts:read',
  async ({ ctx, input }: { ctx: Context; input: { query: unknown } }): Promise<Page<Alert> | Download> => {
    const { format, limit, cursor, ...asked } = parse(ListAlerts, input.query, 'query');
    const page = async (after: string | undefined, atMost: number): Promise<Page<Alert>> => {
      const filter = alertFilterOf(asked, idOfCursor(after), atMost + 1);
      const rows = await withTenant(ctx.db, ctx.tenantId, (tx) => selectAlerts(tx, ctx.tenantId, filter));
      return pageOfRows(rows, atMost, viewAlert);
    };
    return format === undefined ? page(cursor, limit) : download(format, 'alerts', ALERT_COLUMNS, page, cursor);
  },
);
