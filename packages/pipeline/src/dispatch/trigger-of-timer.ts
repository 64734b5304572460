import { insertTriggers, newId, nextTriggerSeq, noteOnTimeline, snapshotOf, type DueTimer, type SqlTx } from '@tocsin/db';
import type { AlertSnapshot, TriggerKind } from '@tocsin/domain';
import type { FiredTrigger } from './fire-timers.ts';

export interface FiringTrigger {
  kind: TriggerKind;
  reason: string;
  /** What its timeline calls it; left out: as the trigger's kind. */
  entry?: string;
  /** Keys of those that hear of it; left out: those of the rule and the routes. */
  channels?: readonly string[];
  /** What its snapshot says beside. */
  more?: Partial<AlertSnapshot>;
  /** What the timeline says beside. */
  data?: Record<string, unknown>;
}

/** Puts a trigger about a timer's alert, as it is now, into the outbox and on its timeline. The alert must be under lock. */
export async function triggerOfTimer(
  sql: SqlTx,
  tenantId: string,
  { ruleId, alert, lastSlotMs }: DueTimer,
  { kind, reason, entry = kind, channels, more = {}, data: also = {} }: FiringTrigger,
): Promise<FiredTrigger> {
  const { id: alertId, severity, reading } = alert;
  const triggerId = newId();
  const seq = await nextTriggerSeq(sql, tenantId, alertId);
  await insertTriggers(sql, [
    {
      tenantId,
      id: triggerId,
      alertId,
      ruleId,
      seq,
      kind,
      severity,
      slotMs: lastSlotMs,
      snapshot: { ...snapshotOf(alert), ...more },
      ...(channels === undefined ? {} : { channels }),
    },
  ]);
  const { value, threshold, operator, samples } = reading;
  const data = { severity, value, threshold, operator, samples, ...also };
  await noteOnTimeline(sql, [{ tenantId, id: newId(), alertId, kind: entry, reason, data }]);
  return { tenantId, triggerId, kind };
}
