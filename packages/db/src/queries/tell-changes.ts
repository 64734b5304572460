import type { AlertSnapshot } from '@tocsin/domain';
import { sql } from 'drizzle-orm';
import { newId } from '../new-id.ts';
import type { DrizzleTx } from '../with-tenants.ts';
import { snapshotOf, type ToldAlert } from './alert-snapshot.ts';

/** An alert that was changed just now, as the statement that did so answers with `CHANGED_ALERT`. */
export interface ChangedAlert extends Omit<ToldAlert, 'resolvedMs'>, Record<string, unknown> {
  ruleId: string;
  /** The number of the trigger that tells of the change. */
  seq: number;
  nowMs: number;
}

/** What is answered of an alert that is being changed, for a trigger to tell of it. */
export const CHANGED_ALERT = sql`id, rule_id as "ruleId", rule_name as "ruleName", labels, alert_type as "alertType", type_name as "typeName", category, status,
  severity, reading, trigger_seq as seq, acknowledged_by as "acknowledgedBy",
  (extract(epoch from started_at) * 1000)::float8 as "startedMs", (extract(epoch from tocsin_now()) * 1000)::float8 as "nowMs"`;

interface Why {
  reason: string | null;
  /** Whose doing it was. */
  actor: string;
  /** For the timeline. */
  data: Record<string, unknown>;
}

/**
 * Puts what people did with alerts on their timelines and into the outbox; of those that are over it drops what still hangs on their time. Answers
 * the triggers' ids, to be hinted after the commit.
 */
export async function tellChanges(
  tx: DrizzleTx,
  tenantId: string,
  kind: 'acknowledged' | 'resolved',
  changed: readonly ChangedAlert[],
  why: Why,
): Promise<string[]> {
  if (changed.length === 0) return [];
  const rows = changed.map((alert) => {
    const snapshot: AlertSnapshot = snapshotOf({ ...alert, resolvedMs: kind === 'resolved' ? alert.nowMs : null });
    const { id, ruleId, seq, severity } = alert;
    return { alert_id: id, rule_id: ruleId, event_id: newId(), trigger_id: newId(), seq, severity, snapshot };
  });
  const written = sql`jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
    as changed (alert_id uuid, rule_id uuid, event_id uuid, trigger_id uuid, seq int, severity text, snapshot jsonb)`;
  await tx.execute(sql`
    insert into alert_events (tenant_id, id, alert_id, kind, reason, actor, data)
    select ${tenantId}::uuid, event_id, alert_id, ${kind}::text, ${why.reason}::text, ${why.actor}::text, ${JSON.stringify(why.data)}::text::jsonb
    from ${written}`);
  await tx.execute(sql`
    insert into triggers (tenant_id, id, alert_id, rule_id, seq, kind, severity, slot_at, snapshot)
    select ${tenantId}::uuid, trigger_id, alert_id, rule_id, seq, ${kind}::text, severity, tocsin_now(), snapshot from ${written}`);
  if (kind === 'resolved')
    await tx.execute(sql`
      delete from alert_timers timers using ${written} where timers.tenant_id = ${tenantId}::uuid and timers.alert_id = changed.alert_id`);
  return rows.map((row) => row.trigger_id);
}
