import type { Delivery } from '@tocsin/contracts';
import { findDelivery, lockDelivery, reopenDelivery } from '@tocsin/db';
import { RETRY } from '@tocsin/domain';
import { sendHints } from '@tocsin/pipeline';
import { deliver } from '@tocsin/queue';
import { AppError, notFound } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { idFrom } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewDelivery } from './delivery-view.ts';

interface Input {
  id: string;
  body: undefined;
}

/** Sends a dead delivery again, with the same id and body; after it the end of its alert, if that is over, so that nobody takes it for open. */
export const retryDelivery = verb('deliveries:retry', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<Delivery> => {
  const deliveryId = idFrom(input.id, 'delivery');
  const delivery = await change(ctx, async (tx) => {
    const found = await lockDelivery(tx, ctx.tenantId, deliveryId);
    if (found === null) throw notFound('delivery');
    if (found.status !== 'dead') throw new AppError('not_retryable', 'Only a dead delivery can be sent again.');
    if (found.channelEnabled === null) throw new AppError('not_retryable', 'Its channel is deleted.');
    const { endId } = await reopenDelivery(tx, ctx.tenantId, deliveryId, RETRY.expiresAfterMs);
    await audit(tx, ctx, 'delivery.retried', deliveryId);
    if (endId !== null) await audit(tx, ctx, 'delivery.retried', endId, { after: deliveryId });
    const row = await findDelivery(tx, ctx.tenantId, deliveryId);
    if (row === null) throw new Error('a delivery under lock is gone');
    return viewDelivery(row);
  });
  await sendHints(ctx, deliver, [{ tenantId: ctx.tenantId, deliveryId }], { evenIfKnown: true });
  return delivery;
});
