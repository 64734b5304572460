import type { EpochMs, Severity, TriggerKind } from '@tocsin/domain';
import { and, asc, eq, gte, inArray, isNull, lte, or } from 'drizzle-orm';
import { alerts, triggers } from '../tables/alerts.ts';
import { deliveries } from '../tables/deliveries.ts';
import type { DrizzleTx } from '../with-tenants.ts';
import { selectAttempts, selectShownDeliveries, type DeliveryAttemptRow, type ShownDeliveryRow } from './deliveries-list.ts';

/** What was told of one series of a rule at one slot, and how its messages went. */
export interface ToldRow {
  triggerId: string;
  alertId: string;
  seriesKey: string;
  kind: TriggerKind;
  severity: Severity;
  status: string;
  reason: string | null;
  deliveries: { row: ShownDeliveryRow; attempts: DeliveryAttemptRow[] }[];
}

const ALERTS_MAX = 1_000;

/** Oldest first. Reads nothing of alerts that were not open then. */
export async function selectToldAtSlot(tx: DrizzleTx, tenantId: string, ruleId: string, slotMs: EpochMs): Promise<ToldRow[]> {
  const told = await tx
    .select({
      triggerId: triggers.id,
      alertId: triggers.alertId,
      seriesKey: alerts.seriesKey,
      kind: triggers.kind,
      severity: triggers.severity,
      status: triggers.status,
      reason: triggers.reason,
    })
    .from(alerts)
    .innerJoin(triggers, and(eq(triggers.tenantId, alerts.tenantId), eq(triggers.alertId, alerts.id)))
    .where(
      and(
        eq(alerts.tenantId, tenantId),
        eq(alerts.ruleId, ruleId),
        lte(alerts.startedAtMs, slotMs),
        or(isNull(alerts.resolvedAtMs), gte(alerts.resolvedAtMs, slotMs)),
        eq(triggers.slotAtMs, slotMs),
      ),
    )
    .orderBy(asc(triggers.id))
    .limit(ALERTS_MAX);
  if (told.length === 0) return [];
  const rows = await selectShownDeliveries(
    tx,
    and(
      eq(deliveries.tenantId, tenantId),
      inArray(
        deliveries.alertId,
        told.map(({ alertId }) => alertId),
      ),
      inArray(
        deliveries.triggerId,
        told.map(({ triggerId }) => triggerId),
      ),
    ),
  );
  const attempts = Map.groupBy(
    await selectAttempts(
      tx,
      tenantId,
      rows.map(({ id }) => id),
    ),
    ({ deliveryId }) => deliveryId,
  );
  const ofTrigger = Map.groupBy(rows, ({ triggerId }) => triggerId);
  return told.map((each) => ({
    ...each,
    deliveries: (ofTrigger.get(each.triggerId) ?? []).map((row) => ({
      row,
      attempts: (attempts.get(row.id) ?? []).map(({ attempt }) => attempt),
    })),
  }));
}
