import type { AlertStatus, AlertTypeName, EpochMs, Labels, Severity } from '@tocsin/domain';
import { and, desc, eq, getTableColumns, getViewSelectedFields, gte, ilike, inArray, isNull, lt, or, type SQL, sql } from 'drizzle-orm';
import { type AlertEventRow, alertEvents, type AlertRow, alerts, allAlerts, archivedAlerts } from '../tables/alerts.ts';
import type { DrizzleTx } from '../with-tenants.ts';

/** Null: no such condition. */
export interface AlertFilter {
  /** Alerts opened before the one of this id. */
  beforeId: string | null;
  limit: number;
  /** `silenced`: open, and with a silence that has not ended. */
  statuses: readonly (AlertStatus | 'silenced')[] | null;
  severities: readonly Severity[] | null;
  typeNames: readonly AlertTypeName[] | null;
  category: string | null;
  ruleId: string | null;
  ruleKey: string | null;
  /** Every one of them. */
  labels: Labels | null;
  assignee: string | null;
  /** Part of the rule's name or key, of a label's value, of the metric, in any case. */
  search: string | null;
  /** Bounds of the alert's start: from `sinceMs` to before `untilMs`. With either, archived alerts are read too. */
  sinceMs: EpochMs | null;
  untilMs: EpochMs | null;
}

/** Newest first. */
export const selectAlerts = async (tx: DrizzleTx, tenantId: string, filter: AlertFilter): Promise<AlertRow[]> =>
  alertsQuery(tx, tenantId, filter);

/** The statement of `selectAlerts`. */
export function alertsQuery(tx: DrizzleTx, tenantId: string, filter: AlertFilter) {
  const isBounded = filter.sinceMs !== null || filter.untilMs !== null;
  const from = isBounded && mayBeArchived(filter.statuses) ? allAlerts : alerts;
  return tx
    .select(columnsOf(from))
    .from(from)
    .where(and(eq(from.tenantId, tenantId), ...conditionsOf(from, filter)))
    .orderBy(desc(from.id))
    .limit(filter.limit);
}

/** The newest of those that are not archived: ids alone, for what is to be done with them. */
export async function selectAlertIds(tx: DrizzleTx, tenantId: string, filter: AlertFilter): Promise<string[]> {
  const rows = await tx
    .select({ id: alerts.id })
    .from(alerts)
    .where(and(eq(alerts.tenantId, tenantId), ...conditionsOf(alerts, filter)))
    .orderBy(desc(alerts.id))
    .limit(filter.limit);
  return rows.map(({ id }) => id);
}

type Alerts = typeof alerts | typeof allAlerts;

/** Without the digest, which is the index's alone. */
const { seriesDigest: _digest, ...hotColumns } = getTableColumns(alerts);
const columnsOf = (from: Alerts): typeof hotColumns =>
  from === alerts ? hotColumns : (getViewSelectedFields(allAlerts) as unknown as typeof hotColumns);

const mayBeArchived = (statuses: AlertFilter['statuses']): boolean => statuses === null || statuses.includes('resolved');

function conditionsOf(from: Alerts, filter: AlertFilter): (SQL | undefined)[] {
  const { beforeId, statuses, severities, typeNames, category, ruleId, ruleKey, labels, assignee, search, sinceMs, untilMs } = filter;
  const part = search === null ? null : `%${search.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
  return [
    beforeId === null ? undefined : lt(from.id, beforeId),
    statuses === null ? undefined : statusIn(from, statuses),
    severities === null ? undefined : inArray(from.severity, [...severities]),
    typeNames === null ? undefined : inArray(from.typeName, [...typeNames]),
    category === null ? undefined : eq(from.category, category),
    ruleId === null ? undefined : eq(from.ruleId, ruleId),
    ruleKey === null ? undefined : eq(from.ruleKey, ruleKey),
    labels === null ? undefined : sql`${from.labels} @> ${JSON.stringify(labels)}::text::jsonb`,
    assignee === null ? undefined : eq(from.assignee, assignee),
    part === null
      ? undefined
      : or(
          ilike(from.ruleName, part),
          ilike(from.ruleKey, part),
          ilike(sql`${from.reading} ->> 'metric'`, part),
          sql`exists (select from jsonb_each_text(${from.labels}) as label where label.value ilike ${part})`,
        ),
    sinceMs === null ? undefined : gte(from.startedAtMs, sinceMs),
    untilMs === null ? undefined : lt(from.startedAtMs, untilMs),
  ];
}

function statusIn(from: Alerts, statuses: readonly (AlertStatus | 'silenced')[]): SQL | undefined {
  const stored = statuses.filter((status) => status !== 'silenced');
  const isOpen = isNull(from.resolvedAtMs);
  const alternatives = [
    // said twice, so that the index of what is open serves
    stored.length === 0 ? undefined : and(inArray(from.status, stored), stored.includes('resolved') ? undefined : isOpen),
    statuses.includes('silenced') ? and(isOpen, sql`${from.silencedUntilMs} > tocsin_now()`) : undefined,
  ];
  return or(...alternatives);
}

/** Archived or not. */
export async function findAlert(tx: DrizzleTx, tenantId: string, id: string): Promise<AlertRow | null> {
  const [row] = await tx
    .select()
    .from(allAlerts)
    .where(and(eq(allAlerts.tenantId, tenantId), eq(allAlerts.id, id)));
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

/** What the archive kept of an alert's timeline, oldest first; null: it is not archived. */
export async function selectArchivedTimeline(tx: DrizzleTx, tenantId: string, alertId: string): Promise<AlertTimelineRow[] | null> {
  const [row] = await tx
    .select({ timeline: archivedAlerts.timeline })
    .from(archivedAlerts)
    .where(and(eq(archivedAlerts.tenantId, tenantId), eq(archivedAlerts.id, alertId)));
  return row === undefined ? null : row.timeline.map(({ at, ...entry }) => ({ atMs: at, ...entry }));
}
