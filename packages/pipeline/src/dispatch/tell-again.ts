import { deleteTimers, moveTimers } from '@tocsin/db';
import { parseDuration } from '@tocsin/domain';
import type { Firing } from './fire-timers.ts';
import { triggerOfTimer } from './trigger-of-timer.ts';

/**
 * Tells again of alerts that are still open and that nobody has acknowledged, and sets the next reminder. A timer whose alert needs
 * none any more is dropped; reminders missed while everything was down are one.
 */
export const tellAgain: Firing = async (sql, tenantId, timers) => {
  const fired = [];
  for (const timer of timers) {
    const { id, alert, remindEvery, dueMs, nowMs } = timer;
    const everyMs = remindEvery === null ? null : parseDuration(remindEvery);
    if (alert.status === 'resolved' || alert.status === 'acknowledged' || everyMs === null || everyMs <= 0) {
      await deleteTimers(sql, tenantId, [id]);
      continue;
    }
    fired.push(await triggerOfTimer(sql, tenantId, timer, { kind: 'reminded', reason: 'still_open' }));
    await moveTimers(sql, tenantId, [{ id, dueMs: dueMs + (Math.floor((nowMs - dueMs) / everyMs) + 1) * everyMs, waitsFor: null }]);
  }
  return fired;
};
