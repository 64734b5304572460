import { type Delivery, ListDeliveries, type Page } from '@tocsin/contracts';
import { selectDeliveries, withTenant } from '@tocsin/db';
import type { Context } from '../context.ts';
import type { Column } from '../export/csv.ts';
import { type Download, download } from '../export/download.ts';
import { idOfCursor, pageOfRows } from '../page.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewDelivery } from './delivery-view.ts';

export const listDeliveries = verb(
  'deliveries:read',
  async ({ ctx, input }: { ctx: Context; input: { query: unknown } }): Promise<Page<Delivery> | Download> => {
    const { format, limit, cursor, ...query } = parse(ListDeliveries, input.query, 'query');
    const page = async (after: string | undefined, atMost: number): Promise<Page<Delivery>> => {
      const filter = {
        beforeId: idOfCursor(after),
        limit: atMost + 1,
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
      return pageOfRows(rows, atMost, viewDelivery);
    };
    return format === undefined ? page(cursor, limit) : download(format, 'deliveries', COLUMNS, page, cursor);
  },
);

const COLUMNS: readonly Column<Delivery>[] = [
  ['id', ({ id }) => id],
  ['alertId', ({ alertId }) => alertId],
  ['triggerId', ({ triggerId }) => triggerId],
  ['channel', ({ channel }) => channel.key],
  ['channelKind', ({ channel }) => channel.kind],
  ['kind', ({ kind }) => kind],
  ['status', ({ status }) => status],
  ['reason', ({ reason }) => reason],
  ['suppressedBy', ({ suppressedBy }) => suppressedBy],
  ['foldedInto', ({ foldedInto }) => foldedInto],
  ['heldFor', ({ heldFor }) => heldFor],
  ['heldUntil', ({ heldUntil }) => heldUntil],
  ['attempts', ({ attempts }) => attempts],
  ['createdAt', ({ createdAt }) => createdAt],
  ['nextAttemptAt', ({ nextAttemptAt }) => nextAttemptAt],
  ['finishedAt', ({ finishedAt }) => finishedAt],
  ['expiresAt', ({ expiresAt }) => expiresAt],
];
