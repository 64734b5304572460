import {
  dropTimer,
  insertTriggers,
  lockDueReminders,
  moveTimer,
  newId,
  nextTriggerSeq,
  noteOnTimeline,
  snapshotOf,
  withTenantsSql,
  type DueReminder,
  type DueRow,
  type SqlTx,
  type TriggerRef,
} from '@tocsin/db';
import { parseDuration } from '@tocsin/domain';
import { dispatchTrigger } from '@tocsin/queue';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { sendHints } from '../send-hints.ts';

/**
 * Tells again of alerts that are still open and that nobody has acknowledged, and sets the next reminder. A timer whose alert needs
 * none any more is dropped; reminders missed while everything was down are one. A tenant for whom it fails is left to the next sweep.
 */
export async function fireReminders(deps: PipelineDeps, timers: readonly DueRow[]): Promise<void> {
  for (const [tenantId, rows] of Map.groupBy(timers, (timer) => timer.tenantId)) {
    const timerIds = rows.map(({ id }) => id);
    try {
      const triggers = await fireOfTenant(deps, tenantId, timerIds);
      if (triggers.length > 0) deps.metrics.triggers.inc({ kind: 'reminded' }, triggers.length);
      await sendHints(deps, dispatchTrigger, triggers);
    } catch (error) {
      deps.logger.error({ err: error, tenantId, timers: timerIds.length }, 'reminders failed; the sweep tries again');
    }
  }
}

function fireOfTenant({ db }: PipelineDeps, tenantId: string, timerIds: readonly string[]): Promise<TriggerRef[]> {
  return withTenantsSql(db, [tenantId], async (sql) => {
    const told: TriggerRef[] = [];
    for (const reminder of await lockDueReminders(sql, tenantId, timerIds)) told.push(...(await fire(sql, tenantId, reminder)));
    return told;
  });
}

async function fire(
  sql: SqlTx,
  tenantId: string,
  { id, ruleId, alert, remindEvery, dueMs, nowMs, lastSlotMs }: DueReminder,
): Promise<TriggerRef[]> {
  const everyMs = remindEvery === null ? null : parseDuration(remindEvery);
  const { id: alertId, status, severity, reading } = alert;
  if (status === 'resolved' || status === 'acknowledged' || everyMs === null || everyMs <= 0) {
    await dropTimer(sql, tenantId, id);
    return [];
  }
  const triggerId = newId();
  const seq = await nextTriggerSeq(sql, tenantId, alertId);
  await insertTriggers(sql, [
    { tenantId, id: triggerId, alertId, ruleId, seq, kind: 'reminded', severity, slotMs: lastSlotMs, snapshot: snapshotOf(alert) },
  ]);
  const { value, threshold, operator, samples } = reading;
  const data = { severity, value, threshold, operator, samples };
  await noteOnTimeline(sql, [{ tenantId, id: newId(), alertId, kind: 'reminded', reason: 'still_open', data }]);
  await moveTimer(sql, tenantId, id, dueMs + (Math.floor((nowMs - dueMs) / everyMs) + 1) * everyMs);
  return [{ tenantId, triggerId }];
}
