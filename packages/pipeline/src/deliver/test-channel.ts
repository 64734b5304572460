import type { Verdict } from '@tocsin/channels';
import { channelById, insertDeliveries, newId, withTenantsSql } from '@tocsin/db';
import { openAttempts } from './attempts.ts';
import type { DeliveryDeps } from './delivery-deps.ts';
import { openLanes } from './lanes.ts';

export interface ChannelTested {
  deliveryId: string;
  outcome: Verdict['outcome'];
  statusCode: number | null;
  /** Null: delivered. */
  reason: string | null;
  durationMs: number;
  responseExcerpt: string | null;
}

/** A test that dies halfway is not worth repeating later. */
const LIFETIME_MS = 60_000;

/** Sends a made-up alert to a channel, switched on or not, the way real ones go, once. Null: no such channel. */
export async function testChannel(
  deps: DeliveryDeps,
  { tenantId, channelId }: { tenantId: string; channelId: string },
): Promise<ChannelTested | null> {
  const deliveryId = newId();
  const isThere = await withTenantsSql(deps.db, [tenantId], async (sql) => {
    const channel = await channelById(sql, tenantId, channelId);
    if (channel === null) return false;
    const test = {
      tenantId,
      id: deliveryId,
      triggerId: null,
      alertId: null,
      channelId,
      channelKey: channel.key,
      channelKind: channel.kind,
      kind: 'test' as const,
    };
    await insertDeliveries(sql, [{ ...test, suppressed: null, lifetimeMs: LIFETIME_MS, body: null, first: null }]);
    return true;
  });
  if (!isThere) return null;

  const lanes = openLanes({ total: 1, perTenant: 1, perChannel: 1, inLine: 0 }, deps.clock.now);
  const begun = await openAttempts({ ...deps, lanes, giveUp: new AbortController().signal }).begin({ tenantId, deliveryId });
  const sent = begun.kind === 'sending' ? (await begun.attempted).sent : null;
  if (sent === null) throw new Error(`the test ${deliveryId} was not sent`);
  const { verdict, durationMs } = sent;
  return {
    deliveryId,
    outcome: verdict.outcome,
    statusCode: verdict.statusCode,
    reason: verdict.outcome === 'delivered' ? null : verdict.reason,
    durationMs,
    responseExcerpt: verdict.responseExcerpt,
  };
}
