import { type DeliveryStatus, type EpochMs, LATER_REASONS, type LaterReason } from '@tocsin/domain';
import { and, asc, desc, eq, getTableColumns, inArray, lt, ne, type SQL, sql } from 'drizzle-orm';
import { alerts, triggers } from '../tables/alerts.ts';
import { channels } from '../tables/channels.ts';
import { deliveries, type DeliveryRow, deliveryAttempts } from '../tables/deliveries.ts';
import type { DrizzleTx } from '../with-tenants.ts';

/** Null: no such condition. */
export interface DeliveryFilter {
  /** Deliveries made before the one of this id. */
  beforeId: string | null;
  limit: number;
  status: DeliveryStatus | null;
  channelId: string | null;
  channelKey: string | null;
  channelKind: string | null;
  alertId: string | null;
  /** Of the alert told of. */
  ruleId: string | null;
  ruleKey: string | null;
  reason: string | null;
  /** Made from then on, and before then. */
  fromMs: EpochMs | null;
  toMs: EpochMs | null;
}

/** A delivery as people see it. */
export interface ShownDeliveryRow extends DeliveryRow {
  /** Null: a test, or told instead of another. */
  triggeredAtMs: EpochMs | null;
}

/** As people see it: the id of a channel that is deleted leads nowhere, so it is null. */
const shown = { ...getTableColumns(deliveries), channelId: channels.id, triggeredAtMs: triggers.createdAtMs };
const itsChannel = and(eq(channels.tenantId, deliveries.tenantId), eq(channels.id, deliveries.channelId));

const itsTrigger = and(eq(triggers.tenantId, deliveries.tenantId), eq(triggers.id, deliveries.triggerId));

/** What all of these conditions hold for. */
function deliveriesThat(tenantId: string, filter: Omit<DeliveryFilter, 'limit'>): SQL | undefined {
  const { beforeId, status, channelId, channelKey, channelKind, alertId, ruleId, ruleKey, reason, fromMs, toMs } = filter;
  const ofRule = sql`exists (
    select from ${alerts} where ${alerts.tenantId} = ${deliveries.tenantId} and ${alerts.id} = ${deliveries.alertId}
      and ${ruleId === null ? sql`true` : eq(alerts.ruleId, ruleId)} and ${ruleKey === null ? sql`true` : eq(alerts.ruleKey, ruleKey)})`;
  const at = (ms: EpochMs): SQL => sql`to_timestamp(${ms}::float8 / 1000)`;
  return and(
    eq(deliveries.tenantId, tenantId),
    beforeId === null ? undefined : lt(deliveries.id, beforeId),
    // As a word of the statement, so that the index of the dead is known to fit.
    status === null ? undefined : status === 'dead' ? sql`${deliveries.status} = 'dead'` : eq(deliveries.status, status),
    channelId === null ? undefined : eq(deliveries.channelId, channelId),
    channelKey === null ? undefined : eq(deliveries.channelKey, channelKey),
    channelKind === null ? undefined : eq(deliveries.channelKind, channelKind),
    alertId === null ? undefined : eq(deliveries.alertId, alertId),
    ruleId === null && ruleKey === null ? undefined : ofRule,
    reason === null ? undefined : hasReason(reason),
    fromMs === null ? undefined : sql`${deliveries.createdAtMs} >= ${at(fromMs)}`,
    toMs === null ? undefined : sql`${deliveries.createdAtMs} < ${at(toMs)}`,
  );
}

/** What waits has a reason only as long as it waits: it ends with another, or with none. */
function hasReason(reason: string): SQL | undefined {
  const later: LaterReason | undefined = LATER_REASONS.find((each) => each === reason);
  if (later === undefined) return eq(deliveries.reason, reason);
  return and(eq(deliveries.heldFor, later), eq(deliveries.status, 'pending'), eq(deliveries.attempts, 0));
}

const NO_OTHER = { beforeId: null, status: null, channelId: null, channelKind: null, alertId: null, ruleId: null, ruleKey: null };

/** The ids of dead deliveries, but for tests; the oldest first. */
export async function selectDeadDeliveries(
  tx: DrizzleTx,
  tenantId: string,
  set: Pick<DeliveryFilter, 'channelKey' | 'reason' | 'fromMs' | 'toMs'>,
  limit: number,
): Promise<string[]> {
  const rows = await tx
    .select({ id: deliveries.id })
    .from(deliveries)
    .where(and(deliveriesThat(tenantId, { ...NO_OTHER, ...set, status: 'dead' }), ne(deliveries.kind, 'test')))
    .orderBy(asc(deliveries.id))
    .limit(limit);
  return rows.map(({ id }) => id);
}

/** Newest first. */
export async function selectDeliveries(tx: DrizzleTx, tenantId: string, filter: DeliveryFilter): Promise<ShownDeliveryRow[]> {
  return tx
    .select(shown)
    .from(deliveries)
    .leftJoin(channels, itsChannel)
    .leftJoin(triggers, itsTrigger)
    .where(deliveriesThat(tenantId, filter))
    .orderBy(desc(deliveries.id))
    .limit(filter.limit);
}

export async function findDelivery(tx: DrizzleTx, tenantId: string, id: string): Promise<ShownDeliveryRow | null> {
  const [row] = await tx
    .select(shown)
    .from(deliveries)
    .leftJoin(channels, itsChannel)
    .leftJoin(triggers, itsTrigger)
    .where(and(eq(deliveries.tenantId, tenantId), eq(deliveries.id, id)));
  return row ?? null;
}

/** Oldest first; as people see them. */
export async function selectShownDeliveries(tx: DrizzleTx, which: SQL | undefined): Promise<ShownDeliveryRow[]> {
  return tx
    .select(shown)
    .from(deliveries)
    .leftJoin(channels, itsChannel)
    .leftJoin(triggers, itsTrigger)
    .where(which)
    .orderBy(asc(deliveries.id));
}

export type DeliveryAttemptRow = Omit<typeof deliveryAttempts.$inferSelect, 'tenantId' | 'id' | 'deliveryId'>;

/** Oldest first. */
export async function selectDeliveryAttempts(tx: DrizzleTx, tenantId: string, deliveryId: string): Promise<DeliveryAttemptRow[]> {
  return (await selectAttempts(tx, tenantId, [deliveryId])).map(({ attempt }) => attempt);
}

/** Of any of these deliveries, oldest first. */
export async function selectAttempts(
  tx: DrizzleTx,
  tenantId: string,
  deliveryIds: readonly string[],
): Promise<{ deliveryId: string; attempt: DeliveryAttemptRow }[]> {
  if (deliveryIds.length === 0) return [];
  const { deliveryId, number, startedAtMs, finishedAtMs, outcome, statusCode, reason, retryAfterMs, responseExcerpt, nextAttemptAtMs } =
    deliveryAttempts;
  return tx
    .select({
      deliveryId,
      attempt: { number, startedAtMs, finishedAtMs, outcome, statusCode, reason, retryAfterMs, responseExcerpt, nextAttemptAtMs },
    })
    .from(deliveryAttempts)
    .where(and(eq(deliveryAttempts.tenantId, tenantId), inArray(deliveryId, [...deliveryIds])))
    .orderBy(asc(number));
}
