import { insertTriggers, newId, nextTriggerSeq, noteOnTimeline, snapshotOf, type DueTimer, type SqlTx } from '@tocsin/db';
import type { TriggerKind } from '@tocsin/domain';
import type { FiredTrigger } from './fire-timers.ts';

/** Puts a trigger about a timer's alert, as it is now, into the outbox and on its timeline. The alert must be under lock. */
export async function triggerOfTimer(
  sql: SqlTx,
  tenantId: string,
  { ruleId, alert, lastSlotMs }: DueTimer,
  { kind, reason }: { kind: TriggerKind; reason: string },
): Promise<FiredTrigger> {
  const { id: alertId, severity, reading } = alert;
  const triggerId = newId();
  const seq = await nextTriggerSeq(sql, tenantId, alertId);
  await insertTriggers(sql, [
    { tenantId, id: triggerId, alertId, ruleId, seq, kind, severity, slotMs: lastSlotMs, snapshot: snapshotOf(alert) },
  ]);
  const { value, threshold, operator, samples } = reading;
  const data = { severity, value, threshold, operator, samples };
  await noteOnTimeline(sql, [{ tenantId, id: newId(), alertId, kind, reason, data }]);
  return { tenantId, triggerId, kind };
}
