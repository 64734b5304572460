import type { DeliveryDetail } from '@tocsin/contracts';
import { findDelivery, selectDeliveryAttempts, withTenant } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import type { Context } from '../context.ts';
import { idFrom } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewAttempt, viewDelivery } from './delivery-view.ts';

export const getDelivery = verb(
  'deliveries:read',
  async ({ ctx, input }: { ctx: Context; input: { id: string } }): Promise<DeliveryDetail> => {
    const id = idFrom(input.id, 'delivery');
    return withTenant(ctx.db, ctx.tenantId, async (tx) => {
      const row = await findDelivery(tx, ctx.tenantId, id);
      if (row === null) throw notFound('delivery');
      const attempts = await selectDeliveryAttempts(tx, ctx.tenantId, id);
      return { ...viewDelivery(row), body: row.body, attemptLog: attempts.map(viewAttempt) };
    });
  },
);
