import { reopenDelivery, withTenantsSql } from '@tocsin/db';
import { RETRY } from '@tocsin/domain';
import { deliver } from '@tocsin/queue';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { sendHints } from '../send-hints.ts';
import type { DeliveryRef } from './delivery-deps.ts';

export type Retried = 'reopened' | 'not_found' | 'not_dead' | 'channel_missing';

/** Gives a dead delivery a fresh count and a fresh day. It goes out with the same id and the same body, so its receiver can tell. */
export async function retryDelivery(
  deps: Pick<PipelineDeps, 'db' | 'queues' | 'logger' | 'metrics'>,
  { tenantId, deliveryId }: DeliveryRef,
): Promise<Retried> {
  const found = await withTenantsSql(deps.db, [tenantId], (sql) => reopenDelivery(sql, tenantId, deliveryId, RETRY.expiresAfterMs));
  if (found === null) return 'not_found';
  if (found.status !== 'dead') return 'not_dead';
  if (!found.hasChannel) return 'channel_missing';
  await sendHints(deps, deliver, [{ tenantId, deliveryId }], { evenIfKnown: true });
  return 'reopened';
}
