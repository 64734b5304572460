import { DRILL_PREFIX, type AlertStatus, type EpochMs, type Severity } from '@tocsin/domain';
import { and, desc, eq, gte, inArray, lt, notLike } from 'drizzle-orm';
import { type AlertEventRow, alertEvents, type AlertRow, alerts } from '../tables/alerts.ts';
import type { DrizzleTx } from '../with-tenants.ts';

/** Null: no such condition. */
export interface AlertFilter {
  /** Alerts opened before the one of this id. */
  beforeId: string | null;
  limit: number;
  statuses: readonly AlertStatus[] | null;
  severities: readonly Severity[] | null;
  ruleId: string | null;
  ruleKey: string | null;
  /** Bounds of the alert's start: from `sinceMs` to before `untilMs`. */
  sinceMs: EpochMs | null;
  untilMs: EpochMs | null;
}

/** Newest first. */
export async function selectAlerts(tx: DrizzleTx, tenantId: string, filter: AlertFilter): Promise<AlertRow[]> {
  const { beforeId, statuses, severities, ruleId, ruleKey, sinceMs, untilMs } = filter;
  const conditions = [
    eq(alerts.tenantId, tenantId),
    beforeId === null ? undefined : lt(alerts.id, beforeId),
    statuses === null ? undefined : inArray(alerts.status, [...statuses]),
    severities === null ? undefined : inArray(alerts.severity, [...severities]),
    // Those of fire drills are found by their rule alone.
    ruleId === null && ruleKey === null ? notLike(alerts.ruleKey, `${DRILL_PREFIX}%`) : undefined,
    ruleId === null ? undefined : eq(alerts.ruleId, ruleId),
    ruleKey === null ? undefined : eq(alerts.ruleKey, ruleKey),
    sinceMs === null ? undefined : gte(alerts.startedAtMs, sinceMs),
    untilMs === null ? undefined : lt(alerts.startedAtMs, untilMs),
  ];
  return tx
    .select()
    .from(alerts)
    .where(and(...conditions))
    .orderBy(desc(alerts.id))
    .limit(filter.limit);
}

export async function findAlert(tx: DrizzleTx, tenantId: string, id: string): Promise<AlertRow | null> {
  const [row] = await tx
    .select()
    .from(alerts)
    .where(and(eq(alerts.tenantId, tenantId), eq(alerts.id, id)));
  return row ?? null;
}

export type AlertTimelineRow = Pick<AlertEventRow, 'atMs' | 'kind' | 'reason' | 'actor' | 'data'>;

/** The newest `limit` entries, oldest first. */
export async function selectAlertTimeline(tx: DrizzleTx, tenantId: string, alertId: string, limit: number): Promise<AlertTimelineRow[]> {
  const { atMs, kind, reason, actor, data } = alertEvents;
  const rows = await tx
    .select({ atMs, kind, reason, actor, data })
    .from(alertEvents)
    .where(and(eq(alertEvents.tenantId, tenantId), eq(alertEvents.alertId, alertId)))
    .orderBy(desc(alertEvents.atMs), desc(alertEvents.id))
    .limit(limit);
  return rows.reverse();
}
