import type { Delivery } from '@tocsin/contracts';
import { findDelivery, withTenant } from '@tocsin/db';
import { retryDelivery as reopen } from '@tocsin/pipeline';
import { AppError, notFound } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { once } from '../idempotency.ts';
import { idFrom } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewDelivery } from './delivery-view.ts';

interface Input {
  id: string;
  body: undefined;
}

/** Sends a dead delivery again, with the same id and body. */
export const retryDelivery = verb('deliveries:retry', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<Delivery> => {
  const deliveryId = idFrom(input.id, 'delivery');
  return once(ctx, async () => {
    const outcome = await reopen(ctx, { tenantId: ctx.tenantId, deliveryId });
    if (outcome === 'not_found') throw notFound('delivery');
    if (outcome === 'not_dead') throw new AppError('not_retryable', 'Only a dead delivery can be sent again.');
    if (outcome === 'channel_missing') throw new AppError('not_retryable', 'Its channel is deleted.');
    return withTenant(ctx.db, ctx.tenantId, async (tx) => {
      await audit(tx, ctx, 'delivery.retried', deliveryId);
      const row = await findDelivery(tx, ctx.tenantId, deliveryId);
      if (row === null) throw notFound('delivery');
      return viewDelivery(row);
    });
  });
});
