import { type Delivery, ListDeliveries, type Page } from '@tocsin/contracts';
import { selectDeliveries, withTenant } from '@tocsin/db';
import type { Context } from '../context.ts';
import { idOfCursor, pageOfRows } from '../page.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewDelivery } from './delivery-view.ts';

export const listDeliveries = verb(
  'deliveries:read',
  async ({ ctx, input }: { ctx: Context; input: { query: unknown } }): Promise<Page<Delivery>> => {
    const query = parse(ListDeliveries, input.query, 'query');
    const filter = {
      beforeId: idOfCursor(query.cursor),
      limit: query.limit + 1,
      status: query.status ?? null,
      channelId: query.channelId ?? null,
      channelKey: query.channelKey ?? query.channel ?? null,
      channelKind: query.channelKind ?? null,
      alertId: query.alertId ?? null,
      ruleId: query.ruleId ?? null,
      ruleKey: query.rule ?? null,
      reason: query.reason ?? null,
      fromMs: query.from ?? null,
      toMs: query.to ?? null,
    };
    const rows = await withTenant(ctx.db, ctx.tenantId, (tx) => selectDeliveries(tx, ctx.tenantId, filter));
    return pageOfRows(rows, query.limit, viewDelivery);
  },
);
