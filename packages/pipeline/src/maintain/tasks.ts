import { archiveAlerts, deleteExpired, dropOldestPartition, ensurePartitions, sqlState, withTenantsSql } from '@tocsin/db';
import type { EventStore } from '@tocsin/events';
import type { PipelineDeps } from '../pipeline-deps.ts';

export interface Retention {
  /** Events, evaluations and runs. */
  eventsMs: number;
  /** Alerts, what was told of them, and to whom; counted from their end. Then they are archived. */
  alertsMs: number;
  /** Archived alerts, counted from their end, and reports of missed ones. */
  archiveMs: number;
  auditMs: number;
}

const DAY_MS = 86_400_000;
/** Of an alert that is open for longer, the archive has lost the first entries of its timeline. */
const LONGEST_ALERT_MS = 30 * DAY_MS;
export const DEFAULT_RETENTION: Retention = {
  eventsMs: 30 * DAY_MS,
  alertsMs: 90 * DAY_MS,
  archiveMs: 730 * DAY_MS,
  auditMs: 400 * DAY_MS,
};

export interface MaintenanceDeps extends PipelineDeps {
  store: Pick<EventStore, 'compact' | 'prepare'>;
  retention: Retention;
}

const ROWS_PER_DELETE = 1_000;
/** Each with its timeline and messages. */
const ALERTS_PER_MOVE = 200;
/** In use, or dropped by another at this moment. */
const NOT_OURS_NOW: ReadonlySet<string | null> = new Set(['55P03', '42P01']);

/** Makes the days to come and drops those that are over. A day somebody reads just now is dropped another time. */
export async function keepPartitions({ db, logger, retention }: MaintenanceDeps): Promise<void> {
  await ensurePartitions(db, retention.eventsMs);
  const keep: readonly [table: string, keepMs: number][] = [
    ['segments', retention.eventsMs],
    ['runs', retention.eventsMs],
    // an alert is archived so long after its end, with what it began with
    ['alert_events', retention.alertsMs + LONGEST_ALERT_MS],
    ['delivery_attempts', retention.alertsMs],
    ['audit_events', retention.auditMs],
  ];
  for (const [table, keepMs] of keep) {
    try {
      for (
        let dropped = await dropOldestPartition(db, table, keepMs);
        dropped !== null;
        dropped = await dropOldestPartition(db, table, keepMs)
      ) {
        logger.info({ partition: dropped }, 'a day is over its retention and dropped');
      }
    } catch (error) {
      if (!NOT_OURS_NOW.has(sqlState(error))) throw error;
      logger.debug({ table }, 'the oldest day is in other hands; it is dropped another time');
    }
  }
}

/** Moves alerts that ended long ago out of the way, a bounded number a transaction, until none is left. */
export async function archiveOld({ db, retention }: MaintenanceDeps, tenantIds: readonly string[], signal: AbortSignal): Promise<void> {
  let moved = ALERTS_PER_MOVE;
  while (moved >= ALERTS_PER_MOVE && !signal.aborted) {
    moved = await withTenantsSql(db, tenantIds, (sql) => archiveAlerts(sql, tenantIds, retention.alertsMs, ALERTS_PER_MOVE));
  }
}

/** Deletes what is over its retention, a bounded number of rows a transaction, until nothing is left. */
export async function deleteOld({ db, retention }: MaintenanceDeps, tenantIds: readonly string[], signal: AbortSignal): Promise<void> {
  let deleted = ROWS_PER_DELETE;
  while (deleted >= ROWS_PER_DELETE && !signal.aborted) {
    deleted = await withTenantsSql(db, tenantIds, (sql) => deleteExpired(sql, tenantIds, retention, ROWS_PER_DELETE));
  }
}
